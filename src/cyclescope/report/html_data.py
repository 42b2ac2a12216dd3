"""What the scripts of the HTML page get to draw: spans in columns and the data flow, as JSON that is safe inside HTML."""

from __future__ import annotations

import heapq
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from cyclescope.core.graph import Graph
from cyclescope.core.op import OpKind
from cyclescope.explain.dataflow import DataFlow, FlowEdge, FlowNode, Level, NodeRole, data_flow, folded, inside
from cyclescope.explain.explanation import Explanation, Span
from cyclescope.report import format as fmt
from cyclescope.report.names import printable
from cyclescope.report.strings import Strings
from cyclescope.report.text import PageText
from cyclescope.report.wording import stage_name

# The page stays below a megabyte: this much of it is for the drawings. The shortest spans are left out first, and the
# page says so.
MOST_BYTES = 520_000
MOST_SPANS = 12_000
# A longer name is cut; nobody reads the rest, and a few thousand of them would fill the page.
LONGEST_NAME = 200
# A part with more operations than this is a picture that nobody can read.
MOST_BOXES = 250

# Kinds that share a colour. Eleven hues are about as many as can be told apart.
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
    "python": "python",
    "frame": "frame",
}


@dataclass(frozen=True, slots=True)
class Shown:
    """The spans that are drawn; `left_out` are shorter than `shorter_than_ns` and take `left_out_ns` together."""

    spans: tuple[Span, ...]
    left_out: int = 0
    left_out_ns: int = 0
    shorter_than_ns: int = 0


def choose(spans: tuple[Span, ...], most: int = MOST_SPANS) -> Shown:
    """At most `most` spans, the longest. A span is never shorter than what lies inside it, so nesting is kept.

    The time of what is left out is that of its outermost spans.
    """
    if len(spans) <= most:
        return Shown(spans)
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
    return Shown(tuple(spans[i] for i in sorted(keep)), len(spans) - most, lost_ns, least)


def name(text: str) -> str:
    """A name from a model, harmless and of bounded length."""
    shown = printable(text)
    return shown if len(shown) <= LONGEST_NAME else f"{shown[:LONGEST_NAME]}…"


def fitting(explanation: Explanation, s: Strings, p: PageText) -> tuple[Shown, str]:
    """The spans that are drawn, and everything for the scripts as one JSON text that is not too large for the page."""
    most = MOST_SPANS
    while True:
        shown = choose(explanation.spans, most)
        data = payload(explanation, shown, s, p)
        if len(data.encode()) <= MOST_BYTES or most < 100:
            return shown, data
        most = most * 2 // 3


def payload(explanation: Explanation, shown: Shown, s: Strings, p: PageText) -> str:
    """Everything for the scripts, as one JSON text."""
    kinds = {kind.value: s.kind_names[kind] for kind in OpKind} | {"frame": p.chart.frame, "python": s.python}
    stages = {stage: stage_name(stage, s) for stage in explanation.cycle.graph.stages}
    texts = asdict(p.chart) | {"kinds": kinds, "stages": stages, "themes": dict(p.themes)}
    graph = explanation.cycle.graph
    return embed(
        {
            "texts": texts,
            "families": FAMILIES,
            "spans": _columns(shown.spans, graph),
            "flow": _flow(explanation, s, p),
        }
    )


