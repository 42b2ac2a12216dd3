"""The geometry of a sweep: time and throughput over what was swept, one line for each value of the other setting."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from cyclescope.predicting.settings import Setting
from cyclescope.predicting.sweep_rows import Sweep, SweepRow
from cyclescope.report.drawings.axis import Scale, Tick, axis, decades, whole_ticks

TOP, FLOOR, WIDE = 10.0, 190.0, 1000  # places downwards, and units across, of a line
MOST_LINES, MOST_MARKS = 6, 40
MOST_POINTS = 200  # of one line: a screen shows no more
_T = TypeVar("_T")
_MARGIN = 0.03  # of the width, on both sides
_FEW_VALUES, _APART = 8, 0.06  # so many values are all named; the share of the width that a name needs
_LOGARITHMIC = 8.0  # from this ratio of the largest to the smallest value on, an axis has a logarithmic scale


@dataclass(frozen=True, slots=True)
class SweepMark:
    """A point of a line: where it is, and whether the cycle turns to compute there, and fits."""

    row: SweepRow
    x: str
    y: str
    turns: bool
    fits: bool


@dataclass(frozen=True, slots=True)
class SweepLine:
    """One line, as paths in units of `WIDE` across: `band` is its interval (empty without one). `of` is its other setting (None: there
    is none). It joins `joined` of its `points`.
    """

    of: Setting | None
    path: str
    band: str
    marks: tuple[SweepMark, ...]
    joined: int
    points: int


@dataclass(frozen=True, slots=True)
class Panel:
    """One quantity over the swept values."""

    lines: tuple[SweepLine, ...]
    ticks: tuple[Tick, ...]


@dataclass(frozen=True, slots=True)
class SweepPlot:
    """Both panels over the values of `across`. `fit` is where the largest batch that fits stands (empty: outside, or of several
    lines). Of all lines `left_out` are not drawn.
    """

    across: str
    time: Panel
    throughput: Panel
    ticks: tuple[Tick, ...]
    fit: str
    left_out: int


def sweep_plot(sweep: Sweep) -> SweepPlot | None:
    """The plot over the last setting with numbers; None where nothing swept is a number."""
    numeric = [name for name in sweep.names if all(isinstance(_value(row, name), int | float) for row in sweep.rows)]
    if not numeric:
        return None
    across = max(numeric, key=lambda name: len({_value(row, name) for row in sweep.rows}))
    lines = _lines(sweep, across)
    chosen = spread(list(lines), MOST_LINES)
    values = sorted({float(_value(row, across)) for key in chosen for row in lines[key]})
    logarithmic = values[0] > 0 and values[-1] >= _LOGARITHMIC * values[0]
    change: Callable[[float], float] = math.log if logarithmic else float
    x = Scale(change(values[0]), change(values[-1]), _MARGIN, 1 - _MARGIN)

    def place(row: SweepRow) -> float:
        return x.at(change(float(_value(row, across))))

    turning = {id(row) for row in sweep.turns}
    kept = {key: lines[key] for key in chosen}
    panels = [
        _panel(kept, place, turning, measure)
        for measure in (
            lambda row: (row.wall.value_ns, row.wall.low_ns, row.wall.high_ns),
            lambda row: (row.tokens_per_s,) * 3,
        )
    ]
    return SweepPlot(
        across,
        panels[0],
        panels[1],
        tuple(
            Tick(value, x.per_cent(change(value)))
            for value in _marked(values, lambda value: x.at(change(value)), logarithmic=logarithmic)
        ),
        _fit(kept, across, x, change),
        len(lines) - len(chosen),
    )


def _lines(sweep: Sweep, across: str) -> dict[Setting | None, list[SweepRow]]:
    found: dict[Setting | None, list[SweepRow]] = {}
    for row in sweep.rows:
        other = next((change for change in row.settings if change.name != across), None)
        found.setdefault(other, []).append(row)
    return {key: sorted(rows, key=lambda row: float(_value(row, across))) for key, rows in found.items()}


def _panel(
    lines: dict[Setting | None, list[SweepRow]],
    place: Callable[[SweepRow], float],
    turning: set[int],
    measure: Callable[[SweepRow], tuple[float, float, float]],
) -> Panel:
    """`measure` gives the value of a row with the ends of its interval."""
    figures = [end for rows in lines.values() for row in rows for end in measure(row)]
    low, high = min(figures), max(figures)
    if low > 0 and high >= _LOGARITHMIC * low:
        reach = decades(figures, room=1.15)
        scale, marks = Scale(math.log(reach.low), math.log(reach.high), FLOOR, TOP), list(reach.marks)
        change: Callable[[float], float] = math.log
    else:
        marks, change = axis(min(low, 0.0), high), float  # from zero: small differences must look small
        scale = Scale(marks[0], marks[-1], FLOOR, TOP)

    def y(value: float) -> float:
        return scale.at(change(value))

    drawn = tuple(_line(of, rows, place, y, turning, measure) for of, rows in lines.items())
    return Panel(drawn, tuple(Tick(mark, f"{y(mark):.2f}") for mark in marks))


def _line(
    of: Setting | None,
    rows: Sequence[SweepRow],
    place: Callable[[SweepRow], float],
    y: Callable[[float], float],
    turning: set[int],
    measure: Callable[[SweepRow], tuple[float, float, float]],
) -> SweepLine:
    shown = [rows[k] for k in spread(range(len(rows)), MOST_POINTS)]
    at = [(WIDE * place(row), *map(y, measure(row))) for row in shown]
    path = "M" + "L".join(f"{x:.1f} {value:.1f}" for x, value, _, _ in at)
    up = [f"{x:.1f} {high:.1f}" for x, _, _, high in at]
    down = [f"{x:.1f} {low:.1f}" for x, _, low, _ in reversed(at)]
    band = "M" + "L".join(up + down) + "z" if any(low != high for _, _, low, high in at) else ""
    few = set(spread(range(len(rows)), MOST_MARKS))
    marks = tuple(
        SweepMark(
            row, f"{100 * place(row):.3f}%", f"{y(measure(row)[0]):.2f}", id(row) in turning, row.fits is not False
        )
        for k, row in enumerate(rows)
        if k in few or id(row) in turning
    )
    return SweepLine(of, path, band, marks, len(shown), len(rows))


def _fit(lines: dict[Setting | None, list[SweepRow]], across: str, x: Scale, change: Callable[[float], float]) -> str:
    """Where the largest batch that fits stands on the axis of one line."""
    most = {row.most_sequences for rows in lines.values() for row in rows}
    (only,) = most if len(most) == 1 else (None,)
    if across != "batch" or not only or not x.low <= change(only) <= x.high:
        return ""
    return x.per_cent(change(only))


def _marked(values: Sequence[float], place: Callable[[float], float], *, logarithmic: bool) -> list[float]:
    """The values of the axis that are named: the swept ones where they are few, else round ones; none beside another's name."""
    if len(values) <= _FEW_VALUES:
        marks = list(values)
    elif logarithmic:
        marks = [mark for mark in decades(values, room=1.0).marks if values[0] <= mark <= values[-1]]
    else:
        marks = [float(tick) for tick in whole_ticks(math.ceil(values[0]), math.floor(values[-1]))]
    kept: list[float] = []
    for mark in marks:
        if not kept or place(mark) - place(kept[-1]) >= _APART:
            kept.append(mark)
    return kept


def spread(items: Sequence[_T], most: int) -> list[_T]:
    """At most `most` of `items`, evenly chosen, the first and the last among them."""
    if len(items) <= most:
        return list(items)
    return [items[round(k * (len(items) - 1) / (most - 1))] for k in range(most)]


def _value(row: SweepRow, name: str) -> float | int | str:
    return next(change.value for change in row.settings if change.name == name)
