"""The geometry of axes: values as places, and the round values that are marked."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from cyclescope.report.drawings.bars import place

_MOST_TICKS = 5


@dataclass(frozen=True, slots=True)
class Tick:
    """A mark at `value` on an axis, at `at` in the drawing: per cent across, units down."""

    value: float
    at: str


@dataclass(frozen=True, slots=True)
class Scale:
    """Values `low` … `high` on places `begin` … `end`."""

    low: float
    high: float
    begin: float
    end: float

    def at(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low) if self.high > self.low else 0.5
        return self.begin + (self.end - self.begin) * share

    def per_cent(self, value: float) -> str:
        return place(self.at(value), 1)

    def units(self, value: float) -> str:
        return f"{self.at(value):.2f}"


def axis(low: float, high: float) -> list[float]:
    """Round marks around [low, high]; from zero where the growth is not small beside the value."""
    if low < high / 2:
        low = min(low, 0.0)
    step = _nice((high - low) / (_MOST_TICKS - 1) or abs(high) / _MOST_TICKS or 1.0)
    first, last = math.floor(low / step), max(math.ceil(high / step), math.floor(low / step) + 1)
    return [k * step for k in range(first, last + 1)]


def whole_ticks(low: int, high: int) -> list[int]:
    step = max(1, round(_nice((high - low) / _MOST_TICKS)))
    return list(range(-(-low // step) * step, high + 1, step))


@dataclass(frozen=True, slots=True)
class Decades:
    """A logarithmic axis `low` … `high` with round marks inside."""

    low: float
    high: float
    marks: tuple[float, ...]


def decades(values: Sequence[float], room: float = 1.6) -> Decades:
    """The axis that shows all of the positive `values` and the factor `room` beside them.

    Where fewer than three powers of ten are on it, their doubles and halves are marked too.
    """
    low, high = min(values) / room, max(values) * room
    powers = range(math.floor(math.log10(low)) - 1, math.ceil(math.log10(high)) + 1)
    fine = [factor * 10.0**power for power in powers for factor in (1, 2, 5)]
    coarse = [10.0**power for power in powers]
    marks = [mark for mark in coarse if low <= mark <= high]
    if len(marks) < 3:
        marks = [mark for mark in fine if low <= mark <= high]
    if not marks:  # less than a doubling: the axis reaches down to the next mark
        marks = [max(mark for mark in fine if mark < low)]
        low = marks[0]
    return Decades(low, high, tuple(marks))


def _nice(least: float) -> float:
    """1, 2 or 5 times a power of ten, at least `least`."""
    power = 10.0 ** math.floor(math.log10(max(least, 1e-9)))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= least * (1 - 1e-9))
