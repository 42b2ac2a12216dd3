"""The temporal arrangement of a cycle: what must wait for what, and how much could run side by side.

Between its operations an eager engine runs Python, one line after the other. That time is left out of work, span and
schedules, which are about the operations alone; `reachable` puts it back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from cyclescope.core.cycle import Cycle
from cyclescope.core.graph.columns import in_order_of_appearance
from cyclescope.core.units import BoolArray, FloatArray, IntArray
from cyclescope.explaining.attribution import Attribution
from cyclescope.explaining.critical_path import longest, spans, tails
from cyclescope.explaining.parallelism import Parallelism, measured_parallelism
from cyclescope.explaining.path_summary import PathRepetition, fold
from cyclescope.explaining.places import Place
from cyclescope.explaining.schedule import makespan

Key: TypeAlias = tuple[str, int | None]

WORKERS = (2, 4, 8)  # and as many as the machine has cores


@dataclass(frozen=True, slots=True)
class WorkPart:
    """Work and span of the operations of one stage, or of one layer of it, taken by themselves; of a generation the sum
    over its steps, which follow each other.

    `parallelism` = work ÷ span: how many workers it could keep busy. `processor_share` = processor time ÷ wall time of
    its operations, the parallelism that was reached (inside operations: threads); None where it was not measured.
    """

    stage: str
    layer: int | None
    work_ns: float
    span_ns: float
    processor_share: float | None

    @property
    def parallelism(self) -> float:
        return self.work_ns / self.span_ns if self.span_ns else 1.0


@dataclass(frozen=True, slots=True)
class Schedule:
    """The cycle's operations on `workers` workers, in the best order that list scheduling finds.

    A worker runs an operation as quickly as the cycle did, so with as many threads. No schedule is shorter than
    max(span, work ÷ workers); this one is at most work ÷ workers + span (Graham, 1969).
    """

    workers: int
    makespan_ns: float


@dataclass(frozen=True, eq=False)
class Arrangement:
    """Columns have one row an operation [n], times in nanoseconds, Python between operations left out.

    `path` [p] is the critical path, in order: a longest chain of operations that wait for each other; `chain` is the
    same, folded. `slack_ns` [n] is how much later each operation could end without delaying the last one (0 on the
    path). `python_ns` is the time between operations, in which nothing runs beside Python. `threads` is the number of
    threads inside an operation during the cycle. `processor_share` [n] is processor time ÷ wall time of each operation
    (NaN where unknown), None where it was not measured; `busy_cores` is that of all operations together and
    `python_cores` that of Python between them: above 1 it is threads that burn processor time while they wait for work.
    `on_device`: all times are a device's, and what lies between its operations is waiting for launches.
    """

    work_ns: float
    span_ns: float
    path: IntArray
    slack_ns: FloatArray
    stages: tuple[WorkPart, ...]
    layers: tuple[WorkPart, ...]
    schedules: tuple[Schedule, ...]
    processor_share: FloatArray | None = None
    chain: tuple[PathRepetition, ...] = ()
    python_ns: float = 0.0
    threads: int = 0
    busy_cores: float | None = None
    python_cores: float | None = None
    on_device: bool = False

    @property
    def parallelism(self) -> float:
        """Available parallelism: work ÷ span."""
        return self.work_ns / self.span_ns if self.span_ns else 1.0

    def reachable(self, makespan_ns: float) -> float:
        """How many times as fast the cycle could be where operations take `makespan_ns` and Python stays serial (Amdahl,
        1967): (Python + work) ÷ (Python + makespan).
        """
        after = self.python_ns + makespan_ns
        return (self.python_ns + self.work_ns) / after if after else 1.0


def arrange(
    cycle: Cycle, attribution: Attribution, places: Sequence[Place], *, on_device: bool = False
) -> Arrangement | None:
    """The arrangement of `cycle`; None where no operation was timed. `places` [n] as in `path_summary.fold`. `on_device`: the
    times of `attribution` are those of a device, which no threads of the host work on.
    """
    graph, slots = cycle.graph, cycle.graph.slots
    inside = slots.op >= 0
    booked = np.bincount(slots.op[inside], weights=attribution.slot_ns[inside], minlength=len(graph))
    op_ns = booked.astype(np.float64)
    work = float(op_ns.sum())
    if not work:
        return None
    edges = graph.dependencies
    forward = longest(op_ns, edges.source, edges.target)
    path = forward.path()
    rest = tails(op_ns, edges.source, edges.target)
    span = forward.span_ns
    slack = np.maximum(span - forward.end_ns - rest, 0.0)
    slack[path] = 0.0  # sums in another order differ in their last digit
    busy = measured_parallelism(cycle)
    stage, no_layer = graph.op_stage, np.full(len(graph), -1, dtype=np.int64)

    def parts(layer: IntArray, chosen: BoolArray) -> tuple[WorkPart, ...]:
        depth = int(layer.max(initial=-1)) + 2
        group, present = in_order_of_appearance(np.where(chosen, stage.numbers * depth + layer + 1, -1))
        keys = [(stage.names[key // depth], key % depth - 1) for key in present.tolist()]
        homes = [(name, None if number < 0 else number) for name, number in keys]
        return _parts(homes, group, slots.step[inside], op_ns, edges.source, edges.target, busy)

    workers = sorted({*WORKERS, cycle.machine.cores} - {0, 1})
    schedules = (
        Schedule(p, makespan(op_ns, edges.source, edges.target, rest + op_ns, forward.end_ns, p)) for p in workers
    )
    return Arrangement(
        work_ns=work,
        span_ns=span,
        path=path,
        slack_ns=slack,
        stages=parts(no_layer, np.ones(len(graph), dtype=bool)),
        layers=parts(graph.op_layer, graph.op_layer >= 0),
        schedules=tuple(schedules),
        processor_share=busy.op_shares if busy else None,
        chain=fold(path, graph, places, op_ns),
        python_ns=float(attribution.slot_ns[~inside].sum()),
        threads=0 if on_device else cycle.plan.threads,
        on_device=on_device,
        busy_cores=busy.shares(np.zeros(len(graph), dtype=np.int64), 1)[0] if busy else None,
        python_cores=busy.python_cores if busy else None,
    )


def _parts(
    keys: Sequence[Key],
    group: IntArray,
    step: IntArray,
    op_ns: FloatArray,
    source: IntArray,
    target: IntArray,
    busy: Parallelism | None,
) -> tuple[WorkPart, ...]:
    """One part for each (stage, layer) of `keys`; `group` [n] says which part each operation is in (−1: none), and `step`
    [n] the step of a generation that it belongs to (−1: none).
    """
    parts = len(keys)
    # One token needs the one before: what lies in two steps of a generation never runs side by side.
    last = int(step.max(initial=-1)) + 2
    in_step = np.where(group >= 0, group * last + step + 1, -1)
    longest_in = spans(op_ns, source, target, in_step, parts * last).reshape(-1, last).sum(axis=1)
    work = np.bincount(group[group >= 0], weights=op_ns[group >= 0], minlength=parts)
    shares = busy.shares(group, parts) if busy else [None] * parts
    return tuple(
        WorkPart(stage, layer, float(work[k]), float(longest_in[k]), shares[k]) for k, (stage, layer) in enumerate(keys)
    )
