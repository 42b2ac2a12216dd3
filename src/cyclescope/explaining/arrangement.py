"""The temporal arrangement of a cycle: what must wait for what, and how much could run side by side."""

from __future__ import annotations

from dataclasses import dataclass

from cyclescope.core.units import FloatArray, IntArray


@dataclass(frozen=True, slots=True)
class Part:
    """Work and span of the operations of one stage, or of one layer of it, taken by themselves.

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

    No schedule is shorter than max(span, work ÷ workers); this one is at most work ÷ workers + span (Graham, 1969).
    """

    workers: int
    makespan_ns: float


@dataclass(frozen=True, eq=False)
class Arrangement:
    """Columns have one row an operation [n], times in nanoseconds, Python between operations left out.

    `path` [p] is the critical path, in order: a longest chain of operations that wait for each other. `slack_ns` [n] is
    how much later each operation could end without delaying the last one (0 on the path). `processor_share` [n] is
    processor time ÷ wall time of each operation (NaN where unknown), None where it was not measured.
    """

    work_ns: float
    span_ns: float
    path: IntArray
    slack_ns: FloatArray
    stages: tuple[Part, ...]
    layers: tuple[Part, ...]
    schedules: tuple[Schedule, ...]
    processor_share: FloatArray | None = None

    @property
    def parallelism(self) -> float:
        """Available parallelism: work ÷ span."""
        return self.work_ns / self.span_ns if self.span_ns else 1.0
