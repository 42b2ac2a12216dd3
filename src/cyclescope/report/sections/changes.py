"""What changed from one cycle to another: by stage, layer, kind of work and place."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cyclescope.core.message import Message, Series, Text, m, plural
from cyclescope.core.statistics import Estimate
from cyclescope.explaining.changes import PartChange
from cyclescope.explaining.comparison import Comparison
from cyclescope.report import format as fmt
from cyclescope.report.drawings.interval import change_shape
from cyclescope.report.naming.between import between_label_of_both
from cyclescope.report.naming.changes import often, part_name, ratio_cell
from cyclescope.report.page import Align, Block, Cell, Column, Details, Drawing, Emphasis, Paragraph, Section, Table

# Rows of places that media without much room show, and that HTML shows at once.
MOST_PLACES, MOST_ROWS = 10, 30
# Up to here a narrow medium shows every layer.
_FEW_LAYERS = 6
_COLUMNS = (
    Column(m("part")),
    Column("A", Align.RIGHT, priority=2),
    Column("B", Align.RIGHT, priority=2),
    Column(m("B − A"), Align.RIGHT, emphasis=Emphasis.STRONG),
    Column(m("less ◂ B − A ▸ more"), html=True),
    Column(m("B ÷ A"), Align.RIGHT, priority=1),
)


def change_sections(comparison: Comparison) -> Iterator[Section]:
    """A section for each way to part the cycles; none where one of them has no instrumented run."""
    if not comparison.stages:
        return
    # One scale for all, so that bars of different tables can be held against each other.
    largest = max(abs(change.delta_ns) for part in (comparison.stages, comparison.kinds) for change in part)
    rows = _Rows(between_label_of_both(comparison.a.graph, comparison.b.graph), largest)
    note = m(
        "Times of parts come from the instrumented runs, less the cost of their timestamps. In each table the changes add "
        "up to the change of all attributed time."
    )
    total = (
        m("all attributed time"),
        fmt.time(comparison.attributed_a_ns),
        fmt.time(comparison.attributed_b_ns),
        fmt.time_difference(comparison.attributed_delta_ns),
        "",
        fmt.times(comparison.attributed_b_ns / comparison.attributed_a_ns if comparison.attributed_a_ns else None),
    )
    stages = Table(_COLUMNS, (*rows.of(comparison.stages), total), total=True)
    yield Section("stages", m("Stages"), (stages, Paragraph(note, soft=True)), wide=True)
    layers = [change for change in comparison.layers if change.layer is not None]
    if layers:
        yield Section("layers", m("Layers"), tuple(_layers(layers, rows)), wide=True)
    kinds = [change for change in comparison.kinds if change.delta_ns]
    yield Section("kinds", m("Kinds of work"), (Table(_COLUMNS, rows.of(kinds)),), wide=True)
    yield Section("operations", m("Largest changes by place"), tuple(_places(comparison.operations, rows)), wide=True)


@dataclass(frozen=True, slots=True)
class _Rows:
    """Makes rows of changes: `between` names what runs between operations, `largest` is the change that fills a bar."""

    between: Message
    largest: float

    def of(self, changes: Sequence[PartChange]) -> tuple[tuple[Text | Cell, ...], ...]:
        return tuple(map(self._row, changes))

    def _row(self, change: PartChange) -> tuple[Text | Cell, ...]:
        name = part_name(change, self.between)
        if change.kind and (times := often(change)):
            name = Series((name, times))
        return (
            name,
            time_cell(change.a),
            time_cell(change.b),
            Cell(fmt.time_difference(change.delta_ns), sort=change.delta_ns),
            Cell("", drawing=Drawing("change", change_shape(change.delta_ns, self.largest))),
            ratio_cell(change),
        )


def time_cell(time: Estimate | None) -> Cell:
    """The time of a part in one of the cycles, which may not have it."""
    return Cell(fmt.time(time.value_ns), sort=time.value_ns) if time else Cell(fmt.UNKNOWN, sort=0.0)


def changed(change: PartChange) -> bool:
    """Whether the change is beyond its interval, which too few samples do not have."""
    ratio = change.ratio
    return ratio is None or (ratio.has_interval and (ratio.low > 1 or ratio.high < 1))


def _layers(layers: Sequence[PartChange], rows: _Rows) -> Iterator[Block]:
    """All layers in their order; of many, those with the largest changes first."""
    if len(layers) <= _FEW_LAYERS:
        yield Table(_COLUMNS, rows.of(layers))
        return
    beyond = sum(map(changed, layers))
    yield Paragraph(_summary(layers, beyond))
    ordered = sorted(layers, key=lambda change: (not changed(change), -abs(change.delta_ns)))
    yield Table(_COLUMNS, rows.of(ordered), shown=min(_FEW_LAYERS, beyond or len(layers)), sortable=True)


def _summary(layers: Sequence[PartChange], beyond: int) -> Text:
    count = fmt.count(len(layers))
    if beyond:
        return m(
            "{changed} of {count} layers changed beyond their intervals; the largest changes:",
            changed=fmt.count(beyond),
            count=count,
        )
    if any(change.ratio is None or change.ratio.has_interval for change in layers):
        return m("None of {count} layers changed beyond its interval; the largest changes:", count=count)
    return m("Too few cycles to say which of {count} layers changed; the largest changes:", count=count)


def _places(operations: Sequence[PartChange], rows: _Rows) -> Iterator[Block]:
    """Places by the size of their change. HTML has all of them, the smaller ones on demand."""
    more = _others(operations[MOST_PLACES:]) if len(operations) > MOST_PLACES else ""
    first = rows.of(operations[:MOST_ROWS])
    yield Table(_COLUMNS, first, shown=MOST_PLACES, more=more, sortable=True)
    if others := operations[MOST_ROWS:]:
        yield Details(_others(others), (Table(_COLUMNS, rows.of(others), sortable=True),))


def _others(changes: Sequence[PartChange]) -> Text:
    return plural(
        "{n} more place changes by {change}.",
        "{n} more places change by {change} together.",
        len(changes),
        n=fmt.count(len(changes)),
        change=fmt.time_difference(sum(change.delta_ns for change in changes)),
    )
