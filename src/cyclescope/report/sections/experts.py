"""The section about the experts of a mixture: how many tokens reach each of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cyclescope.core.graph.graph import Graph
from cyclescope.core.message import Message, Series, Text, in_context, m, plural, sentences
from cyclescope.explaining.experts import ExpertsRow, expert_rows
from cyclescope.report import format as fmt
from cyclescope.report.naming.stages import stage_name
from cyclescope.report.page import Align, Block, Column, Emphasis, Note, Paragraph, Section, Severity, Strip, Table

_MOST_LAYERS = 8
_MOST_COLUMNS = 120
_TITLE = m("Tokens of each expert")


def experts_section(graph: Graph) -> Section | None:
    """What is known about the routing of `graph`; None for a model without experts."""
    rows = expert_rows(graph)
    return Section("experts", _TITLE, tuple(_blocks(rows, graph))) if rows else None


def _blocks(rows: Sequence[ExpertsRow], graph: Graph) -> Iterator[Block]:
    known = sorted((row for row in rows if row.imbalance is not None), key=lambda row: -(row.imbalance or 0.0))
    if known:
        yield from _known(known, graph)
    if len(known) < len(rows):
        yield Note(Severity.INFO, _expectation(graph))


def _known(rows: Sequence[ExpertsRow], graph: Graph) -> Iterator[Block]:
    busiest = rows[0]
    text = m(
        "The busiest is in {place}: it gets {most} of {routed}, {factor} times the average of {average}.",
        place=_place(busiest),
        most=fmt.count(max(busiest.per_expert)),
        routed=fmt.count(busiest.routed),
        factor=fmt.significant(busiest.imbalance),
        average=fmt.significant(busiest.expected),
    )
    yield Paragraph(sentences(_routing(graph.experts[0].chosen, busiest.experts), text))
    more = len(rows) - _MOST_LAYERS
    columns = (
        Column(m("layer")),
        Column(m("sent"), Align.RIGHT, priority=2),
        Column(in_context("count", "least"), Align.RIGHT, priority=1),
        Column(m("average"), Align.RIGHT),
        Column(m("most"), Align.RIGHT, emphasis=Emphasis.STRONG),
        Column(m("most ÷ average"), Align.RIGHT, priority=1),
        Column(m("idle experts"), Align.RIGHT, priority=2),
    )
    yield Table(columns, tuple(_cells(row) for row in rows[:_MOST_LAYERS]), caption=_TITLE)
    if more > 0:
        text = plural("{n} further layer is more even.", "{n} further layers are more even.", more, n=fmt.count(more))
        yield Paragraph(text)
    few = -(-busiest.experts // _MOST_COLUMNS)
    counts = [float(max(busiest.per_expert[k : k + few])) for k in range(0, busiest.experts, few)]
    yield Strip(_place(busiest), tuple(counts), _TITLE)


def _routing(chosen: int, experts: int) -> Message:
    return m("Each token goes to {chosen} of {experts} experts.", chosen=fmt.count(chosen), experts=fmt.count(experts))


def _cells(row: ExpertsRow) -> tuple[Text, ...]:
    return (
        _place(row),
        fmt.count(row.routed),
        fmt.count(min(row.per_expert)),
        fmt.significant(row.expected),
        fmt.count(max(row.per_expert)),
        fmt.significant(row.imbalance),
        fmt.count(row.idle),
    )


def _place(row: ExpertsRow) -> Text:
    return Series((stage_name(row.stage), "" if row.layer is None else str(row.layer)), " ")


def _expectation(graph: Graph) -> Text:
    load = next(load for load in graph.experts if not load.known)
    return sentences(
        _routing(load.chosen, load.experts),
        m("Which experts depends on the weights, which a trace without weights does not know."),
        m(
            "Expected on average: {average} tokens for each expert of a layer ({tokens} × {chosen} / {experts}).",
            average=fmt.significant(load.expected),
            tokens=fmt.count(load.tokens),
            chosen=fmt.count(load.chosen),
            experts=fmt.count(load.experts),
        ),
    )
