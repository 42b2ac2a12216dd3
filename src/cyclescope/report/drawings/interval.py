"""The geometry of an interval on a line: a ratio with its ends, and what it is held against."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cyclescope.core.message import Text
from cyclescope.core.statistics import Ratio
from cyclescope.report import format as fmt
from cyclescope.report.drawings.axis import Scale, axis

# Places of the line as shares of the width: room for the last label on both sides.
_BEGIN, _END = 0.04, 0.96


@dataclass(frozen=True, slots=True)
class TickShape:
    """A mark of the axis: its place in per cent of the width, and its label."""

    x: str
    label: str


@dataclass(frozen=True, slots=True)
class IntervalShape:
    """An interval on a line with 1 on it. All are places in per cent of the width; a band without a length is not drawn."""

    value: str
    low: str
    high: str
    length: str
    one: str
    band: str
    band_length: str
    ticks: tuple[TickShape, ...]
    caption: Text = ""


def interval_shape(
    ratio: Ratio, threshold: float = 0.0, others: Sequence[float] = (), caption: Text = ""
) -> IntervalShape:
    """`ratio` with its interval on an axis that holds 1, a band of `threshold` (a share) around 1, and `others`."""
    upper = 1 + threshold
    lower = 1 / upper
    ends = [ratio.low, ratio.high, ratio.value, lower, upper, *others]
    marks = axis(min(ends), max(ends))
    scale = Scale(min(marks[0], *ends), max(marks[-1], *ends), _BEGIN, _END)
    length = Scale(0.0, scale.high - scale.low, 0.0, _END - _BEGIN)
    return IntervalShape(
        value=scale.per_cent(ratio.value),
        low=scale.per_cent(ratio.low),
        high=scale.per_cent(ratio.high),
        length=length.per_cent(ratio.high - ratio.low),
        one=scale.per_cent(1.0),
        band=scale.per_cent(lower),
        band_length=length.per_cent(upper - lower) if threshold else "",
        ticks=tuple(TickShape(scale.per_cent(mark), fmt.times(mark)) for mark in marks),
        caption=caption,
    )


@dataclass(frozen=True, slots=True)
class ChangeShape:
    """A bar that grows from the middle: to the right for more, to the left for less. Places in per cent of the width."""

    x: str
    width: str
    more: bool


def change_shape(delta: float, largest: float) -> ChangeShape:
    """The bar of a change, where one of `largest` fills its half."""
    part = min(1.0, abs(delta) / largest) / 2 if largest else 0.0
    scale = Scale(0.0, 1.0, 0.0, 1.0)
    return ChangeShape(scale.per_cent(0.5 if delta > 0 else 0.5 - part), scale.per_cent(part), delta > 0)


@dataclass(frozen=True, slots=True)
class RatioShape:
    """A bar from 0 to a ratio with its interval as whiskers, and a line at 1. Places in per cent of the width.

    `verdict` is `good`, `bad`, or `even` where the interval holds 1.
    """

    width: str
    low: str
    high: str
    one: str
    whisker: bool
    verdict: str


def ratio_shape(ratio: Ratio, largest: float, *, less_is_good: bool = True) -> RatioShape:
    """The bar of `ratio`, where one of `largest` fills the width; what reaches beyond is cut there."""
    verdict = "even" if ratio.low <= 1 <= ratio.high else "good" if (ratio.high < 1) is less_is_good else "bad"
    scale = Scale(0.0, max(1.0, largest), 0.0, 1.0)
    value, low, high = (scale.per_cent(min(scale.high, end)) for end in (ratio.value, ratio.low, ratio.high))
    return RatioShape(value, low, high, scale.per_cent(1.0), ratio.has_interval, verdict)
