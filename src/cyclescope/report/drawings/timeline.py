"""The timeline of one real run: which spans are drawn, where operations and places stand among them, and its data."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from cyclescope.core.graph.op import OpKind
from cyclescope.core.message import Message, Text, m
from cyclescope.explaining.explanation import Explanation, Span
from cyclescope.report import format as fmt
from cyclescope.report.drawings.link_targets import LinkTargets
from cyclescope.report.drawings.spans import FAMILIES, VisibleSpans, columns_of
from cyclescope.report.drawings.steps import choose_steps, ranges
from cyclescope.report.naming.between import between_operations, between_short
from cyclescope.report.naming.kinds import KINDS
from cyclescope.report.naming.stages import stage_name

# A page stays below a megabyte: this much of it is for the timeline. The shortest spans are left out first, of a
# generation what is inside most steps, and the page says so.
MOST_BYTES = 420_000
_MOST_SPANS = 12_000
_FEWEST_SPANS = 100
FAMILY_NAMES: Mapping[str, Message] = {
    "matmul": m("matrix products"),
    "attention": m("attention, softmax"),
    "norm": m("normalisation"),
    "activation": m("activation"),
    "elementwise": m("elementwise, reduction"),
    "embedding": m("table look-up"),
    "movement": m("copies, views"),
    "text": m("text"),
    "other": m("other operations"),
    "frame": m("module"),
}


@dataclass(frozen=True, eq=False)
class Timeline:
    """The drawn spans of `explanation`, in at most about `most_bytes` of data."""

    explanation: Explanation
    most_bytes: int = MOST_BYTES

    @cached_property
    def _chosen(self) -> tuple[VisibleSpans, Mapping[str, Any], int]:
        """The spans that are drawn, their columns and the bytes that these take as JSON."""
        most, spans = _MOST_SPANS, tuple(self.explanation.spans)
        while True:
            shown = choose_steps(spans, most)
            columns = columns_of(shown.spans, self.explanation.cycle.graph)
            size = len(json.dumps(columns, ensure_ascii=False, separators=(",", ":")).encode())
            if size <= self.most_bytes or most < _FEWEST_SPANS:
                return shown, columns, size
            most = most * 2 // 3

    @property
    def shown(self) -> VisibleSpans:
        return self._chosen[0]

    @property
    def bytes(self) -> int:
        """What the columns of the spans take in the page."""
        return self._chosen[2]

    @property
    def spans(self) -> tuple[Span, ...]:
        return self.shown.spans

    @cached_property
    def links(self) -> LinkTargets:
        """Where operations, places, layers and stages stand among the drawn spans."""
        return LinkTargets.of(self.spans, self.explanation.cycle.graph)

    @cached_property
    def families(self) -> tuple[tuple[str, Text], ...]:
        """The legend: the colours that are drawn, with their names."""
        there = {FAMILIES.get(span.kind, "other") for span in self.spans}
        named = {**FAMILY_NAMES, "python": between_short(self.explanation.cycle.graph)}
        order = (*(family for family in FAMILY_NAMES if family != "frame"), "python", "frame")
        return tuple((family, named[family]) for family in order if family in there)

    @cached_property
    def omitted(self) -> Text:
        """What the drawing leaves out, or nothing."""
        shown = self.shown
        if not shown.left_out:
            return ""
        return m(
            "{count} spans shorter than {time} are not drawn, so that the page stays small; they take {total} in all and are counted in every table.",
            count=fmt.count(shown.left_out),
            time=fmt.time(shown.shorter_than_ns),
            total=fmt.time(shown.left_out_ns),
        )

    @cached_property
    def whole_steps(self) -> Text:
        """Which steps of a generation are drawn with what is inside, where not all are."""
        whole, there = self.shown.whole, self.shown.all_steps
        if len(whole) == there:
            return ""
        pieces = ranges(whole)
        numbers = [str(a) if a == b else f"{a} – {b}" for a, b in pieces]
        if pieces[-1][1] != whole[-1]:
            numbers.append("…")
        return m(
            "{count} of {all} steps are drawn with what is inside them (0 is the prefill): {steps}. Of the others only the model’s call is drawn; their parts are counted in every table. Added up, heaviest first, the inside of a step is that of the steps drawn whole.",
            count=fmt.count(len(whole)),
            all=fmt.count(there),
            steps=", ".join(numbers),
        )

    @property
    def data(self) -> Mapping[str, Any]:
        """What the script reads: the columns of the spans, its texts, and the family of each kind."""
        graph = self.explanation.cycle.graph
        columns = self._chosen[1]
        frame = m("module")
        kinds: dict[str, Text] = {kind.value: KINDS[kind] for kind in OpKind}
        kinds |= {"frame": frame, "python": between_operations(graph)}
        texts = {
            "cycle": m("cycle"),
            "python": between_short(graph),
            "stage": m("stage"),
            "module": m("module"),
            "kind": m("kind"),
            "time": m("time"),
            "share": m("of this run"),
            "starts": m("starts at"),
            "flops": m("arithmetic"),
            "bytes": m("bytes"),
            "found": m("{count} matches, {time}, {share}"),
            "frame": frame,
            "prefill": m("prefill"),
            "step": m("step {k}"),
            "steps": m("decode steps"),
            "folded": m("its inside is not drawn, see below"),
            "kinds": kinds,
            "stages": {stage: stage_name(stage) for stage in graph.stages},
        }
        return {"spans": {**columns, "steps": self.shown.steps}, "texts": texts, "families": FAMILIES}
