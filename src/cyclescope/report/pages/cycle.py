"""The page about one cycle: the answer with its doubts, what was found, then the stages, the costliest work, the account."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence

from cyclescope.core.message import Text
from cyclescope.explaining.explanation import Explanation, GroupRow, LayerRow
from cyclescope.explaining.siblings import UnlikeLayer, unlike_layers
from cyclescope.report import format as fmt
from cyclescope.report import naming as wording
from cyclescope.report.page import (
    Align,
    Bar,
    Bars,
    Block,
    Column,
    Heading,
    KeyValues,
    Note,
    Page,
    Paragraph,
    Section,
    Severity,
    Strip,
    Table,
    page_of,
)
from cyclescope.report.sections.arrangement import arrangement_section
from cyclescope.report.sections.device import device_section
from cyclescope.report.sections.experts import experts_section
from cyclescope.report.sections.findings import findings_section
from cyclescope.report.sections.generation import generation_section
from cyclescope.report.sections.memory import memory_section
from cyclescope.report.sections.roofline import roofline_section
from cyclescope.report.sections.throughput import task_facts
from cyclescope.report.words.strings import Strings
from cyclescope.report.words.text_engine import strings_for

MOST_PLACES = 10
# Up to here every layer gets a bar of its own.
_FEW_LAYERS = 4
_NS_PER_S = 1e9


def cycle_page(explanation: Explanation, language: str = "en") -> Page:
    """What `explanation` says, for any medium. Raises `UsageError` for a language that there are no texts of."""
    s = strings_for(language, explanation.cycle.graph)
    blocks = [
        *_opening(explanation, s),
        *_doubts(explanation, s),  # whoever reads the answer must know at once how far to trust it
        *_in_a_row(findings_section(explanation.findings, explanation.cycle.graph)),
        *_in_a_row(generation_section(explanation.generation, explanation.cycle.graph)),
        *_stages(explanation, s),
        *_in_a_row(device_section(explanation.device)),
        *_places(explanation, s),
        *_in_a_row(roofline_section(explanation)),
        *_layers(explanation, s),
        *_arrangement(explanation),
        *_account(explanation, s),
        *_in_a_row(experts_section(explanation.cycle.graph)),
        *_in_a_row(memory_section(explanation.memory, explanation.cycle.graph)),
        *_set_up(explanation, s),
    ]
    return page_of(s.title.format(model=explanation.cycle.workload.model.reference), tuple(blocks))


def _in_a_row(section: Section | None) -> Iterator[Block]:
    """The blocks of a section that stands between others of the old form."""
    if section is not None:
        yield Heading(section.title)
        yield from section.blocks


def _opening(explanation: Explanation, s: Strings) -> Iterator[Block]:
    cycle = explanation.cycle
    if cycle.partial:
        yield Note(Severity.WARNING, s.partial)
    yield Paragraph(wording.answer(explanation, s), lead=True)
    facts: list[tuple[Text, Text]] = list(wording.facts(cycle, s))
    if explanation.wall.n:
        value = s.wall_value.format(
            wall=fmt.estimate(explanation.wall),
            n=fmt.count(explanation.wall.n),
            minimum=fmt.time(explanation.minimum_ns),
            cpu=fmt.time(explanation.cpu.value_ns),
        )
        facts[:0] = [(s.wall, value), *task_facts(explanation)]
    yield KeyValues(tuple(facts))
    for remark in wording.remarks(cycle, s):
        yield Note(Severity.INFO, remark)


def _stages(explanation: Explanation, s: Strings) -> Iterator[Block]:
    if not explanation.answer.stage:
        return
    yield Heading(s.stages)
    columns = (
        Column(s.time, Align.RIGHT),
        Column(s.interval, Align.RIGHT, priority=2),
        Column(s.share, Align.RIGHT, priority=1),
        Column(s.flop_rate, Align.RIGHT, priority=3),
    )
    rows = tuple(
        Bar(
            label=wording.stage_name(row.name, s),
            parts=(row.op_ns, row.python_ns),
            low=row.time.low_ns,
            high=row.time.high_ns,
            cells=(
                fmt.time(row.time.value_ns),
                fmt.plus_minus(row.time),
                fmt.share(row.share),
                _rate(row.cost.flops, row.op_ns),
            ),
        )
        for row in explanation.stages
    )
    yield Bars((s.operations, s.python), columns, rows)


def _places(explanation: Explanation, s: Strings) -> Iterator[Block]:
    shown = [row for row in explanation.places[:MOST_PLACES] if row.time.value_ns > 0]
    if not shown:
        return
    yield Heading(s.costliest)
    columns = (
        Column(s.operation),
        Column(s.time, Align.RIGHT),
        Column(s.interval, Align.RIGHT, priority=3),
        Column(s.share, Align.RIGHT, priority=1),
        Column(s.flop_rate, Align.RIGHT, priority=2),
        Column(s.bandwidth, Align.RIGHT, priority=4),
    )
    yield Table(columns, tuple(_place(row, s) for row in shown))
    others = explanation.places[len(shown) :]
    if others:
        share = sum(row.share for row in others)
        yield Paragraph(s.more_places.format(count=fmt.count(len(others)), share=fmt.share(share)))


def _place(row: GroupRow, s: Strings) -> tuple[str, ...]:
    moved = row.cost.read_bytes + row.cost.written_bytes
    return (
        wording.place(row.place, row.count, s),
        fmt.time(row.time.value_ns),
        fmt.plus_minus(row.time),
        fmt.share(row.share),
        _rate(row.cost.flops, row.time.value_ns),
        fmt.bandwidth(moved / row.time.value_ns * _NS_PER_S) if moved else fmt.UNKNOWN,
    )


def _rate(flops: int, ns: float) -> str:
    """FLOPs per second; an operation without matrix products has no rate, rather than one of 0."""
    return fmt.flop_rate(flops / ns * _NS_PER_S) if flops and ns > 0 else fmt.UNKNOWN


def _layers(explanation: Explanation, s: Strings) -> Iterator[Block]:
    stacks: dict[str, list[LayerRow]] = {}
    for row in explanation.layers:
        stacks.setdefault(row.stage, []).append(row)
    if not stacks or not explanation.answer.stage:
        return
    yield Heading(s.layers)
    for stage, rows in stacks.items():
        if len(rows) <= _FEW_LAYERS:
            yield _layer_bars(rows, s)
            continue
        values = [row.time.value_ns for row in rows]
        unlike = [_unlike(layer, s) for layer in unlike_layers(rows)]
        template = s.layers_unlike if unlike else s.layers_alike
        text = template.format(
            count=len(rows),
            median=fmt.time(statistics.median(values)),
            low=fmt.time(min(values)),
            high=fmt.time(max(values)),
        )
        yield Strip(wording.stage_name(stage, s), tuple(values), text)
        yield from unlike


def _layer_bars(rows: Sequence[LayerRow], s: Strings) -> Bars:
    columns = (
        Column(s.time, Align.RIGHT),
        Column(s.interval, Align.RIGHT, priority=2),
        Column(s.share, Align.RIGHT, priority=1),
    )
    bars = tuple(
        Bar(
            label=f"{wording.stage_name(row.stage, s)} {row.index}",
            parts=(row.time.value_ns - row.python_ns, row.python_ns),
            low=row.time.low_ns,
            high=row.time.high_ns,
            cells=(fmt.time(row.time.value_ns), fmt.plus_minus(row.time), fmt.share(row.share)),
        )
        for row in rows
    )
    return Bars((s.operations, s.python), columns, bars)


def _unlike(layer: UnlikeLayer, s: Strings) -> Note:
    """Why `layer` is not like its fellows: of another class, or of another time."""
    row, time = layer.row, fmt.time(layer.row.time.value_ns)
    stage = wording.stage_name(row.stage, s)
    if layer.other_class:
        text = s.layer_other_class.format(
            stage=stage, layer=row.index, class_name=row.class_name, usual=layer.usual, time=time
        )
        return Note(Severity.INFO, text)
    template = s.layer_slower if layer.factor > 1 else s.layer_faster
    text = template.format(stage=stage, layer=row.index, factor=fmt.significant(layer.factor), time=time)
    return Note(Severity.WARNING if layer.factor > 1 else Severity.INFO, text)


def _arrangement(explanation: Explanation) -> Iterator[Block]:
    if explanation.arrangement:
        cycle = explanation.cycle
        yield from _in_a_row(arrangement_section(explanation.arrangement, cycle.graph, cycle.machine.cores))


def _account(explanation: Explanation, s: Strings) -> Iterator[Block]:
    closure = explanation.closure
    if not closure.rows:
        return
    yield Heading(s.account)
    names = {"operations": s.operations, "python": s.python, "text": s.text_work, "unexplained": s.unexplained}
    columns = (
        Column(s.item),
        Column(s.time, Align.RIGHT),
        Column(s.share_of_wall, Align.RIGHT),
    )
    rows = [
        (
            " · ".join(part for part in (wording.stage_name(row.stage, s), names.get(row.name, row.name)) if part),
            fmt.time(row.time_ns),
            fmt.share(row.share_of_wall),
        )
        for row in closure.rows
    ]
    rows.append((s.wall_row, fmt.time(closure.wall.value_ns), fmt.share(1.0)))
    yield Table(columns, tuple(rows), total=True)
    severity = Severity.GOOD if closure.closes else Severity.WARNING
    yield Note(severity, wording.closure(closure, s))
    yield Paragraph(wording.instrumentation(closure, s))


def _set_up(explanation: Explanation, s: Strings) -> Iterator[Block]:
    rows = wording.set_up(explanation.cycle, s)
    if rows:
        yield Heading(s.set_up)
        yield Paragraph(s.set_up_apart)
        yield KeyValues(rows)


def _doubts(explanation: Explanation, s: Strings) -> Iterator[Block]:
    if explanation.warnings:
        yield Heading(s.doubts)
    for found in explanation.warnings:
        advice = wording.doubt(found, s)
        yield Note(Severity.WARNING, advice.text, advice.remedy)
