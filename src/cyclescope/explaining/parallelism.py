"""Parallelism that was reached: processor time ÷ wall time, of stamped runs that read both clocks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cyclescope.core.graph import Graph
from cyclescope.core.samples import ProcessorSamples
from cyclescope.core.units import FloatArray, IntArray
from cyclescope.explaining.attribution import middle_half


@dataclass(frozen=True, eq=False)
class Reached:
    """Processor and wall time of each operation [n] and of Python between them, means over the middle half of the runs.

    What a stamp takes is off both. `op_shares` are NaN where an operation is shorter than the stamp around it.
    """

    processor_ns: FloatArray
    wall_ns: FloatArray
    python_share: float
    stamp_ns: float

    @property
    def op_shares(self) -> FloatArray:
        """Processor time ÷ wall time of each operation [n]."""
        known = self.wall_ns > self.stamp_ns
        return np.divide(self.processor_ns, self.wall_ns, out=np.full(len(known), np.nan), where=known)

    def shares(self, group: IntArray, groups: int) -> list[float | None]:
        """The same of each group of operations; `group` [n] says which (−1: none). None where one took no time."""
        chosen = group >= 0
        processor, wall = (
            np.bincount(group[chosen], weights=column[chosen], minlength=groups).tolist()
            for column in (self.processor_ns, self.wall_ns)
        )
        return [busy / taken if taken > 0 else None for busy, taken in zip(processor, wall, strict=True)]


def reached(graph: Graph, samples: ProcessorSamples | None) -> Reached | None:
    """What `samples` tell about `graph`; None where nobody measured it."""
    if samples is None or not len(samples):
        return None
    slots = graph.slots
    walls = samples.wall_boundaries_ns
    typical = middle_half(walls[:, -1] - walls[:, 0])
    # Every slot lies between two stamps, and holds the second half of one and the first half of the other.
    wall, processor = (
        np.maximum(np.diff(column[typical], axis=1).mean(axis=0) - samples.stamp_ns, 0.0)
        for column in (walls, samples.boundaries_ns)
    )
    inside = slots.op >= 0
    n = len(graph)
    outside_wall = float(wall[~inside].sum())
    return Reached(
        processor_ns=np.bincount(slots.op[inside], weights=processor[inside], minlength=n),
        wall_ns=np.bincount(slots.op[inside], weights=wall[inside], minlength=n),
        python_share=float(processor[~inside].sum()) / outside_wall if outside_wall > 0 else 1.0,
        stamp_ns=samples.stamp_ns,
    )
