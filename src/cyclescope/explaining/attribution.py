"""Books the time of the stamped runs: every slot to an operation or to Python, less what the stamps cost."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from cyclescope.core.cycle import Cycle
from cyclescope.core.graph import Graph
from cyclescope.core.statistics import Estimate, median_ranks
from cyclescope.core.units import FloatArray, IntArray


@dataclass(frozen=True, eq=False)
class Attribution:
    """Time of every slot in every stamped run, and the average that adds up.

    `runs_ns` [runs, slots] is corrected for the stamps; `typical` [kept] are the runs whose total lies in the middle
    half; `slot_ns` [slots] is the mean over those. A mean is additive where a median is not: the sum of `slot_ns` is
    the mean total, and the middle half keeps out the runs that something else disturbed.
    """

    graph: Graph
    runs_ns: FloatArray
    typical: IntArray
    stamp_cost_ns: FloatArray

    @cached_property
    def slot_ns(self) -> FloatArray:
        if not len(self.typical):
            return np.zeros(self.runs_ns.shape[1])
        # A slot shorter than the cost of a stamp would turn negative; no time is less than none.
        means: FloatArray = np.maximum(self.runs_ns[self.typical].mean(axis=0), 0.0)
        return means

    @property
    def total_ns(self) -> float:
        return float(self.slot_ns.sum())

    def estimates(self, group: IntArray, groups: int) -> list[Estimate]:
        """Estimate of each group of slots; `group` [slots] says which (−1: none).

        The value adds up over groups; the interval is that of the median over all runs, widened to hold the value.
        """
        chosen = group >= 0
        values = np.bincount(group[chosen], weights=self.slot_ns[chosen], minlength=groups)
        runs = len(self.runs_ns)
        if not runs:
            return [Estimate(0.0, 0.0, 0.0, 0)] * groups
        order = np.argsort(group[chosen], kind="stable")
        sorted_groups = group[chosen][order]
        present, starts = np.unique(sorted_groups, return_index=True)
        sums = np.zeros((runs, groups))
        if len(starts):
            sums[:, present] = np.add.reduceat(self.runs_ns[:, chosen][:, order], starts, axis=1)
        ordered = np.sort(sums, axis=0)
        low, high = median_ranks(runs)
        lows = np.clip(np.minimum(ordered[low], values), 0.0, None)
        highs = np.maximum(ordered[high], values)
        return [Estimate(float(v), float(lo), float(hi), runs) for v, lo, hi in zip(values, lows, highs, strict=True)]


def attribute(cycle: Cycle) -> Attribution:
    """Book the light pass of `cycle`. With no light pass (interrupted) every slot has no time."""
    slots = cycle.graph.slots
    light = cycle.samples.light
    instrumentation = cycle.samples.instrumentation
    cost = (
        slots.stamp_cost_ns(instrumentation.inside_ns, instrumentation.outside_ns)
        if instrumentation
        else np.zeros(len(slots))
    )
    if not len(light):
        return Attribution(cycle.graph, np.zeros((0, len(slots))), np.zeros(0, dtype=np.int64), cost)
    runs = np.diff(light.boundaries_ns, axis=1) - cost
    return Attribution(cycle.graph, runs, middle_half(light.wall_ns), cost)


def middle_half(totals: IntArray) -> IntArray:
    """Indices of the samples between the first and the third quartile, at least one, in their order."""
    n = len(totals)
    order = np.argsort(totals, kind="stable")
    cut = n // 4
    kept: IntArray = np.sort(order[cut : n - cut])
    return kept
