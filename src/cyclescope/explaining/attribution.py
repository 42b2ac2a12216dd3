"""Books the time of the instrumented runs: every slot to an operation or to Python, less what the stamps cost."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from cyclescope.core.cycle import Cycle, Source
from cyclescope.core.graph.columns import Rows
from cyclescope.core.graph.graph import Graph
from cyclescope.core.statistics import Estimate, median_ranks, scenario_quantiles
from cyclescope.core.units import BoolArray, FloatArray, IntArray


@dataclass(frozen=True, eq=False, repr=False)
class Estimates(Rows[Estimate]):
    """Estimates in columns [groups], in nanoseconds, all of `n` samples."""

    values_ns: FloatArray
    lows_ns: FloatArray
    highs_ns: FloatArray
    n: int

    def __len__(self) -> int:
        return len(self.values_ns)

    def row(self, index: int) -> Estimate:
        return Estimate(float(self.values_ns[index]), float(self.lows_ns[index]), float(self.highs_ns[index]), self.n)


@dataclass(frozen=True, eq=False)
class Attribution:
    """Time of every slot in every instrumented run, and the average that adds up.

    `runs_ns` [runs, slots] is corrected for the stamps; `typical` [kept] are the runs whose total lies in the middle
    half; `slot_ns` [slots] is the mean over those. A mean is additive where a median is not: the sum of `slot_ns` is
    the mean total, and the middle half keeps out the runs that something else disturbed. `native` [slots] are those
    between operations that are neither an operation nor Python, but native code that was not traced.

    Of an imported cycle typical is the run of median length. Of a predicted cycle the runs are `scenarios`: typical is the one of median length, which is the prediction itself, and
    intervals are quantiles of all.
    """

    graph: Graph
    runs_ns: FloatArray
    typical: IntArray
    stamp_cost_ns: FloatArray
    native: BoolArray
    scenarios: bool = False

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

    def estimates(self, group: IntArray, groups: int) -> Estimates:
        """Estimate of each group of slots; `group` [slots] says which (−1: none).

        The value adds up over groups; the interval is that of the median over all runs, or the quantiles of scenarios,
        widened to hold the value.
        """
        chosen = np.flatnonzero(group >= 0)
        chosen = chosen[np.argsort(group[chosen], kind="stable")]
        mine = group[chosen]
        values = np.bincount(mine, weights=self.slot_ns[chosen], minlength=groups).astype(np.float64)
        runs = len(self.runs_ns)
        if not runs:
            none = np.zeros(groups)
            return Estimates(none, none, none, 0)
        sums = np.zeros((runs, groups))
        if len(chosen):
            starts = np.flatnonzero(np.append(True, mine[1:] != mine[:-1]))
            sums[:, mine[starts]] = np.add.reduceat(self.runs_ns[:, chosen], starts, axis=1)
        if self.scenarios:
            low_sums, high_sums = scenario_quantiles(sums)
        else:
            sums.sort(axis=0)
            low, high = median_ranks(runs)
            low_sums, high_sums = sums[low], sums[high]
        lows = np.clip(np.minimum(low_sums, values), 0.0, None)
        return Estimates(values, lows, np.maximum(high_sums, values), runs)


def attribute(cycle: Cycle) -> Attribution:
    """Book the instrumented runs of `cycle`. With no instrumented run (interrupted) every slot has no time."""
    slots = cycle.graph.slots
    instrumented = cycle.samples.instrumented
    instrumentation = cycle.samples.instrumentation
    cost = (
        slots.stamp_cost_ns(instrumentation.inside_ns, instrumentation.outside_ns)
        if instrumentation
        else np.zeros(len(slots))
    )
    native = np.zeros(len(slots), dtype=bool)
    if instrumentation is not None:
        native[[slot for slot in instrumentation.native if slot < len(slots) and slots.op[slot] < 0]] = True
    if not len(instrumented):
        return Attribution(cycle.graph, np.zeros((0, len(slots))), np.zeros(0, dtype=np.int64), cost, native)
    if cycle.source is Source.PREDICTED:
        rows = np.diff(instrumented.boundaries_ns, axis=1).astype(np.float64)
        return Attribution(cycle.graph, rows, middle_one(instrumented.wall_ns), cost, native, scenarios=True)
    if cycle.source is Source.IMPORTED:
        # One recorded step stands for all, so that its parts add up to it; a mean of few that differ would be none of them.
        rows = np.diff(instrumented.boundaries_ns, axis=1).astype(np.float64)
        return Attribution(cycle.graph, rows, middle_one(instrumented.wall_ns), cost, native)
    runs = np.diff(instrumented.boundaries_ns, axis=1) - cost
    return Attribution(cycle.graph, runs, middle_half(instrumented.wall_ns), cost, native)


def middle_one(totals: IntArray) -> IntArray:
    """Index of the sample of median length [1]."""
    order = np.argsort(totals, kind="stable")
    return order[len(totals) // 2 : len(totals) // 2 + 1]


def middle_half(totals: IntArray) -> IntArray:
    """Indices of the samples between the first and the third quartile, at least one, in their order."""
    n = len(totals)
    order = np.argsort(totals, kind="stable")
    cut = n // 4
    kept: IntArray = np.sort(order[cut : n - cut])
    return kept
