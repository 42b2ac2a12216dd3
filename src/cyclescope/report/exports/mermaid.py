"""The data flow as a Mermaid flowchart, for READMEs, issues and documents."""

from __future__ import annotations

import re
from collections import Counter

from cyclescope.core.graph.graph import Graph
from cyclescope.core.message import m, plural
from cyclescope.explaining.dataflow import DataFlow, FlowEdge, FlowNode, Level, NodeRole, data_flow, folded
from cyclescope.report import format as fmt
from cyclescope.report.names import printable
from cyclescope.report.naming.stages import stage_name
from cyclescope.report.words.translate import Say, say_in

_MOST_SHAPES = 2
_TEXT = "text"  # the dtype of a text, whose bytes say all there is to say about its shape
# Everything else is written as a numeric entity. Not among these, and why: quotes and backticks end or change a label,
# brackets and | are syntax in older versions, %% begins a comment, a colon before an entity is taken for a style.
_LITERAL = re.compile(r"[\w .,()+/×·–-]")
# Mermaid's lexer takes `direction TB` for a statement wherever in a line it stands, and its renderer an `fa:fa-car` for
# an icon even where it was written as entities; a zero-width space takes that meaning away.
_STATEMENT = re.compile(r"d(?=irection\s)")
_ICON = re.compile(r"\b(fa[a-z]?:)(?=fa-)")
_LINE = "<br/>"


def mermaid(graph: Graph, level: Level = Level.STAGE, language: str = "en", *, fold: bool = True) -> str:
    """The data flow of `graph` at `level`, with tensor shapes and bytes on the arrows.

    Equal neighbouring layers are one node unless `fold` is False. Ids are `n0`, `n1`, …; labels hold nothing that
    Mermaid could take for syntax. Raises `UsageError` for an unknown language.
    """
    say = say_in(language)
    flow = data_flow(graph, level)
    if fold:
        flow = folded(graph, flow)
    lines = ["flowchart TD"]
    lines += [f"    n{k}{_box(node, graph, say)}" for k, node in enumerate(flow.nodes)]
    lines += [f"    n{edge.source} -->|{_quoted(_carried(graph, edge, say))}| n{edge.target}" for edge in flow.edges]
    return "\n".join([*lines, *_style(flow)]) + "\n"


def _box(node: FlowNode, graph: Graph, say: Say) -> str:
    label = _quoted(_label(node, graph, say))
    return f"([{label}])" if node.role in (NodeRole.IN, NodeRole.OUT) else f"[{label}]"


def _cache(graph: Graph, say: Say) -> tuple[str, ...]:
    """What a decode step finds beside its token."""
    if graph.cache_length is None:
        return ()
    tokens = fmt.count(graph.cache_length)
    return (say(plural("a cache of {tokens} token", "a cache of {tokens} tokens", graph.cache_length, tokens=tokens)),)


def _label(node: FlowNode, graph: Graph, say: Say) -> list[str]:
    """Name, class, work and weights, a line each; what a node does not have is left out."""
    if node.role is NodeRole.IN:
        return [say(m("input")), *_cache(graph, say)]
    if node.role is NodeRole.OUT:
        return [say(m("output"))]
    name = say(stage_name(node.stage))
    if node.role is NodeRole.OPERATION:
        name = node.name
    elif node.index is not None:
        name += f" {node.index}" if node.repeats == 1 else f" {node.index}–{node.index + node.repeats - 1}"
    if node.repeats > 1:
        name += f" ×{node.repeats}"
    lines = [name]
    if node.role is NodeRole.OPERATION and node.module:
        lines.append(node.module)
    elif node.class_name:
        lines.append(node.class_name)
    facts = []
    if node.cost.flops:
        facts.append(fmt.flops(node.cost.flops))
    if node.parameter_bytes:
        facts.append(say(m("{data} of weights", data=fmt.data(node.parameter_bytes))))
    if not facts:
        return lines
    work = " · ".join(facts)
    return [*lines, say(m("{work} each", work=work)) if node.repeats > 1 else work]


def _carried(graph: Graph, edge: FlowEdge, say: Say) -> list[str]:
    """The tensors on an arrow: shapes and dtypes, the largest first, then the bytes of all."""
    shapes: Counter[str] = Counter()
    for crossing in sorted(edge.crossings, key=lambda crossing: -crossing.bytes):
        spec = graph.tensors[crossing.tensor]
        tensor = spec.dtype if spec.dtype == _TEXT else f"{fmt.shape(spec.shape)} {spec.dtype}"
        # Where a view shows less than the tensor that lies there, the arrow carries less than its shape says.
        shapes[say(m("part of {tensor}", tensor=tensor)) if crossing.bytes < spec.bytes else tensor] += 1
    lines = [f"{shape} ×{count}" if count > 1 else shape for shape, count in shapes.items()]
    if len(lines) > _MOST_SHAPES:
        lines[_MOST_SHAPES:] = [f"+ {len(lines) - _MOST_SHAPES}"]
    often = f"{edge.times} × " if edge.times > 1 else ""
    return [*lines, often + fmt.data(edge.bytes)]


def _style(flow: DataFlow) -> list[str]:
    """Ends are drawn in a dashed line, so that they are not taken for work."""
    ends = [f"n{k}" for k, node in enumerate(flow.nodes) if node.role in (NodeRole.IN, NodeRole.OUT)]
    return [f"    style {node} stroke-dasharray: 4" for node in ends]


def _quoted(lines: list[str]) -> str:
    return '"' + _LINE.join(_escape(line) for line in lines) + '"'


def _escape(text: str) -> str:
    seen = _ICON.sub("\\1\u200b", printable(text))
    return _STATEMENT.sub("#100;", "".join(c if _LITERAL.fullmatch(c) else f"#{ord(c)};" for c in seen))
