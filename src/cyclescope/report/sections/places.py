"""The costliest work: every place of the model added up over its layers, and single operations."""

from __future__ import annotations

from cyclescope.core.graph.op import Cost, OpKind
from cyclescope.core.message import Series, Text, m, sentences
from cyclescope.core.statistics import Estimate
from cyclescope.core.units import NS_PER_S
from cyclescope.explaining.explanation import Explanation, GroupRow, OperationRow
from cyclescope.report import format as fmt
from cyclescope.report.drawings.link_targets import LinkTargets
from cyclescope.report.drawings.spans import FAMILIES
from cyclescope.report.naming.kinds import KINDS
from cyclescope.report.naming.predicting import interval_name, is_predicted, term
from cyclescope.report.naming.stages import place_name, stage_name
from cyclescope.report.page import Align, Cell, Column, Details, Emphasis, Section, Table

SHOWN_PLACES = 10
MOST_PLACES = 60
MOST_OPERATIONS = 100


def places_section(explanation: Explanation, links: LinkTargets) -> Section | None:
    """Places by their time, and on demand single operations; None where nothing was measured."""
    rows = tuple(row for row in explanation.places[:MOST_PLACES] if row.time.value_ns > 0)
    if not rows:
        return None
    columns = (Column(m("operation")), _kind(), Column(m("count"), Align.RIGHT, html=True), *_numbers(explanation))
    cells = tuple(_place(row, links) for row in rows)
    caption = m("Costliest places, the same place of every layer added up")
    table = Table(
        columns, cells, False, caption, SHOWN_PLACES, _others(explanation, min(SHOWN_PLACES, len(rows))), True
    )
    notes = [m("Every place of the model, added up over its layers. Sort by any column.")]
    if links.ops:
        notes.append(m("A name leads to the span in the timeline, that of a place to the longest one drawn."))
    note = sentences(*notes)
    blocks = (table, _operations(explanation, links))
    return Section("costliest", m("Costliest operations"), blocks, note, wide=True)


def _others(explanation: Explanation, shown: int) -> Text:
    others = explanation.places[shown:]
    if not others:
        return ""
    return m(
        "Everything else ({count} places) takes {share}.",
        count=fmt.count(len(others)),
        share=fmt.share(sum(row.share for row in others)),
    )


def _operations(explanation: Explanation, links: LinkTargets) -> Details:
    rows = tuple(row for row in explanation.operations[:MOST_OPERATIONS] if row.time.value_ns > 0)
    location = Column(m("location"), emphasis=Emphasis.PATH)
    caption = m(
        "The {shown} costliest of {all} operations", shown=len(rows), all=fmt.count(len(explanation.operations))
    )
    cells = tuple(_operation(row, links) for row in rows)
    table = Table(
        (Column(m("operation")), location, _kind(), *_numbers(explanation)), cells, caption=caption, sortable=True
    )
    return Details(m("Single operations, each at one location"), (table,))


def _kind() -> Column:
    return Column(m("kind"), html=True)


def _numbers(explanation: Explanation) -> tuple[Column, ...]:
    predicted = is_predicted(explanation.cycle)
    return (
        Column(m("time"), Align.RIGHT, emphasis=Emphasis.STRONG),
        Column(interval_name(predicted), Align.RIGHT, priority=3, emphasis=Emphasis.SOFT),
        Column(m("share"), Align.RIGHT, priority=1, term=term("share", predicted)),
        Column("FLOP", Align.RIGHT, term="flops", html=True),
        Column("FLOP/s", Align.RIGHT, priority=2, term=term("rate", predicted)),
        Column(m("bytes"), Align.RIGHT, term="bytes", html=True),
        Column(m("bytes/s"), Align.RIGHT, priority=4, term=term("rate", predicted)),
    )


def _place(row: GroupRow, links: LinkTargets) -> tuple[Text | Cell, ...]:
    name = Cell(place_name(row.place, row.count), links.places.get(row.place))
    count = Cell(fmt.count(row.count), sort=row.count)
    return (name, _kind_cell(row.kind), count, *_figures(row.time, row.share, row.cost))


def _operation(row: OperationRow, links: LinkTargets) -> tuple[Text | Cell, ...]:
    stage = stage_name(row.site.stage)
    layer = "" if row.site.layer is None else f" {row.site.layer}"
    location = Series((Series((stage, layer)), row.site.module), " · ")
    name = Cell(row.name, links.ops.get(row.op))
    return (name, location, _kind_cell(row.kind), *_figures(row.time, row.share, row.cost))


def _kind_cell(kind: OpKind) -> Cell:
    return Cell(KINDS[kind], swatch=f"k-{FAMILIES.get(kind.value, 'other')}")


def _figures(time: Estimate, share: float, cost: Cost) -> tuple[Cell, ...]:
    """Time, interval, share, FLOPs and bytes with their rates; work without any has no rate rather than one of 0."""
    moved = cost.read_bytes + cost.written_bytes
    measured = time.value_ns > 0
    flop_rate = cost.flops / time.value_ns * NS_PER_S if cost.flops and measured else None
    bandwidth = moved / time.value_ns * NS_PER_S if moved and measured else None
    return (
        Cell(fmt.time(time.value_ns), sort=time.value_ns),
        Cell(fmt.plus_minus(time), sort=time.half_width),
        Cell(fmt.share(share), sort=share),
        Cell(fmt.flops(cost.flops) if cost.flops else fmt.UNKNOWN, sort=cost.flops),
        Cell(fmt.flop_rate(flop_rate), sort=flop_rate or 0),
        Cell(fmt.data(moved), sort=moved),
        Cell(fmt.bandwidth(bandwidth), sort=bandwidth or 0),
    )
