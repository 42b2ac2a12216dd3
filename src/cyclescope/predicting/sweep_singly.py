"""Points of a sweep one after the other: each graph is predicted as `predict` does it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

import numpy as np

from cyclescope.backends.base import Request
from cyclescope.core.cycle import Cycle
from cyclescope.core.errors import CyclescopeError, Unsupported
from cyclescope.core.graph.graph import Graph
from cyclescope.core.graph.op import OpKind
from cyclescope.core.spread import Spread
from cyclescope.core.statistics import scenario_estimate
from cyclescope.explaining.lower_bounds import find_lower_bounds
from cyclescope.explaining.memory import memory
from cyclescope.predicting.predict import predict_request, weighed
from cyclescope.predicting.settings import Settings
from cyclescope.predicting.spreading.request import of_one_microbatch
from cyclescope.predicting.sweep_rows import Limit, SweepRow
from cyclescope.predicting.sweep_variant import Variant
from cyclescope.tracing.families import Families, families_of
from cyclescope.tracing.structures import structure_of

_FEW_SHAPES = 3  # so many are traced one by one: a family needs as many traces itself
_ALIKE = ("model", "new_tokens", "task", "dtype", "attention", "device", "seed", "engine", "cache", "sampling")
_BATCHES = (1, 2, 3)  # what a sequence holds shows between two of these, and the third says whether it always does


_Key: TypeAlias = tuple[object, ...]


@dataclass
class Singly:
    """The graphs of a grid: by rule where there are many shapes, else each traced. `ranges` are the requests that differ in
    nothing but sizes.
    """

    ranges: dict[_Key, list[Request]]
    known: dict[_Key, Families | None] = field(default_factory=dict)
    limits: dict[tuple[object, ...], int | None] = field(default_factory=dict)

    @staticmethod
    def of(requests: Sequence[Request]) -> Singly:
        alike: dict[_Key, list[Request]] = {}
        for each in requests:
            alike.setdefault(_shapeless(each), []).append(each)
        return Singly(alike)

    def families(self, request: Request) -> Families | None:
        """The graphs of all shapes between those of the points; None where they follow no rule."""
        shapeless = _shapeless(request)
        if shapeless not in self.known:
            group = self.ranges[shapeless]
            try:
                self.known[shapeless] = families_of(group[0], _ranges(group))
            except Unsupported:  # no rule: each shape is traced
                self.known[shapeless] = None
        return self.known[shapeless]

    def graph(self, request: Request) -> Graph:
        """The graph of one point."""
        shapeless = _shapeless(request)
        shapes = {(each.batch, each.tokens, each.cache_length) for each in self.ranges.get(shapeless, ())}
        families = self.known.get(shapeless) or (self.families(request) if len(shapes) > _FEW_SHAPES else None)
        if families is not None:
            point = tuple(_shape(request, axis) for axis in families.axes)
            if all(size is not None for size in point):
                try:
                    return families.at(tuple(int(size or 0) for size in point))
                except ValueError:  # outside of what was traced
                    pass
        return structure_of(request)

    def row(self, variant: Variant, k: int, model_kind: str) -> SweepRow:
        """The prediction of point `k` of `variant`."""
        point, asked = variant.points[k], variant.asked(k)
        settings = variant.settings.joined(point)
        there = variant.target(settings)
        graph = weighed(self.graph(of_one_microbatch(asked)), settings)
        cycle = predict_request(asked, variant.outline, graph, there, model_kind)
        workload, has = cycle.workload, there.machine.memory_bytes
        said = cycle.samples.prediction
        assert said is not None
        spread = said.spread
        needed = needed_bytes(graph) if spread is None else spread.most_needed.needed_bytes
        return SweepRow(
            settings=point,
            wall=scenario_estimate(cycle.samples.uninstrumented.wall_ns),
            batch=workload.batch,
            tokens=int(variant.tokens[k]),
            shares=_shares(cycle),
            needed_bytes=needed,
            fits=needed <= has if has and needed else None,
            most_sequences=self.most_sequences(asked, settings, has)
            if spread is None
            else _most_of_ranks(spread, workload.batch // asked.data) * asked.data
            if has
            else None,
            widening=said.widening,
            outside=said.outside,
        )

    def most_sequences(self, request: Request, settings: Settings, has: int) -> int | None:
        """The largest batch whose weights, cache and activations fit into `has` bytes."""
        if not has:
            return None
        key = (_shapeless(request), request.tokens, request.cache_length, has, settings.name("weights", None))
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


def _most_of_ranks(spread: Spread, batch: int) -> int:
    """The largest batch of a replica that fits on all its ranks, where cache and activations grow with the batch."""
    room = [
        (spread.memory_bytes - stage.weights_bytes) * batch // max(1, stage.cache_bytes + stage.activation_bytes)
        for stage in spread.stages
    ]
    return max(0, min(room))


def needed_bytes(graph: Graph) -> int:
    """What a cycle of `graph` holds at its peak; 0 where that is unknown."""
    held = memory(graph)
    return int(held.computed.peak) if held is not None else 0


def _shares(cycle: Cycle) -> tuple[tuple[Limit, float], ...]:
    """The time of a predicted cycle by what it is limited by: products, memory, and all that the engine takes.

    By the times of the timing model itself: how far it is off on unseen cycles, which moves all of them alike, is no limit.
    """
    ceilings, prediction = cycle.machine.ceilings, cycle.samples.prediction
    assert ceilings is not None
    assert prediction is not None
    spread = prediction.spread
    on_cpu = cycle.plan.device == "cpu"
    bounds = find_lower_bounds(cycle.graph, ceilings, cycle.plan.threads if on_cpu else 0)
    known = ~cycle.graph.of_kind(OpKind.TEXT, OpKind.COLLECTIVE)
    by_compute = bounds.compute_ns >= bounds.memory_ns
    compute = float(bounds.compute_ns[known & by_compute].sum())
    moved = float(bounds.memory_ns[known & ~by_compute].sum())
    whole = float(np.median(cycle.samples.uninstrumented.wall_ns)) / prediction.shift
    sent, waited = (spread.account.collective_ns, spread.account.waiting_ns) if spread is not None else (0.0, 0.0)
    whole += (sent + waited) * (1 - 1 / prediction.shift)  # which that error is none of
    total = max(whole, compute + moved + sent + waited, 1e-9)
    rest = total - compute - moved - sent - waited
    shares = (Limit.COMPUTE, compute / total), (Limit.MEMORY, moved / total), (Limit.OVERHEAD, rest / total)
    return shares if spread is None else (*shares, (Limit.COMMUNICATION, sent / total), (Limit.WAITING, waited / total))


def _shape(request: Request, axis: str) -> int | None:
    return {"batch": request.batch or 1, "tokens": request.tokens, "cache_length": request.cache_length}[axis]


def _shapeless(request: Request) -> _Key:
    """What two requests must have in common for one family to hold both; a request itself is equal to no other."""
    return tuple(getattr(request, name) for name in _ALIKE)


def _ranges(requests: Sequence[Request]) -> dict[str, tuple[int, int]]:
    """The least and the most of each axis, with the batches that tell what a sequence holds."""
    found = {"batch": [*(each.batch or 1 for each in requests), *_BATCHES]}
    found["tokens"] = [each.tokens for each in requests if each.tokens is not None]
    found["cache_length"] = [each.cache_length for each in requests if each.cache_length is not None]
    return {axis: (min(sizes), max(sizes)) for axis, sizes in found.items() if sizes}