def embed(value: object) -> str:
    """JSON that can stand inside a `script` element: nothing in it ends the element or a line of a script."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


class _Words:
    """Texts kept once, referred to by number."""

    def __init__(self) -> None:
        self.known: dict[str, int] = {}

    def number(self, text: str) -> int:
        return self.known.setdefault(name(text), len(self.known))


def _columns(spans: Sequence[Span], graph: Graph) -> dict[str, Any]:
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


def _flow(explanation: Explanation, s: Strings, p: PageText) -> dict[str, Any]:
    graph = explanation.cycle.graph
    painter = FlowPainter(explanation, s, p)
    details: dict[str, Any] = {}
    levels: dict[str, Any] = {}
    drawn: dict[object, str] = {}  # what equal parts have in common -> the drawing of the first of them
    for level in (Level.STAGE, Level.LAYER):
        flow = folded(graph, data_flow(graph, level))
        links: list[str | None] = []
        for node in flow.nodes:
            work = [i for i in node.ops if graph.kinds[i] is not OpKind.VIEW]
            if not 1 < len(work) <= MOST_BOXES:
                links.append(None)
                continue
            shape = (node.stage, tuple((graph.names[i], graph.kinds[i], graph.cost(i)) for i in node.ops))
            key = drawn.setdefault(shape, str(len(drawn)))
            if key not in details:
                details[key] = {"name": painter.label(replace(node, repeats=1)), **painter.picture(inside(graph, node))}
            links.append(key)
        levels[level.value] = painter.picture(flow, links)
    return {"levels": levels, "details": details}


class FlowPainter:
    """Words on the boxes and arrows of a data flow."""

    def __init__(self, explanation: Explanation, s: Strings, p: PageText) -> None:
        self.graph = explanation.cycle.graph
        self.s, self.p = s, p
        self.op_ns = {row.op: row.time.value_ns for row in explanation.operations}
        self.layer_ns = {(row.stage, row.index): row.time.value_ns for row in explanation.layers}
        self.stage_ns = {row.name: row.time.value_ns for row in explanation.stages}
        self.stage_size = {row.name: row.operations for row in explanation.stages}

    def picture(self, flow: DataFlow, links: Sequence[str | None] | None = None) -> dict[str, Any]:
        """`flow` as data for the script; `links` name what opens when a box is chosen."""
        passed_on = {edge.source: edge for edge in flow.edges if edge.source == edge.target}
        links = links or [None] * len(flow.nodes)
        return {
            "nodes": [
                self._box(n, link, passed_on.get(k)) for k, (n, link) in enumerate(zip(flow.nodes, links, strict=True))
            ],
            "edges": [self._arrow(edge) for edge in flow.edges],
        }

    def label(self, node: FlowNode) -> str:
        """What stands in bold in the box."""
        if node.role is NodeRole.IN:
            return self.p.flow_in
        if node.role is NodeRole.OUT:
            return self.p.flow_out
        if node.role is NodeRole.OPERATION:
            return name(node.name)
        stage = stage_name(node.stage, self.s)
        if node.role is NodeRole.LAYER:
            first = node.index or 0
            return name(stage) + (f" {first}" if node.repeats == 1 else f" {first} – {first + node.repeats - 1}")
        return name(stage)

    def crossing(self, edge: FlowEdge) -> str:
        """Bytes on an arrow: `49.2 kB`, or `12 × 64 B` where each of twelve folded layers reads them."""
        size = fmt.data(edge.bytes)
        return f"{fmt.count(edge.times)} × {size}" if edge.times > 1 else size

    def tensors(self, edge: FlowEdge) -> list[str]:
        specs = [self.graph.tensors[crossing.tensor] for crossing in edge.crossings]
        return [
            self.p.flow_text if spec.dtype == "text" else printable(f"{fmt.shape(spec.shape)} {spec.dtype}")
            for spec in specs
        ]

    def _time_ns(self, node: FlowNode) -> float:
        if node.role is NodeRole.LAYER:
            indices = range(node.index or 0, (node.index or 0) + node.repeats)
            return sum(self.layer_ns.get((node.stage, i), 0.0) for i in indices)
        if node.role is NodeRole.STAGE and len(node.ops) == self.stage_size.get(node.stage):
            return self.stage_ns.get(node.stage, 0.0)
        return sum(self.op_ns.get(i, 0.0) for i in node.ops)

    def _box(self, node: FlowNode, link: str | None, handed_on: FlowEdge | None) -> dict[str, Any]:
        ns = self._time_ns(node)
        lines = [self.label(node)]
        if node.role is NodeRole.OPERATION:
            lines.append(name(node.module.rpartition(".")[2]) or name(node.class_name))
        elif node.class_name:
            many = f"{fmt.count(node.repeats)} × " if node.repeats > 1 else ""
            lines.append(many + name(node.class_name))
        if ns > 0:
            lines.append(fmt.time(ns))
        if node.parameter_bytes:
            lines.append(self.p.weights.format(size=fmt.data(node.parameter_bytes * node.repeats)))
        if handed_on is not None:
            lines.append(self.p.each_to_next.format(size=fmt.data(handed_on.bytes)))
        return {
            "role": node.role.value,
            "lines": [line for line in lines if line],
            "title": ", ".join([*(line for line in lines if line), *([name(node.module)] if node.module else [])]),
            "repeats": node.repeats,
            # Without times the part with the most operations is the one to look into first.
            "weight": ns or len(node.ops) * node.repeats,
            "family": FAMILIES.get(node.kind.value, "other") if node.kind else None,
            "inside": link,
        }

    def _arrow(self, edge: FlowEdge) -> dict[str, Any]:
        tensors = self.tensors(edge)
        lines = [self.crossing(edge)]
        if len(tensors) == 1:
            lines.append(tensors[0])
        elif tensors:
            lines.append(f"{fmt.count(len(tensors))} {self.p.tensors.lower()}")
        return {
            "source": edge.source,
            "target": edge.target,
            "bytes": edge.bytes * edge.times,
            "lines": lines,
            "title": "\n".join([self.crossing(edge), *tensors[:20]]),
        }
