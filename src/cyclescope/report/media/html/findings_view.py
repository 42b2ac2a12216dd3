"""Findings on the page: their words, how much of the cycle they are about, and the place in the timeline to look at."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from cyclescope.core.graph.graph import Graph
from cyclescope.explaining.explanation import Span
from cyclescope.explaining.findings.finding import Finding, FindingCode, Location
from cyclescope.report.drawings.bars import place
from cyclescope.report.media.html.old_sections.findings import FindingWords, finding_words
from cyclescope.report.words.strings import Strings

# What these are about lies outside the cycle that is drawn.
_ELSEWHERE = {FindingCode.FIRST_CALL: "set-up", FindingCode.NOISE: "method"}


@dataclass(frozen=True, slots=True)
class FindingCard:
    """One finding. `share` and `gain` are ends of its bar in per cent, if it has one; `span` is where to look among the drawn spans,
    None where no span is it; `anchor` is a section to look at instead, '' for none.
    """

    number: int
    words: FindingWords
    has_weight: bool
    share: str
    gain: str
    span: int | None
    anchor: str


def finding_cards(found: Sequence[Finding], graph: Graph, spans: Sequence[Span], s: Strings) -> tuple[FindingCard, ...]:
    """The findings in their order. `spans` are those that the timeline draws."""
    goals = _Goals.of(spans)
    return tuple(
        FindingCard(
            number,
            finding_words(each, graph, s),
            each.share > 0,
            place(min(max(each.share, each.gain), 1.0), 1),
            place(min(each.gain, 1.0), 1),
            None if each.code in _ELSEWHERE else goals.find(_candidates(each)),
            _ELSEWHERE.get(each.code, ""),
        )
        for number, each in enumerate(found, 1)
    )


def _candidates(found: Finding) -> Iterable[Location]:
    """Where to look, the most telling first: the place, what the evidence stands at, then wider and wider around it."""
    here = found.place
    yield here
    yield from (Location(op=each.op) for each in found.evidence if each.op >= 0)
    if here.layer is not None:
        yield Location(here.stage, here.layer)
    if here.stage:
        yield Location(here.stage)


@dataclass(frozen=True, slots=True)
class _Goals:
    """Drawn spans by operation, and the outermost first ones by layer and by stage."""

    ops: Mapping[int, int]
    layers: Mapping[tuple[str, int], int]
    stages: Mapping[str, int]

    @staticmethod
    def of(spans: Sequence[Span]) -> _Goals:
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
        return _Goals({span.op: i for i, span in enumerate(spans) if span.op >= 0}, layers, stages)

    def find(self, places: Iterable[Location]) -> int | None:
        for here in places:
            if here.op >= 0:
                goal = self.ops.get(here.op)
            elif here.layer is not None:
                goal = self.layers.get((here.stage, here.layer))
            else:
                goal = self.stages.get(here.stage)
            if goal is not None:
                return goal
        return None
