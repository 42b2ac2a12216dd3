"""Predictions beside measurements on this machine, of architectures and shapes that nothing is fitted on.

    python bench/predict/this_machine.py --truths DIR [--seconds N] [--round N] [--only NAME]
    python bench/predict/this_machine.py --truths DIR --report

The first form measures what is missing in DIR (uninstrumented and instrumented runs of each workload of `unseen.py`) for about N
seconds, and goes on where it stopped when it is called again; round 2, some time later, shows how far the machine repeats itself. The
second one measures nothing: it predicts each workload by every timing model that this machine has (`cyclescope calibrate --learn`),
beside the plain roofline with the measured peaks, and prints mean, median and 90th percentile of |predicted − measured| ÷
measured, the coverage of the 90 % interval, the error of operations weighted by their time, and the repeat error. A generation counts
as one workload: its prompt and all of its tokens.
"""

from __future__ import annotations

import argparse
import os
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import numpy as np
from unseen import CASES, Unseen

from cyclescope.backends.base import Request
from cyclescope.backends.registry import keeping
from cyclescope.calibrating.learning.harvesting import OpenCase
from cyclescope.calibrating.learning.training import observed, roofline_ns
from cyclescope.core.ceilings import Ceilings
from cyclescope.core.cycle import Cycle
from cyclescope.core.units import NS_PER_S, FloatArray
from cyclescope.predicting.evaluation import Accuracy, accuracy
from cyclescope.predicting.intervals import conformal_quantile
from cyclescope.predicting.models import available
from cyclescope.predicting.target import THIS, target
from cyclescope.predicting.timing_model import Durations
from cyclescope.store.run_file import load, save

ROUNDS = (1, 2)
_BLOCKS = 3
_EACH_S = 3.0
ROOFLINE = "plain roofline"


def place(folder: Path, case: Unseen, number: int) -> Path:
    return folder / f"{case.name}.{number}.cycle"


def request_for(case: Unseen, folder: Path) -> Request:
    return Request(
        case.reference(folder / "configurations"),
        tokens=case.tokens,
        batch=case.batch,
        new_tokens=case.new_tokens or None,
        task="auto" if case.new_tokens else "embed",
        weights="random",
    )


def measure_missing(folder: Path, number: int, seconds: float, each_s: float, only: str) -> None:
    """Measure what round `number` lacks; a workload is not begun when `seconds` are over."""
    begin = monotonic()
    for case in CASES:
        path = place(folder, case, number)
        if path.exists() or (only and only not in case.name):
            continue
        if monotonic() - begin > seconds:
            print("The time is over: call again to go on.")
            return
        with keeping():
            one = OpenCase.open(case.name, request_for(case, folder))
            for _ in range(_BLOCKS):
                one.sample(int(each_s / _BLOCKS * NS_PER_S))
            cycle = one.cycle()
            one.session.close()
        save(cycle, path)
        wall_ms = float(np.median(cycle.samples.uninstrumented.wall_ns)) / 1e6
        print(f"{case.name:32} {wall_ms:9.2f} ms, {len(cycle.samples.uninstrumented)} runs", flush=True)


@dataclass(frozen=True)
class Row:
    """One workload: its measured time (of all rounds), that of each round, and what each model says with its interval."""

    name: str
    true_ns: float
    rounds_ns: tuple[float, ...]
    said_ns: dict[str, float]
    interval: dict[str, tuple[float, float]]
    operations: dict[str, float]


def total_and_interval(found: Durations) -> tuple[float, tuple[float, float] | None]:
    """The time of a whole cycle in nanoseconds, moved by the median of the known errors, with its 90 % interval where some are known."""
    off = np.asarray(found.errors.cycles)
    middle = float(np.median(off)) if len(off) else 0.0
    total = float(np.nansum(found.slot_ns)) * float(np.exp(middle))
    if not len(off):
        return total, None
    half = conformal_quantile(np.abs(off - middle)) * found.widening
    return total, (total * float(np.exp(-half)), total * float(np.exp(half)))


