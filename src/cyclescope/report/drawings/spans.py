"""Spans for the timeline of the HTML page: which of them are drawn, and their columns."""

from __future__ import annotations

import heapq
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from cyclescope.core.graph.graph import Graph
from cyclescope.explaining.explanation import Span
from cyclescope.report.names import printable

# A longer name is cut; the rest would not be read, and a few thousand of them would fill the page.
LONGEST_NAME = 200

_AFTER_A_POINT = re.compile(r"(?<=[._])(?=[^\W\d_])")

# Kinds that share a colour. Eleven hues are about as many as can be distinguished.
FAMILIES = {
    "matmul": "matmul",
    "convolution": "matmul",
    "attention": "attention",
    "softmax": "attention",
    "norm": "norm",
    "activation": "activation",
    "elementwise": "elementwise",
    "reduction": "elementwise",
    "embedding": "embedding",
    "copy": "movement",
    "view": "movement",
    "text": "text",
    "fft": "other",
    "scan": "other",
    "other": "other",
    "collective": "other",
    "python": "python",
    "frame": "frame",
}


def name(text: str) -> str:
    """A name from a model, harmless and of bounded length."""
    shown = printable(text)
    return shown if len(shown) <= LONGEST_NAME else f"{shown[:LONGEST_NAME]}…"


def breakable(text: str) -> Markup:
    """The same with places where a line may end, after a point or an underscore; a number has none."""
    return Markup("<wbr>").join(_AFTER_A_POINT.split(name(text)))


@dataclass(frozen=True, slots=True)
class VisibleSpans:
    """The spans that are drawn; `left_out` are shorter than `shorter_than_ns` and take `left_out_ns` together.

    Of a generation: `steps` are the positions of the model's calls among `spans` with their numbers, `whole` the numbers
    of the steps that are drawn with what is inside, of `all_steps`.
    """

    spans: tuple[Span, ...]
    left_out: int = 0
    left_out_ns: int = 0
    shorter_than_ns: int = 0
    steps: tuple[tuple[int, int], ...] = ()
    whole: tuple[int, ...] = ()
    all_steps: int = 0


def choose(spans: tuple[Span, ...], most: int) -> VisibleSpans:
    """At most `most` spans, the longest. A span is never shorter than what lies inside it, so nesting is kept.

    The time of what is left out is that of its outermost spans.
    """
    if len(spans) <= most:
        return VisibleSpans(spans)
    # Of equal lengths the outer one comes first in the list, and stays.
    ranked = heapq.nlargest(most, range(len(spans)), key=lambda i: (spans[i].duration_ns, -i))
    keep = set(ranked)
    lost_ns, hidden_below = 0, -1
    for i, span in enumerate(spans):
        if i in keep:
            hidden_below = -1
        elif hidden_below < 0 or span.depth <= hidden_below:
            lost_ns += span.duration_ns
            hidden_below = span.depth
    least = min(spans[i].duration_ns for i in keep)
    return VisibleSpans(tuple(spans[i] for i in sorted(keep)), len(spans) - most, lost_ns, least)


class _Words:
    """Texts kept once, referred to by number."""

    def __init__(self) -> None:
        self.known: dict[str, int] = {}
        self._numbers: dict[str, int] = {}  # by the text as it was given: few of many are new

    def number(self, text: str) -> int:
        number = self._numbers.get(text)
        if number is None:
            number = self._numbers[text] = self.known.setdefault(name(text), len(self.known))
        return number


def columns_of(spans: Sequence[Span], graph: Graph) -> dict[str, Any]:
    """The columns of `spans`: texts once, starts as distances from the start before, costs once (−1: none)."""
    words = _Words()
    costs: dict[tuple[int, int, int, int], int] = {}
    columns: dict[str, list[int]] = {
        column: [] for column in ("name", "kind", "stage", "module", "layer", "after", "duration", "depth", "cost")
    }
    before = 0
    for span in spans:
        cost = -1
        if span.op >= 0:
            work = graph.cost(span.op)
            row = (work.flops, work.elementwise_flops, work.read_bytes, work.written_bytes)
            cost = costs.setdefault(row, len(costs))
        values = {
            "name": words.number(span.name),
            "kind": words.number(span.kind),
            "stage": words.number(span.stage),
            "module": words.number(span.module),
            "layer": -1 if span.layer is None else span.layer,
            "after": span.start_ns - before,
            "duration": span.duration_ns,
            "depth": span.depth,
            "cost": cost,
        }
        before = span.start_ns
        for column, value in values.items():
            columns[column].append(value)
    return {"texts": list(words.known), "costs": [list(row) for row in costs], **columns}
