"""How many predictions a second a sweep makes, and how far they are from those of single points.

    python bench/predict/speed.py [--points 10000]

For BERT-base and a Llama of 32 layers, as a prompt and as a decode step: every batch up to 64 with lengths of no round
number, on a processor with three caches and four numbers of threads, and on a device of the catalogue. Tracing is told
apart: graphs are kept, and a family needs some ten of them once.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass

import numpy as np

from cyclescope.backends.base import Request
from cyclescope.core.ceilings import BandwidthCeiling, Ceilings, Figure, Origin, Overheads, ProductCeiling
from cyclescope.core.plan import Plan
from cyclescope.core.units import IntArray
from cyclescope.machines.catalog import find_machine
from cyclescope.predicting.analytic import AnalyticModel
from cyclescope.predicting.fast import FastFamily
from cyclescope.tracing.families import families_of

_CHECKED = 10
_THREADS = (1, 8, 16, 32)


@dataclass(frozen=True)
class Case:
    """One model with the range of its shapes."""

    model: str
    ranges: dict[str, tuple[int, int]]


CASES = (
    Case("bert-base-uncased", {"batch": (1, 64), "tokens": (16, 512)}),
    Case("llama-3.1-8b", {"batch": (1, 64), "tokens": (16, 2048)}),
    Case("llama-3.1-8b", {"batch": (1, 64), "cache_length": (16, 4096)}),
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


def points_of(case: Case, count: int) -> IntArray:
    """About `count` distinct shapes over the whole range."""
    (batch, length) = case.ranges.values()
    batches = np.arange(batch[0], batch[1] + 1)
    lengths = np.unique(np.geomspace(length[0], length[1], max(2, count // len(batches))).astype(np.int64))
    mesh = np.meshgrid(batches, lengths, indexing="ij")
    return np.stack([axis.reshape(-1) for axis in mesh], axis=1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--points", type=int, default=10_000)
    asked = parser.parse_args()
    h100 = find_machine("H100 SXM")
    assert h100 is not None
    here = processor()
    asked_of = [(here, Plan(threads=n, dtype="bfloat16")) for n in _THREADS] + [
        (h100, Plan(device="cuda", dtype="bfloat16"))
    ]
    for case in CASES:
        begin = time.perf_counter()
        families = families_of(Request(model=case.model, dtype="bfloat16"), case.ranges)
        traced = time.perf_counter() - begin
        points = points_of(case, asked.points // len(asked_of))
        begin = time.perf_counter()
        inside = [np.asarray([piece.holds(tuple(p)) for p in points.tolist()]) for piece in families.pieces]
        fast = [FastFamily.of(piece, points[at]) for piece, at in zip(families.pieces, inside, strict=True)]
        ready = time.perf_counter() - begin
        totals = np.zeros((len(asked_of), len(points)))
        for k, (machine, plan) in enumerate(asked_of):
            for piece, at in zip(fast, inside, strict=True):
                totals[k, at] = piece.totals(plan, machine)
        took = time.perf_counter() - begin
        rng = np.random.default_rng(0)
        off = []
        for k, (machine, plan) in enumerate(asked_of):
            for p in rng.choice(len(points), _CHECKED, replace=False).tolist():
                single = AnalyticModel().predict(families.at(tuple(points[p].tolist())), plan, machine)
                off.append(abs(totals[k, p] / np.nansum(single.slot_ns) - 1))
        groups = sum(len(piece.groups) for piece in fast)
        print(
            f"{case.model:18} {' × '.join(case.ranges):20} {len(points)} shapes × {len(asked_of)} = {totals.size} predictions"
            f" in {took:.2f} s ({ready:.2f} s to make ready, {groups} orders of memory): {totals.size / took:,.0f} a second;"
            f" off from {len(off)} single ones by {100 * np.mean(off):.2g} % in the mean, {100 * max(off):.2g} % at most;"
            f" {families.traces} traces in {traced:.1f} s",
            flush=True,
        )


if __name__ == "__main__":
    main()
