"""Where the timeline draws what: the numbers of its spans, for links into it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from cyclescope.core.graph.graph import Graph
from cyclescope.explaining.explanation import Span
from cyclescope.explaining.findings.finding import Location
from cyclescope.explaining.places import Place, places


@dataclass(frozen=True, slots=True)
class LinkTargets:
    """Numbers of drawn spans: of each operation, of the longest operation of each place, and of the outermost first frame
    of each layer and stage. Empty where no timeline is drawn.
    """

    ops: Mapping[int, int] = field(default_factory=dict)
    places: Mapping[Place, int] = field(default_factory=dict)
    layers: Mapping[tuple[str, int], int] = field(default_factory=dict)
    stages: Mapping[str, int] = field(default_factory=dict)

    @staticmethod
    def of(spans: Sequence[Span], graph: Graph) -> LinkTargets:
        """Of the `spans` that the timeline draws, in their order."""
        ops = {span.op: i for i, span in enumerate(spans) if span.op >= 0}
        layers: dict[tuple[str, int], int] = {}
        stages: dict[str, int] = {}
        for i, span in enumerate(spans):
            if span.depth == 0 or span.kind == "python":
                continue
            if span.layer is not None:
                layers.setdefault((span.stage, span.layer), i)
            elif span.stage:
                stages.setdefault(span.stage, i)
        for (stage, _), i in layers.items():  # of a stage with no frame of its own, its first layer
            stages.setdefault(stage, i)
        return LinkTargets(ops, _longest(ops, spans, graph), layers, stages)

    def first(self, wanted: Iterable[Location]) -> int | None:
        """The span of the first of `wanted` that is drawn; None where none is."""
        found = (self._of(place) for place in wanted)
        return next((target for target in found if target is not None), None)

    def _of(self, place: Location) -> int | None:
        if place.op >= 0:
            return self.ops.get(place.op)
        if place.layer is not None:
            return self.layers.get((place.stage, place.layer))
        return self.stages.get(place.stage)


NOWHERE = LinkTargets()


def _longest(ops: Mapping[int, int], spans: Sequence[Span], graph: Graph) -> dict[Place, int]:
    """The longest drawn span of each place."""
    if not ops:
        return {}
    names, longest = places(graph), dict[Place, int]()
    for op, i in ops.items():
        before = longest.get(names[op])
        if before is None or spans[i].duration_ns > spans[before].duration_ns:
            longest[names[op]] = i
    return longest
