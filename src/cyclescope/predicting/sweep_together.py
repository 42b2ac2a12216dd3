"""Points of a sweep together: the analytic model in columns, and what each point holds in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from cyclescope.core.graph.family import GraphFamily, fit
from cyclescope.core.statistics import Estimate, scenario_estimate
from cyclescope.core.units import BoolArray, IntArray
from cyclescope.predicting.analytic import AnalyticModel
from cyclescope.predicting.fast import FastFamily, NotAlike, Times
from cyclescope.predicting.needed import require_figures
from cyclescope.predicting.peaks import NO_LIMIT, Peaks
from cyclescope.predicting.predict import chosen, plan_of, weighed
from cyclescope.predicting.scenarios import whole_cycles
from cyclescope.predicting.settings import Settings
from cyclescope.predicting.sweep_rows import Limit, SweepRow
from cyclescope.predicting.sweep_variant import Variant
from cyclescope.predicting.timing_model import Durations
from cyclescope.tracing.families import Families

_AXES = {"batch": "batch", "tokens": "tokens", "cache_length": "cache"}


@dataclass(frozen=True, eq=False)
class Ready:
    """Families that were made ready for points: what differs in threads only has the same."""

    fast: dict[tuple[object, ...], FastFamily] = field(default_factory=dict)
    weighed: dict[tuple[int, object], tuple[GraphFamily, Peaks]] = field(default_factory=dict)

    def family(self, piece: GraphFamily, settings: Settings) -> tuple[GraphFamily, Peaks]:
        """`piece` with its weights as `settings` have them, and what it holds."""
        key = (id(piece), settings.name("weights", None))
        if key not in self.weighed:
            family = _weighed(piece, settings)
            self.weighed[key] = family, Peaks.of(family)
        return self.weighed[key]

    def points(self, family: GraphFamily, points: IntArray, *, caches: bool) -> FastFamily:
        """`family` made ready for `points`. Raises `NotAlike`."""
        key = (id(family), points.tobytes(), caches)
        if key not in self.fast:
            self.fast[key] = FastFamily.of(family, points, caches=caches)
        return self.fast[key]


def together(variant: Variant, model_kind: str, families: Families | None, ready: Ready) -> list[SweepRow] | None:
    """The rows of all points of `variant`; None where they must be predicted one by one: no rule holds for their graphs, or
    another model than the analytic one predicts.
    """
    if families is None:
        return None
    points = np.stack([variant.sizes[_AXES[axis]] for axis in families.axes], axis=1)
    plan, machine = plan_of(variant.request, variant.outline, variant.found), variant.found.ceilings
    first = weighed(families.at(tuple(points[0].tolist())), variant.settings)
    said = chosen(first, plan, machine, model_kind)
    if not isinstance(said.model, AnalyticModel):  # that of an engine that fuses has another arithmetic
        return None
    columns = np.zeros((3, len(points)))
    needed = np.zeros(len(points), dtype=np.int64)
    peaks = []
    for piece in families.pieces:
        family, held = ready.family(piece, variant.settings)
        peaks.append(held)
        at = np.flatnonzero(_holds(piece, points))
        if not len(at):
            continue
        for end in (points[at].min(axis=0), points[at].max(axis=0)):
            require_figures(family.at(tuple(end.tolist())), machine)
        try:
            fast = ready.points(family, points[at], caches=len(machine.levels(plan.threads)) > 1)
        except NotAlike:
            return None
        found = fast.times(plan, machine, variant.factors.at(at))
        columns[:, at] = found.total_ns, found.compute_ns, found.memory_ns
        needed[at] = held.needed(points[at])
    most = _most_sequences(peaks, points, variant.memory_bytes)
    return _rows(variant, Times(*columns), said.durations, needed, most)


def _holds(piece: GraphFamily, points: IntArray, but: int | None = None) -> BoolArray:
    """Which of `points` [points, axes] lie in `piece`, whatever they are along the axis `but`."""
    inside = np.ones(len(points), dtype=bool)
    for axis, (low, high) in enumerate(zip(piece.low, piece.high, strict=True)):
        if axis != but:
            inside &= (points[:, axis] >= low) & (points[:, axis] <= high)
    return inside


def _most_sequences(peaks: Sequence[Peaks], points: IntArray, has: IntArray) -> IntArray:
    """The largest batch that fits into `has` [points] bytes at the lengths of each point; `NO_LIMIT` where that is unknown.

    A batch above all of the families is like the largest of them.
    """
    found = np.full(len(points), NO_LIMIT, dtype=np.int64)
    if not has.any():
        return found
    axis = peaks[0].family.axes.index("batch")
    least = min(each.family.low[axis] for each in peaks)
    open_ = np.ones(len(points), dtype=bool)
    for each in sorted(peaks, key=lambda peak: -peak.family.low[axis]):
        at = np.flatnonzero(open_ & _holds(each.family, points, axis))
        if not len(at):
            continue
        if not len(each.held):
            open_[at] = False
            continue
        fits = each.most_sequences(points[at], has[at])
        low = each.family.low[axis]
        done = (fits == NO_LIMIT) | (fits >= low) | (low == least)
        found[at[done]] = np.where(fits[done] == NO_LIMIT, NO_LIMIT, np.where(fits[done] >= low, fits[done], 0))
        open_[at[done]] = False
    return found


def _weighed(family: GraphFamily, settings: Settings) -> GraphFamily:
    """`family` with its weights in the dtype that `settings` name, if they do."""
    if settings.name("weights", None) is None:
        return family
    nodes = {point: weighed(graph, settings) for point, graph in family.nodes}
    return fit(family.axes, family.low, family.high, nodes)


def _rows(variant: Variant, times: Times, said: Durations, needed: IntArray, most: IntArray) -> list[SweepRow]:
    """The rows of a model that has `said` so of one of the points, with the same errors for all."""
    unit = scenario_estimate(whole_cycles(said))  # of a cycle that the model says takes a nanosecond
    total = np.maximum(np.maximum(times.total_ns, times.compute_ns + times.memory_ns), 1e-9)
    compute, memory = times.compute_ns / total, times.memory_ns / total
    batch, has = variant.sizes["batch"], variant.memory_bytes
    columns = zip(
        variant.points, times.total_ns.tolist(), compute.tolist(), memory.tolist(), batch.tolist(), variant.tokens.tolist(),
        needed.tolist(), has.tolist(), most.tolist(), strict=True,
    )  # fmt: skip
    return [
        SweepRow(
            point,
            Estimate(round(ns * unit.value_ns), round(ns * unit.low_ns), round(ns * unit.high_ns), unit.n),
            sequences,
            tokens,
            ((Limit.COMPUTE, c), (Limit.MEMORY, m), (Limit.OVERHEAD, max(0.0, 1.0 - c - m))),
            need,
            need <= size if size and need else None,
            fitting if fitting != NO_LIMIT else None,
            said.widening,
            said.outside,
        )
        for point, ns, c, m, sequences, tokens, need, size, fitting in columns
    ]
