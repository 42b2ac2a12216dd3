"""The old form of `report.sections.experts`, in one language, for the views of HTML."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cyclescope.core.graph.graph import Graph
from cyclescope.explaining.experts import ExpertsRow, expert_rows
from cyclescope.report import format as fmt
from cyclescope.report import naming as wording
from cyclescope.report.page import Align, Block, Column, Heading, Note, Paragraph, Severity, Strip, Table
from cyclescope.report.words.strings import Strings
from cyclescope.report.words.text_structure import StructureText, structure_text

_MOST_LAYERS = 8
_MOST_COLUMNS = 120


def expert_blocks(graph: Graph, s: Strings) -> Iterator[Block]:
    """What is known about the routing of `graph`; nothing for a model without experts."""
    rows = expert_rows(graph)
    if not rows:
        return
    t = structure_text(s)
    yield Heading(t.experts)
    known = sorted((row for row in rows if row.imbalance is not None), key=lambda row: -(row.imbalance or 0.0))
    if known:
        yield from _known(known, graph, t, s)
    if len(known) < len(rows):
        yield Note(Severity.INFO, _expectation(graph, t))


def _known(rows: Sequence[ExpertsRow], graph: Graph, t: StructureText, s: Strings) -> Iterator[Block]:
    busiest = rows[0]
    text = t.experts_known.format(
        chosen=fmt.count(graph.experts[0].chosen),
        experts=fmt.count(busiest.experts),
        place=_place(busiest, s),
        most=fmt.count(max(busiest.per_expert)),
        routed=fmt.count(busiest.routed),
        factor=fmt.significant(busiest.imbalance),
        average=fmt.significant(busiest.expected),
    )
    yield Paragraph(text)
    columns = (
        Column(t.layer),
        Column(t.routed, Align.RIGHT, priority=2),
        Column(t.least, Align.RIGHT, priority=1),
        Column(t.average, Align.RIGHT),
        Column(t.busiest, Align.RIGHT),
        Column(t.imbalance, Align.RIGHT, priority=1),
        Column(t.idle, Align.RIGHT, priority=2),
    )
    yield Table(columns, tuple(_cells(row, s) for row in rows[:_MOST_LAYERS]))
    if len(rows) > _MOST_LAYERS:
        yield Paragraph(t.experts_more.format(count=fmt.count(len(rows) - _MOST_LAYERS)))
    few = -(-busiest.experts // _MOST_COLUMNS)
    counts = [float(max(busiest.per_expert[k : k + few])) for k in range(0, busiest.experts, few)]
    yield Strip(_place(busiest, s), tuple(counts), t.experts)


def _cells(row: ExpertsRow, s: Strings) -> tuple[str, ...]:
    return (
        _place(row, s),
        fmt.count(row.routed),
        fmt.count(min(row.per_expert)),
        fmt.significant(row.expected),
        fmt.count(max(row.per_expert)),
        fmt.significant(row.imbalance),
        fmt.count(row.idle),
    )


def _place(row: ExpertsRow, s: Strings) -> str:
    stage = wording.stage_name(row.stage, s)
    return stage if row.layer is None else f"{stage} {row.layer}"


def _expectation(graph: Graph, t: StructureText) -> str:
    load = next(load for load in graph.experts if not load.known)
    return t.experts_unknown.format(
        chosen=fmt.count(load.chosen),
        experts=fmt.count(load.experts),
        tokens=fmt.count(load.tokens),
        average=fmt.significant(load.expected),
    )
