"""The layers of each stack beside each other; one that differs from the others is named with its reason."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence

from cyclescope.core.graph.graph import Graph
from cyclescope.core.message import Series, Text, m, plural
from cyclescope.explaining.explanation import Explanation, LayerRow
from cyclescope.explaining.siblings import UnlikeLayer, unlike_layers
from cyclescope.report import format as fmt
from cyclescope.report.drawings.columns import layer_columns
from cyclescope.report.naming.between import between, between_label, between_short, native_label
from cyclescope.report.naming.predicting import interval_name, is_predicted, term
from cyclescope.report.naming.stages import stage_name
from cyclescope.report.page import (
    Align,
    Bar,
    Bars,
    Block,
    Cell,
    Column,
    Details,
    Drawing,
    Emphasis,
    Note,
    Section,
    Severity,
    Strip,
    Table,
)

MOST_ROWS = 200
# Up to here every layer gets a bar.
_FEW_LAYERS = 4


def layers_section(explanation: Explanation) -> Section | None:
    """Every stack of layers; None where nothing repeats or nothing was measured."""
    stacks: dict[str, list[LayerRow]] = {}
    for row in explanation.layers:
        stacks.setdefault(row.stage, []).append(row)
    if not stacks or not explanation.answer.stage:
        return None
    graph = explanation.cycle.graph
    predicted = is_predicted(explanation.cycle)
    blocks = [block for stage, rows in stacks.items() for block in _stack(stage, rows, graph, predicted)]
    note = m("Layers of one stack do the same work; one that differs has a reason. The dashed line is their median.")
    return Section("layers", m("Layers"), (*blocks, _table(explanation)), note)


def _stack(stage: str, rows: Sequence[LayerRow], graph: Graph, predicted: bool) -> Iterator[Block]:
    if len(rows) <= _FEW_LAYERS:
        yield _bars(rows, graph, predicted)
        return
    values = tuple(row.time.value_ns for row in rows)
    unlike = unlike_layers(rows)
    figures = {
        "median": fmt.time(statistics.median(values)),
        "low": fmt.time(min(values)),
        "high": fmt.time(max(values)),
    }
    text: Text = (
        plural(
            "{n} layer: median {median}, from {low} to {high}",
            "{n} layers: median {median}, from {low} to {high}",
            len(rows),
            **figures,
        )
        if unlike
        else plural(
            "{n} layer alike: median {median}, from {low} to {high}",
            "{n} layers alike: median {median}, from {low} to {high}",
            len(rows),
            **figures,
        )
    )
    drawn = layer_columns(stage, rows, graph, predicted=predicted)
    spoken = text
    if drawn.grouped > 1:
        few = fmt.count(drawn.grouped)
        spoken = m("{layers}; each column is the heaviest of {few} neighbours", layers=text, few=few)
    yield Strip(stage_name(stage), values, text, Drawing("columns", drawn, spoken))
    yield from map(_unlike, unlike)


def _bars(rows: Sequence[LayerRow], graph: Graph, predicted: bool) -> Bars:
    native = has_native(rows)
    columns = (
        Column(m("time"), Align.RIGHT, emphasis=Emphasis.STRONG),
        Column(
            interval_name(predicted), Align.RIGHT, priority=2, term=term("interval", predicted), emphasis=Emphasis.SOFT
        ),
        Column(m("share"), Align.RIGHT, priority=1, term=term("share", predicted)),
    )
    bars = tuple(
        Bar(
            _name(row),
            (row.op_ns, row.python_ns, *((row.native_ns,) if native else ())),
            *((row.time.low_ns, row.time.high_ns) if fmt.has_interval(row.time) else (0.0, 0.0)),
            (fmt.time(row.time.value_ns), fmt.plus_minus(row.time), fmt.share(row.share)),
        )
        for row in rows
    )
    legend = (m("operations"), between_label(graph), *((native_label(),) if native else ()))
    return Bars(legend, columns, bars, m("layer"), _caption(graph))


def _table(explanation: Explanation) -> Details:
    """Every layer in its order, or the costliest where they are too many."""
    rows, graph = explanation.layers, explanation.cycle.graph
    native = has_native(rows)
    caption: Text = _caption(graph)
    if len(rows) > MOST_ROWS:
        caption = m(
            "Time of the {shown} costliest of {all} layers, {between} inside them included",
            shown=fmt.count(MOST_ROWS),
            all=fmt.count(len(rows)),
            between=between(graph),
        )
        rows = tuple(sorted(rows, key=lambda row: -row.time.value_ns)[:MOST_ROWS])
    columns = (
        Column(m("layer")),
        Column(m("class"), emphasis=Emphasis.PATH),
        Column(m("time"), Align.RIGHT, emphasis=Emphasis.STRONG),
        Column(interval_name(is_predicted(explanation.cycle)), Align.RIGHT, emphasis=Emphasis.SOFT),
        Column(between_short(graph), Align.RIGHT),
        *((Column(m("native code"), Align.RIGHT),) if native else ()),
        Column(m("share"), Align.RIGHT),
        Column("FLOP", Align.RIGHT),
    )
    cells = tuple(_row(k, row, native=native) for k, row in enumerate(rows, start=1))
    return Details(m("All layers as a table"), (Table(columns, cells, caption=caption, sortable=True),), printed=True)


def has_native(rows: Sequence[LayerRow]) -> bool:
    """Whether native code that was not traced ran in one of these layers."""
    return any(row.native_ns > 0 for row in rows)


def _row(number: int, row: LayerRow, *, native: bool) -> tuple[Text | Cell, ...]:
    return (
        Cell(_name(row), sort=number),
        row.class_name,
        Cell(fmt.time(row.time.value_ns), sort=row.time.value_ns),
        Cell(fmt.plus_minus(row.time), sort=row.time.half_width),
        Cell(fmt.time(row.python_ns), sort=row.python_ns),
        *((Cell(fmt.time(row.native_ns), sort=row.native_ns),) if native else ()),
        Cell(fmt.share(row.share), sort=row.share),
        Cell(fmt.flops(row.cost.flops) if row.cost.flops else fmt.UNKNOWN, sort=row.cost.flops),
    )


def _name(row: LayerRow) -> Text:
    return Series((stage_name(row.stage), str(row.index)), " ")


def _caption(graph: Graph) -> Text:
    return m("Time of each layer, {between} inside it included", between=between(graph))


def _unlike(layer: UnlikeLayer) -> Note:
    """Why `layer` is not like the others: of another class, or of another time."""
    row = layer.row
    where = {"stage": stage_name(row.stage), "layer": row.index, "time": fmt.time(row.time.value_ns)}
    if layer.other_class:
        text = m(
            "{stage} {layer} is a {class_name}, most are {usual} ({time})",
            **where,
            class_name=row.class_name,
            usual=layer.usual,
        )
        return Note(Severity.INFO, text)
    factor = fmt.significant(layer.factor)
    if layer.factor > 1:
        slower = m("{stage} {layer} takes {factor} times as long as the median layer ({time})", **where, factor=factor)
        return Note(Severity.WARNING, slower)
    faster = m("{stage} {layer} takes only {factor} of the time of the median layer ({time})", **where, factor=factor)
    return Note(Severity.INFO, faster)