def row_of(case: Unseen, cycles: list[Cycle], machine: Ceilings) -> Row:
    """The row of one workload that was measured as `cycles`, one a round."""
    seen = [observed(case.name, case.model, cycle, machine) for cycle in cycles]
    rounds = tuple(one.wall_ns for one in seen)
    true_ns = float(np.exp(np.mean(np.log(rounds))))
    cycle, one = cycles[0], seen[0]
    slot_ns = (
        np.mean([each.slot_ns for each in seen], axis=0) if len({len(s.slot_ns) for s in seen}) == 1 else one.slot_ns
    )
    is_op = cycle.graph.slots.op >= 0
    said, interval, operations = {ROOFLINE: roofline_ns(cycle.graph, machine, cycle.plan.threads)}, {}, {}
    for model in available(cycle.plan, machine):
        found = model.predict(cycle.graph, cycle.plan, machine)
        said[model.name], known = total_and_interval(found)
        interval |= {model.name: known} if known is not None else {}
        wrong = np.abs(np.nan_to_num(found.slot_ns) - slot_ns)[is_op].sum()
        operations[model.name] = float(wrong / slot_ns[is_op].sum())
    return Row(case.name, true_ns, rounds, said, interval, operations)


def report(folder: Path) -> None:
    found = target(THIS, "torch")
    rows = []
    for case in CASES:
        paths = [place(folder, case, number) for number in ROUNDS]
        cycles = [load(path) for path in paths if path.exists()]
        if cycles:
            rows.append(row_of(case, cycles, found.ceilings))
    if not rows:
        print(f"Nothing was measured in {folder}: call without --report first.")
        return
    print_rows(rows)


def print_rows(rows: list[Row]) -> None:
    """Each workload, and the accuracy of each timing model over all of them."""
    names = list(rows[0].said_ns)
    print(f"{'workload':32} {'measured':>10} {'repeat':>8}", *(f"{name:>15}" for name in names))
    for row in rows:
        off = [f"{said / row.true_ns - 1:+15.1%}" for said in row.said_ns.values()]
        print(f"{row.name:32} {row.true_ns / 1e6:7.2f} ms {_repeat(row):>8}", *off)
    true = np.asarray([row.true_ns for row in rows])
    print(f"\n{len(rows)} workloads of {len({row.name.rsplit('-', 1)[0] for row in rows})} architectures")
    print(f"{'':16} {'mean':>7} {'median':>7} {'p90':>7} {'bias':>7} {'coverage':>9} {'operations':>11}")
    for name in names:
        print(
            _line(name, _accuracy(name, rows, true), [row.operations[name] for row in rows if name in row.operations])
        )
    repeats = np.asarray([abs(row.rounds_ns[1] / row.rounds_ns[0] - 1) for row in rows if len(row.rounds_ns) > 1])
    if len(repeats):
        print(f"{'repeat error':16} {repeats.mean():7.1%} {np.median(repeats):7.1%} {np.quantile(repeats, 0.9):7.1%}")


def _accuracy(name: str, rows: list[Row], true: FloatArray) -> Accuracy:
    said = np.asarray([row.said_ns[name] for row in rows])
    if not all(name in row.interval for row in rows):
        return accuracy(true, said)
    low, high = (np.asarray([row.interval[name][end] for row in rows]) for end in (0, 1))
    return accuracy(true, said, (low, high))


def _line(name: str, found: Accuracy, operations: list[float]) -> str:
    held = f"{found.coverage:9.1%}" if found.coverage is not None else f"{'–':>9}"
    weighted = f"{float(np.mean(operations)):11.1%}" if operations else f"{'–':>11}"
    return f"{name:16} {found.mean:7.1%} {found.median:7.1%} {found.p90:7.1%} {found.bias:+7.1%} {held} {weighted}"


def _repeat(row: Row) -> str:
    return f"{row.rounds_ns[1] / row.rounds_ns[0] - 1:+.1%}" if len(row.rounds_ns) > 1 else "–"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument(
        "--truths", type=Path, required=True, help="folder of what was measured, outside of the repository"
    )
    parser.add_argument("--seconds", type=float, default=420.0)
    parser.add_argument("--each", type=float, default=_EACH_S, help="seconds of measuring for each workload")
    parser.add_argument("--round", type=int, choices=ROUNDS, default=1)
    parser.add_argument("--only", default="", help="workloads whose name has this")
    parser.add_argument("--report", action="store_true")
    chosen = parser.parse_args()
    chosen.truths.mkdir(parents=True, exist_ok=True)
    if chosen.report:
        report(chosen.truths)
    else:
        measure_missing(chosen.truths, chosen.round, chosen.seconds, chosen.each, chosen.only)


if __name__ == "__main__":
    main()
