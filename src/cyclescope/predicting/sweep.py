"""Predictions over a grid of settings, and how many sequences the memory of the machine holds at each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

import numpy as np

from cyclescope.backends.base import Request
from cyclescope.backends.request_checks import check
from cyclescope.core.cycle import Cycle
from cyclescope.core.errors import CyclescopeError, Unsupported
from cyclescope.core.graph.graph import Graph
from cyclescope.core.graph.op import OpKind
from cyclescope.core.message import Text
from cyclescope.core.progress import Notify, silent
from cyclescope.core.statistics import Estimate, scenario_estimate
from cyclescope.core.units import NS_PER_S
from cyclescope.explaining.lower_bounds import find_lower_bounds
from cyclescope.explaining.memory import memory
from cyclescope.predicting.models import AUTO
from cyclescope.predicting.predict import (
    changed_target,
    outlined,
    plan_of,
    predict_graph,
    requested,
    weighed,
    workload_of,
)
from cyclescope.predicting.settings import Setting, Settings, grid
from cyclescope.predicting.target import Target
from cyclescope.tracing.families import Families, families_of
from cyclescope.tracing.structures import structure_of

_FEW_SHAPES = 3  # so many are traced one by one: a family needs as many traces itself
_BATCHES = (1, 2, 3)  # what a sequence holds shows between two of these, and the third says whether it always does


class Limit(StrEnum):
    """What most of a predicted cycle is limited by."""

    COMPUTE = "compute"
    MEMORY = "memory"
    OVERHEAD = "overhead"


@dataclass(frozen=True, slots=True)
class SweepRow:
    """One point: `wall` with its interval (none where nothing is known of the model's error), `sequences` and `tokens` that
    go through in that time, `shares` of the time by limit, the bytes that it needs and whether the machine has them
    (None: unknown), and `most_sequences`, the largest batch that would fit at these lengths (None: unknown).
    """

    settings: tuple[Setting, ...]
    wall: Estimate
    batch: int
    tokens: int
    shares: tuple[tuple[Limit, float], ...]
    needed_bytes: int
    fits: bool | None
    most_sequences: int | None

    @property
    def limit(self) -> Limit:
        """What most of the time is limited by."""
        return max(self.shares, key=lambda share: share[1])[0]

    @property
    def tokens_per_s(self) -> float:
        return self.tokens * NS_PER_S / self.wall.value_ns if self.wall.value_ns else 0.0


@dataclass(frozen=True, eq=False)
class Sweep:
    """All points of a grid. `names` are what was swept, `fixed` what was changed for all; `step`: each is one decode step."""

    model: str
    machine: str
    memory_bytes: int
    timing_model: str
    names: tuple[str, ...]
    fixed: tuple[Setting, ...]
    step: bool
    rows: tuple[SweepRow, ...]
    mean_error: float | None = None
    notes: tuple[Text, ...] = ()

    @property
    def turns(self) -> tuple[SweepRow, ...]:
        """The rows that are limited by compute where the row before, of the same first setting, was limited by memory."""
        return tuple(
            after
            for before, after in zip(self.rows, self.rows[1:], strict=False)
            if before.limit is Limit.MEMORY
            and after.limit is Limit.COMPUTE
            and (len(self.names) < 2 or before.settings[0] == after.settings[0])
        )


def sweep(
    request: Request,
    found: Target,
    sweeps: Sequence[Sequence[Setting]],
    settings: Settings = Settings(),  # noqa: B008  frozen
    model_kind: str = AUTO,
    progress: Notify = silent,
) -> Sweep:
    """Predict `request` on the machine `found` for every combination of `sweeps`, with `settings` for all of them.

    Each row is what `predict` gives for that point. Raises like `predict`.
    """
    points = grid(sweeps)
    changed = [settings.joined(point) for point in points]
    requests = [requested(request, each) for each in changed]
    for asked in requests:
        check(asked)
    outlines, requests = map(list, zip(*map(outlined, requests), strict=True))
    graphs = _Graphs.of(requests)
    rows: list[SweepRow] = []
    cycle: Cycle | None = None
    for k, (point, each, asked, outline) in enumerate(zip(points, changed, requests, outlines, strict=True)):
        progress("predict", k / len(points))
        there = changed_target(found, each)
        graph = weighed(graphs.graph(asked), each)
        cycle = predict_graph(graph, workload_of(asked, outline), plan_of(asked, outline, there), there, model_kind)
        rows.append(_row(cycle, point, graphs.most_sequences(asked, each, there.machine.memory_bytes)))
    assert cycle is not None
    assert cycle.samples.prediction is not None
    return Sweep(
        model=str(request.model),
        machine=found.machine.processor,
        memory_bytes=found.machine.memory_bytes,
        timing_model=cycle.samples.prediction.timing_model,
        names=tuple(each[0].name for each in sweeps),
        fixed=settings.changes,
        step=requests[0].cache_length is not None,
        rows=tuple(rows),
        mean_error=cycle.samples.prediction.mean_error,
        notes=cycle.notes,
    )


def _row(cycle: Cycle, point: tuple[Setting, ...], most: int | None) -> SweepRow:
    workload, has = cycle.workload, cycle.machine.memory_bytes
    needed = needed_bytes(cycle.graph)
    return SweepRow(
        settings=point,
        wall=scenario_estimate(cycle.samples.uninstrumented.wall_ns),
        batch=workload.batch,
        tokens=_tokens(cycle),
        shares=_shares(cycle),
        needed_bytes=needed,
        fits=needed <= has if has and needed else None,
        most_sequences=most,
    )


def _tokens(cycle: Cycle) -> int:
    """The tokens that a cycle is for: those that it writes, where it writes any, else those that it reads."""
    workload = cycle.workload
    if cycle.graph.cache_length is not None:
        return workload.batch
    return workload.batch * workload.tokens_out or workload.real_tokens


def needed_bytes(graph: Graph) -> int:
    """What a cycle of `graph` holds at its peak; 0 where that is unknown."""
    held = memory(graph)
    return int(held.computed.peak) if held is not None else 0


def _shares(cycle: Cycle) -> tuple[tuple[Limit, float], ...]:
    """The time of a predicted cycle by what it is limited by: products, memory, and all that the engine takes."""
    assert cycle.machine.ceilings is not None
    on_cpu = cycle.plan.device == "cpu"
    bounds = find_lower_bounds(cycle.graph, cycle.machine.ceilings, cycle.plan.threads if on_cpu else 0)
    known = ~cycle.graph.of_kind(OpKind.TEXT)
    by_compute = bounds.compute_ns >= bounds.memory_ns
    compute = float(bounds.compute_ns[known & by_compute].sum())
    moved = float(bounds.memory_ns[known & ~by_compute].sum())
    total = max(float(np.median(cycle.samples.uninstrumented.wall_ns)), compute + moved, 1.0)
    rest = total - compute - moved
    return (Limit.COMPUTE, compute / total), (Limit.MEMORY, moved / total), (Limit.OVERHEAD, rest / total)


@dataclass
class _Graphs:
    """The graphs of a grid: by rule where there are many shapes, else each traced."""

    families: dict[Request, Families] = field(default_factory=dict)
    limits: dict[tuple[Request, int, str], int | None] = field(default_factory=dict)

    @staticmethod
    def of(requests: Sequence[Request]) -> _Graphs:
        graphs = _Graphs()
        alike: dict[Request, list[Request]] = {}
        for each in requests:
            alike.setdefault(_shapeless(each), []).append(each)
        for shapeless, group in alike.items():
            ranges = _ranges(group)
            shapes = {(each.batch, each.tokens, each.cache_length) for each in group}
            if len(shapes) > _FEW_SHAPES:
                try:
                    graphs.families[shapeless] = families_of(group[0], ranges)
                except Unsupported:  # no rule: each shape is traced
                    continue
        return graphs

    def graph(self, request: Request) -> Graph:
        """The graph of one point."""
        families = self.families.get(_shapeless(request))
        if families is not None:
            point = tuple(_shape(request, axis) for axis in families.axes)
            if all(size is not None for size in point):
                try:
                    return families.at(tuple(int(size or 0) for size in point))
                except ValueError:  # outside of what was traced
                    pass
        return structure_of(request)

    def most_sequences(self, request: Request, settings: Settings, has: int) -> int | None:
        """The largest batch whose weights, cache and activations fit into `has` bytes."""
        if not has:
            return None
        key = (replace(request, batch=None, threads=None), has, str(settings.name("weights", "")))
        if key not in self.limits:
            self.limits[key] = self._most(request, settings, has)
        return self.limits[key]

    def _most(self, request: Request, settings: Settings, has: int) -> int | None:
        try:
            held = [needed_bytes(weighed(self.graph(replace(request, batch=batch)), settings)) for batch in _BATCHES]
        except CyclescopeError:  # a model that takes no batch of three is still predicted
            return None
        each = held[1] - held[0]
        if not all(held) or each <= 0 or held[2] - held[1] != each:
            return None
        return max(0, (has - (held[0] - each)) // each)


def _shape(request: Request, axis: str) -> int | None:
    return {"batch": request.batch or 1, "tokens": request.tokens, "cache_length": request.cache_length}[axis]


def _shapeless(request: Request) -> Request:
    return replace(request, batch=None, tokens=None, cache_length=None, threads=None)


def _ranges(requests: Sequence[Request]) -> dict[str, tuple[int, int]]:
    """The least and the most of each axis, with the batches that tell what a sequence holds."""
    found = {"batch": [*(each.batch or 1 for each in requests), *_BATCHES]}
    found["tokens"] = [each.tokens for each in requests if each.tokens is not None]
    found["cache_length"] = [each.cache_length for each in requests if each.cache_length is not None]
    return {axis: (min(sizes), max(sizes)) for axis, sizes in found.items() if sizes}
