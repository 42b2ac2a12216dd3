"""Parallelism that was reached: processor time ÷ wall time, of instrumented runs that read both clocks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cyclescope.core.cycle import Cycle
from cyclescope.core.units import FloatArray, IntArray
from cyclescope.explaining.attribution import middle_half

_UNDISTURBED = 1.25  # the most by which the runs may differ from the uninstrumented ones


@dataclass(frozen=True, eq=False)
class Parallelism:
    """Processor and wall time of each operation [n], means over the middle half of the runs, less what a stamp takes.

    `python_cores` is processor time ÷ wall time between operations: above 1 it is threads that burn time waiting.
    `op_shares` are NaN where an operation is shorter than the stamp around it.
    """

    processor_ns: FloatArray
    wall_ns: FloatArray
    python_cores: float
    stamp_ns: float

    @property
    def op_shares(self) -> FloatArray:
        """Processor time ÷ wall time of each operation [n]."""
        known = self.wall_ns > self.stamp_ns
        shares: FloatArray = np.divide(self.processor_ns, self.wall_ns, out=np.full(len(known), np.nan), where=known)
        return shares

    def shares(self, group: IntArray, groups: int) -> list[float | None]:
        """The same of each group of operations; `group` [n] says which (−1: none). None where one took no time."""
        chosen = group >= 0
        processor, wall = (
            np.bincount(group[chosen], weights=column[chosen], minlength=groups).tolist()
            for column in (self.processor_ns, self.wall_ns)
        )
        return [busy / taken if taken > 0 else None for busy, taken in zip(processor, wall, strict=True)]


def measured_parallelism(cycle: Cycle) -> Parallelism | None:
    """What the processor pass of `cycle` tells; None where there was none, or where its runs took another time than the
    uninstrumented ones: something else had a core in that time.
    """
    samples, uninstrumented = cycle.samples.processor, cycle.samples.uninstrumented
    if samples is None or not len(samples) or not len(uninstrumented):
        return None
    graph, slots = cycle.graph, cycle.graph.slots
    walls = samples.wall_boundaries_ns
    totals = walls[:, -1] - walls[:, 0]
    factor = (float(np.median(totals)) - samples.stamp_ns * len(slots)) / max(
        float(np.median(uninstrumented.wall_ns)), 1.0
    )
    if not 1 / _UNDISTURBED <= factor <= _UNDISTURBED:
        return None
    typical = middle_half(totals)
    wall, processor = (np.diff(column[typical], axis=1).mean(axis=0) for column in (walls, samples.boundaries_ns))
    inside = slots.op >= 0
    between = float(wall[~inside].sum())
    python_cores = float(processor[~inside].sum()) / between if between > 0 else 1.0
    # Every slot lies between two stamps, and holds the second half of one and the first half of the other. While a
    # stamp is taken, threads that burn time waiting go on doing so, just as while Python runs.
    wall = np.maximum(wall - samples.stamp_ns, 0.0)
    processor = np.maximum(processor - samples.stamp_ns * python_cores, 0.0)
    n = len(graph)
    return Parallelism(
        processor_ns=np.bincount(slots.op[inside], weights=processor[inside], minlength=n).astype(np.float64),
        wall_ns=np.bincount(slots.op[inside], weights=wall[inside], minlength=n).astype(np.float64),
        python_cores=python_cores,
        stamp_ns=samples.stamp_ns,
    )
