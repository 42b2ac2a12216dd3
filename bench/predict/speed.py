"""How many predictions a second a sweep makes, by the clock on the wall, and how far they are from those of single points.

    python bench/predict/speed.py [--points 10000]

For BERT-base and a Llama of 32 layers, as a prompt and as a decode step: every batch up to 64 with lengths of no round
number, on a processor with three caches by 8 threads, by 1, 8, 16 and 32 threads, and on a device of the catalogue. What is
timed is `cyclescope.predicting.sweep.sweep`, all that `predict --sweep` does before its page: the first call, which traces
some ten graphs, and the second, which finds them kept. Intervals are those of the built-in evidence, where there is any.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass

import numpy as np

from cyclescope.backends.base import Request
from cyclescope.core.ceilings import BandwidthCeiling, Ceilings, Figure, Origin, Overheads, ProductCeiling
from cyclescope.predicting.predict import predict
from cyclescope.predicting.settings import Setting, Settings
from cyclescope.predicting.sweep import sweep
from cyclescope.predicting.sweep_rows import Sweep
from cyclescope.predicting.target import Target, given_target, target

_CHECKED = 4


@dataclass(frozen=True)
class Case:
    """One model with the range of its shapes; `length` is what is swept beside the batch."""

    model: str
    length: str
    batches: tuple[int, int]
    lengths: tuple[int, int]


CASES = (
    Case("bert-base-uncased", "tokens", (1, 64), (16, 512)),
    Case("llama-3.1-8b", "tokens", (1, 64), (16, 2048)),
    Case("llama-3.1-8b", "cache", (1, 64), (16, 4096)),
)


def processor() -> Ceilings:
    """A processor of 32 cores, with figures of a common size."""

    def figure(value: float) -> Figure:
        return Figure.stated(value, "bench/predict/speed.py")

    threads = (1, 8, 32)
    products = tuple(
        ProductCeiling(dtype, rows, n, figure(share * factor * n * 50e9))
        for dtype, factor in (("float32", 1.0), ("bfloat16", 2.0))
        for n in threads
        for rows, share in ((1, 0.05), (16, 0.4), (256, 1.0))
    )
    levels = (("L1", 32_000, 100e9), ("L2", 1_000_000, 60e9), ("L3", 64_000_000, 20e9), ("memory", 0, 8e9))
    bandwidths = tuple(
        BandwidthCeiling(name, size, n, figure(rate * n)) for name, size, rate in levels for n in threads
    )
    overheads = Overheads(figure(1_200.0), figure(2_500.0), None)
    return Ceilings(Origin.MEASURED, "a processor", "torch", "", products, bandwidths, overheads)


def lengths_of(case: Case, count: int) -> list[Setting]:
    """About `count` distinct lengths over the whole range."""
    found = np.unique(np.geomspace(*case.lengths, max(2, count)).astype(np.int64))
    return [Setting(case.length, int(length)) for length in found]


def swept(case: Case, on: Target, sweeps: list[list[Setting]], threads: int | None) -> Sweep:
    request = Request(
        model=case.model, dtype="bfloat16", device=on.device, threads=threads,
        tokens=16 if case.length == "tokens" else None, cache_length=16 if case.length == "cache" else None,
    )  # fmt: skip
    return sweep(request, on, sweeps, model_kind="analytic")


def off(case: Case, on: Target, found: Sweep, threads: int | None) -> list[float]:
    """How far some points are from `predict`."""
    rng = np.random.default_rng(0)
    errors = []
    for k in rng.choice(len(found.rows), _CHECKED, replace=False).tolist():
        row = found.rows[k]
        single = predict(
            case.model, dtype="bfloat16", threads=threads, machine=on, model_kind="analytic", what_if=Settings(row.settings),
            tokens=16 if case.length == "tokens" else None, cache_length=16 if case.length == "cache" else None,
        )  # fmt: skip
        wall = float(np.median(single.samples.uninstrumented.wall_ns))
        errors.append(abs(row.wall.value_ns / wall - 1))
    return errors


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--points", type=int, default=10_000)
    asked = parser.parse_args()
    here, h100 = given_target(processor(), cores=32), target("H100 SXM", "torch")
    for case in CASES:
        batches = [Setting("batch", n) for n in range(case.batches[0], case.batches[1] + 1)]
        by_threads = [Setting("threads", n) for n in (1, 8, 16, 32)]
        few = lengths_of(case, asked.points // len(batches))
        grids: list[tuple[str, Target, list[list[Setting]], int | None]] = [
            ("processor", here, [batches, few], 8),
            ("by threads", here, [by_threads, lengths_of(case, asked.points // len(by_threads))], None),
            ("device", h100, [batches, few], None),
        ]
        for name, on, sweeps, threads in grids:
            took = []
            for _ in range(2):
                begin = time.perf_counter()
                found = swept(case, on, sweeps, threads)
                took.append(time.perf_counter() - begin)
            errors = off(case, on, found, threads)
            print(
                f"{case.model:18} {case.length:7} {name:11} {len(found.rows):6} predictions in {took[1]:.2f} s:"
                f" {len(found.rows) / took[1]:8,.0f} a second (first call {took[0]:.2f} s);"
                f" off from {len(errors)} single ones by at most {100 * max(errors):.2g} %",
                flush=True,
            )


if __name__ == "__main__":
    main()
