"""The data flow drawn: boxes and arrows with their words, at two levels, and what is inside each box."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from itertools import pairwise
from typing import Any

from cyclescope.core.graph.graph import Graph
from cyclescope.core.graph.op import OpKind
from cyclescope.core.message import Series, Text, listed, m, plural
from cyclescope.explaining.arrangement import Arrangement
from cyclescope.explaining.dataflow import (
    DataFlow,
    FlowEdge,
    FlowNode,
    Level,
    NodeRole,
    data_flow,
    folded,
    gathered,
    inside,
)
from cyclescope.explaining.explanation import Explanation
from cyclescope.report import format as fmt
from cyclescope.report.drawings.spans import FAMILIES, name
from cyclescope.report.names import printable
from cyclescope.report.naming.stages import stage_name
from cyclescope.report.page import Align, Column, Emphasis, Table

# A part with more operations than this is an unreadable picture.
MOST_BOXES = 250
# Layers of several sorts that take turns are drawn once for each sort where they would be more boxes than this.
_MOST_RUNS = 12
# A tip with more lines than this would not fit a screen.
_MOST_TENSORS = 20
_MOST_RANGES = 3


@dataclass(frozen=True, slots=True)
class DrawnPath:
    """Positions of the boxes of a drawing, and pairs of positions of its arrows, that the critical path runs through."""

    nodes: frozenset[int] = frozenset()
    edges: frozenset[tuple[int, int]] = frozenset()


def drawn_path(flow: DataFlow, arrangement: Arrangement | None) -> DrawnPath:
    """The critical path in `flow`. What `flow` does not draw, such as views and folded layers, is stepped over."""
    if arrangement is None:
        return DrawnPath()
    node_of = {op: k for k, node in enumerate(flow.nodes) for op in node.ops}
    visited = [node_of[op] for op in arrangement.path.tolist() if op in node_of]
    return DrawnPath(frozenset(visited), frozenset((a, b) for a, b in pairwise(visited) if a != b))


@dataclass(frozen=True, slots=True)
class FlowDrawing:
    """The data flow. `has_path` says that a critical path is marked in it, `terms` are the definitions that it offers.

    `flows` makes what the script draws and `arrows` the same as a table, once they are asked to: only HTML needs them, and
    to follow the data takes longer than all the rest of a page.
    """

    has_path: bool
    flows: Callable[[], Mapping[str, Any]]
    arrows: Callable[[], Table]
    terms: tuple[str, ...] = ("edge",)

    @property
    def data(self) -> Mapping[str, Any]:
        texts = {
            "flow": m("Data flow"),
            "inside": m("Inside {name}"),
            "inside_equal": m("Inside {name}, the same in {chosen}"),
        }
        return {**self.flows(), "texts": texts}


def flow_drawing(explanation: Explanation) -> FlowDrawing:
    """The data flow of the cycle."""
    return FlowDrawing(
        explanation.arrangement is not None, cache(partial(flows, explanation)), cache(partial(arrows, explanation))
    )


def arrows(explanation: Explanation) -> Table:
    """Every arrow between stages and layers, with what passes along it."""
    flow, painter = drawn_flow(explanation.cycle.graph, Level.LAYER), FlowPainter(explanation)
    columns = (
        Column(m("from")),
        Column(m("to")),
        Column(m("tensors"), emphasis=Emphasis.PATH),
        Column(m("bytes"), Align.RIGHT),
    )
    rows = tuple(
        (
            painter.label(flow.nodes[edge.source]),
            painter.label(flow.nodes[edge.target]),
            listed(painter.tensors(edge)),
            painter.crossing(edge),
        )
        for edge in flow.edges
    )
    return Table(columns, rows, caption=m("Memory that passes from part to part"))


def flows(explanation: Explanation) -> dict[str, Any]:
    """Both levels, and the drawings that open; equal parts open the drawing of the first of them."""
    graph = explanation.cycle.graph
    painter = FlowPainter(explanation)
    details: dict[str, Any] = {}
    levels: dict[str, Any] = {}
    drawn: dict[object, str] = {}  # what equal parts have in common -> the drawing of the first of them
    for level in (Level.STAGE, Level.LAYER):
        flow = drawn_flow(graph, level)
        links: list[str | None] = []
        for node in flow.nodes:
            work = [i for i in node.ops if graph.kinds[i] is not OpKind.VIEW]
            if not 1 < len(work) <= MOST_BOXES:
                links.append(None)
                continue
            shape = (node.stage, tuple((graph.names[i], graph.kinds[i], graph.cost(i)) for i in node.ops))
            key = drawn.setdefault(shape, str(len(drawn)))
            if key not in details:
                details[key] = {
                    "name": painter.label(replace(node, repeats=1, indices=())),
                    **painter.picture(inside(graph, node)),
                }
            links.append(key)
        levels[level.value] = painter.picture(flow, links)
    return {"levels": levels, "details": details}


def drawn_flow(graph: Graph, level: Level) -> DataFlow:
    """The flow with as few boxes as it takes: equal neighbours folded, or all equal layers of a stage in one."""
    flow = data_flow(graph, level)
    short = folded(graph, flow)
    return short if len(short.nodes) <= _MOST_RUNS else gathered(graph, flow)


class FlowPainter:
    """Words on the boxes and arrows of a data flow."""

    def __init__(self, explanation: Explanation) -> None:
        self.graph = explanation.cycle.graph
        self.arrangement = explanation.arrangement
        self.op_ns = {row.op: row.time.value_ns for row in explanation.operations}
        self.layer_ns = {(row.stage, row.index): row.time.value_ns for row in explanation.layers}
        self.stage_ns = {row.name: row.time.value_ns for row in explanation.stages}
        self.stage_size = {row.name: row.operations for row in explanation.stages}

    def picture(self, flow: DataFlow, links: Sequence[str | None] | None = None) -> dict[str, Any]:
        """`flow` as data for the script; `links` name what opens when a box is chosen."""
        passed_on = {edge.source: edge for edge in flow.edges if edge.source == edge.target}
        links = links or [None] * len(flow.nodes)
        critical = drawn_path(flow, self.arrangement)
        return {
            "nodes": [
                self._box(n, link, passed_on.get(k), k in critical.nodes)
                for k, (n, link) in enumerate(zip(flow.nodes, links, strict=True))
            ],
            "edges": [self._arrow(edge, (edge.source, edge.target) in critical.edges) for edge in flow.edges],
        }

    def label(self, node: FlowNode) -> Text:
        """What stands in bold in the box."""
        if node.role is NodeRole.IN:
            return m("input")
        if node.role is NodeRole.OUT:
            return m("output")
        if node.role is NodeRole.OPERATION:
            return name(node.name)
        stage = stage_name(name(node.stage))
        if node.role is NodeRole.LAYER:
            return Series((stage, _ranges(node.indices or (node.index or 0,))), " ")
        return stage

    def crossing(self, edge: FlowEdge) -> str:
        """Bytes on an arrow: `49.2 kB`, or `12 × 64 B` where each of twelve folded layers reads them."""
        size = fmt.data(edge.bytes)
        return f"{fmt.count(edge.times)} × {size}" if edge.times > 1 else size

    def tensors(self, edge: FlowEdge) -> list[Text]:
        """Shape and dtype of what crosses, the largest first, equal ones counted."""
        kinds: Counter[Text] = Counter()
        for crossing in sorted(edge.crossings, key=lambda crossing: -crossing.bytes):
            spec = self.graph.tensors[crossing.tensor]
            if spec.dtype == "text":
                kinds[m("text, UTF-8")] += 1
                continue
            tensor = printable(f"{fmt.shape(spec.shape)} {spec.dtype}")
            # Where a view shows less than the tensor that lies there, less crosses than its shape says.
            kinds[m("part of {tensor}", tensor=tensor) if crossing.bytes < spec.bytes else tensor] += 1
        return [
            tensor if count == 1 else Series((f"{fmt.count(count)} ×", tensor), " ") for tensor, count in kinds.items()
        ]

    def _time_ns(self, node: FlowNode) -> float:
        if node.role is NodeRole.LAYER:
            return sum(self.layer_ns.get((node.stage, i), 0.0) for i in node.indices or (node.index or 0,))
        if node.role is NodeRole.STAGE and len(node.ops) == self.stage_size.get(node.stage):
            return self.stage_ns.get(node.stage, 0.0)
        return sum(self.op_ns.get(i, 0.0) for i in node.ops)

    def _box(self, node: FlowNode, link: str | None, handed_on: FlowEdge | None, critical: bool) -> dict[str, Any]:
        ns = self._time_ns(node)
        lines: list[Text] = [self.label(node)]
        if node.role is NodeRole.OPERATION:
            lines.append(name(_own_name(node.module) or node.class_name))
        elif node.role is NodeRole.STAGE and len(node.ops) < self.stage_size.get(node.stage, 0):
            lines.append(m("outside its layers"))
        elif node.class_name:
            many = f"{fmt.count(node.repeats)} × " if node.repeats > 1 else ""
            lines.append(many + name(node.class_name))
        if ns > 0:
            lines.append(fmt.time(ns))
        if node.parameter_bytes:
            lines.append(m("{size} of weights", size=fmt.data(node.parameter_bytes * node.repeats)))
        if handed_on is not None:
            lines.append(m("each passes {size} to the next", size=fmt.data(handed_on.bytes)))
        title = [*lines, name(node.module), *([m("on the critical path")] if critical else [])]
        return {
            "role": node.role.value,
            "lines": [line for line in lines if line],
            "title": listed(title),
            "critical": critical,
            "repeats": node.repeats,
            # Without times the part with the most operations is the one to look into first.
            "weight": ns or len(node.ops) * node.repeats,
            "family": FAMILIES.get(node.kind.value, "other") if node.kind else None,
            "inside": link,
        }

    def _arrow(self, edge: FlowEdge, critical: bool) -> dict[str, Any]:
        tensors = self.tensors(edge)
        lines: list[Text] = [self.crossing(edge)]
        if len(tensors) == 1:
            lines.append(tensors[0])
        else:
            lines.append(plural("{n} tensor", "{n} tensors", len(edge.crossings)))
        return {
            "source": edge.source,
            "target": edge.target,
            "bytes": edge.bytes * edge.times,
            "critical": critical,
            "lines": lines,
            "title": Series((self.crossing(edge), *tensors[:_MOST_TENSORS]), "\n"),
        }


def _ranges(indices: Sequence[int]) -> str:
    """`0 – 11`, or `1 – 2, 4 – 5, 7`; long lists end in an ellipsis."""
    runs: list[list[int]] = []
    for i in indices:
        if runs and i == runs[-1][-1] + 1:
            runs[-1].append(i)
        else:
            runs.append([i])
    shown = [str(run[0]) if len(run) == 1 else f"{run[0]} – {run[-1]}" for run in runs[:_MOST_RANGES]]
    return ", ".join([*shown, "…"] if len(runs) > _MOST_RANGES else shown)


def _own_name(module: str) -> str:
    """The last part of a module's path, with the one before it where it is only a number: `layer.0`."""
    parts = module.split(".")
    return ".".join(parts[-2:]) if parts[-1].isdigit() else parts[-1]
