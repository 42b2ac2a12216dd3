"""The geometry of bars: times as positions. Nothing here is shown as a number, so nothing here is `format`'s."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cyclescope.core.statistics import Estimate
from cyclescope.report.page import Bar


@dataclass(frozen=True, slots=True)
class BarShape:
    """A bar as percentages of its width: where each part begins and how long it is, and the ends of its interval."""

    parts: tuple[tuple[str, str], ...]
    low: str
    high: str
    whisker: bool


@dataclass(frozen=True, slots=True)
class ColumnShape:
    """A vertical bar: horizontal places in per cent, heights in units of the drawing, which grow downwards."""

    x: str
    width: str
    middle: str
    op_y: str
    op_height: str
    python_y: str
    python_height: str
    low_y: str
    high_y: str


@dataclass(frozen=True, slots=True)
class SegmentShape:
    """A piece of a stacked bar in per cent."""

    x: str
    width: str


# Above the highest column and below the lowest there is room for the ends of whiskers and for the numbers of layers.
TOP, FLOOR = 4.0, 102.0


def _percent(part: float) -> str:
    return f"{100 * part:.3f}%"


def _units(value: float) -> str:
    return f"{value:.2f}"


def bar_shape(bar: Bar, longest: float) -> BarShape:
    """The shape of `bar` where `longest` fills the width."""
    scale = 1 / longest if longest > 0 else 0.0
    reached, parts = 0.0, []
    for part in bar.parts:
        parts.append((_percent(reached * scale), _percent(part * scale)))
        reached += part
    return BarShape(tuple(parts), _percent(bar.low * scale), _percent(bar.high * scale), bar.high > bar.low)


def column_shape(
    position: int, columns: int, op_ns: float, python_ns: float, time: Estimate, top_ns: float
) -> ColumnShape:
    """Column `position` of `columns`, where `top_ns` reaches the top."""
    scale = (FLOOR - TOP) / top_ns if top_ns > 0 else 0.0
    op, python = op_ns * scale, python_ns * scale
    pitch = 1 / columns
    return ColumnShape(
        x=_percent((position + 0.14) * pitch),
        width=_percent(0.72 * pitch),
        middle=_percent((position + 0.5) * pitch),
        op_y=_units(FLOOR - op),
        op_height=_units(op),
        python_y=_units(FLOOR - op - python),
        python_height=_units(python),
        low_y=_units(FLOOR - time.low_ns * scale),
        high_y=_units(FLOOR - time.high_ns * scale),
    )


def height_of(ns: float, top_ns: float) -> str:
    """Where a horizontal line at `ns` stands in a strip of columns."""
    return _units(FLOOR - (FLOOR - TOP) * ns / top_ns) if top_ns > 0 else _units(FLOOR)


def segments(times_ns: Sequence[float], whole_ns: float) -> list[SegmentShape]:
    """Pieces one after the other, where `whole_ns` fills the width. A negative piece has no width."""
    scale = 1 / whole_ns if whole_ns > 0 else 0.0
    shapes, at = [], 0.0
    for ns in times_ns:
        width = max(ns, 0.0) * scale
        shapes.append(SegmentShape(_percent(at), _percent(width)))
        at += width
    return shapes


def place(ns: float, whole_ns: float) -> str:
    """Where `ns` stands on a width that `whole_ns` fills."""
    return _percent(ns / whole_ns if whole_ns > 0 else 0.0)
