"""The section about text that a cycle wrote: metrics, phases, decode steps and growth."""

from __future__ import annotations

from collections.abc import Iterator

from cyclescope.core.graph.graph import Graph
from cyclescope.core.message import Text, listed, m
from cyclescope.explaining.generation import Generation, Phase, PhaseRow
from cyclescope.report import format as fmt
from cyclescope.report.drawings.stack import Key, StackDrawing, StackPart, stack_bar
from cyclescope.report.naming.between import between, between_label, between_short
from cyclescope.report.naming.phases import PHASES
from cyclescope.report.naming.predicting import interval_name, term
from cyclescope.report.page import Align, Bar, Bars, Block, Column, Drawing, Emphasis, Heading, Section
from cyclescope.report.sections.generation_metrics import PREDICTED_METRICS, metric_blocks, metrics_note
from cyclescope.report.sections.generation_steps import growth_blocks, step_blocks


def generation_section(generation: Generation | None, graph: Graph) -> Section | None:
    """Metrics, phases, steps and growth of `generation`; None for a cycle that wrote no text."""
    if generation is None:
        return None
    blocks = (
        *metric_blocks(generation),
        *_phases(generation, graph),
        *step_blocks(generation, graph),
        *growth_blocks(generation, graph),
    )
    if not blocks:
        return None
    return Section("generation", m("Generation"), blocks, _note(generation), wide=True)


def _note(generation: Generation) -> Text:
    if not generation.metrics:
        return ""
    return PREDICTED_METRICS if generation.predicted else metrics_note()


def _phases(generation: Generation, graph: Graph) -> Iterator[Block]:
    if not generation.phases:
        return
    yield Heading(m("Phases"))
    yield _stack(generation.phases, graph)
    columns = (
        Column(m("time"), Align.RIGHT, emphasis=Emphasis.STRONG),
        Column(
            interval_name(generation.predicted),
            Align.RIGHT,
            priority=2,
            term=term("interval", generation.predicted),
            emphasis=Emphasis.SOFT,
        ),
        Column(m("share"), Align.RIGHT, priority=1, term=term("share", generation.predicted)),
        Column(m("in operations"), Align.RIGHT, html=True),
        Column(between_short(graph), Align.RIGHT, html=True),
    )
    bars = tuple(_bar(row, graph) for row in generation.phases)
    caption = m("Time of each phase: operations, and {between} between them", between=between(graph))
    yield Bars((m("operations"), between_label(graph)), columns, bars, m("phase"), caption)


def _bar(row: PhaseRow, graph: Graph) -> Bar:
    return Bar(
        label=PHASES[row.phase],
        parts=(row.op_ns, row.python_ns),
        low=row.time.low_ns,
        high=row.time.high_ns,
        cells=(
            fmt.time(row.time.value_ns),
            fmt.plus_minus(row.time),
            fmt.share(row.share),
            fmt.time(row.op_ns),
            fmt.time(row.python_ns),
        ),
        spoken=_spoken(row, graph),
    )


def _spoken(row: PhaseRow, graph: Graph) -> Text:
    return m(
        "{name}: {time}, of which {operations} in operations and {rest} in {between}",
        name=PHASES[row.phase],
        time=fmt.estimate(row.time),
        operations=fmt.time(row.op_ns),
        rest=fmt.time(row.python_ns),
        between=between(graph),
    )


def _stack(rows: tuple[PhaseRow, ...], graph: Graph) -> Drawing:
    """All phases in one bar, each in its colour, hatched where no operation ran."""
    paints = {phase: f"s{number}" for number, phase in enumerate(Phase)}
    parts = [
        StackPart(size, paints[row.phase], _spoken(row, graph), hatched)
        for row in rows
        for size, hatched in ((row.op_ns, False), (row.python_ns, True))
    ]
    shares = listed(m("{name} {share}", name=PHASES[row.phase], share=fmt.share(row.share)) for row in rows)
    legend = tuple(Key(paints[row.phase], PHASES[row.phase]) for row in rows)
    whole = sum(row.time.value_ns for row in rows)
    return Drawing("stack", StackDrawing((stack_bar(parts, whole, shares),), legend), shares)
