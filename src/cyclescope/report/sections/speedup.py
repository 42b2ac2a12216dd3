"""The speedup of a plan over the baseline: its number, and its interval as a picture."""

from __future__ import annotations

from collections.abc import Iterator

from cyclescope.core.message import Text, m
from cyclescope.core.statistics import Ratio
from cyclescope.report import format as fmt
from cyclescope.report.drawings.interval import interval_shape
from cyclescope.report.page import Drawing, Headline


def speedup_of(ratio: Ratio) -> Ratio:
    """`ratio`, the time of a plan ÷ that of the baseline, the other way round. An end at infinity is the value itself."""
    value = 1 / ratio.value
    return Ratio(value, 1 / ratio.high, 1 / ratio.low if ratio.low > 0 else value, ratio.n)


def speedup_range(ratio: Ratio) -> tuple[str, str]:
    """The ends of the speedup as they are shown; an end at infinity is unknown."""
    return fmt.significant(1 / ratio.high), fmt.significant(1 / ratio.low) if ratio.low > 0 else fmt.UNKNOWN


def speedup_figure(ratio: Ratio, below: Text) -> Headline:
    """The speedup as a headline number."""
    low, high = speedup_range(ratio)
    return Headline(m("Speedup"), fmt.times(1 / ratio.value), f"[{low} – {high}]" if ratio.has_interval else "", below)


def speedup_drawing(ratio: Ratio) -> Iterator[Drawing]:
    """The interval on a line with the baseline at 1; none where there is no interval."""
    if not ratio.has_interval or ratio.low <= 0:
        return
    low, high = speedup_range(ratio)
    text = m(
        "Speedup {speedup} ({low} – {high}); the baseline is at 1.",
        speedup=fmt.significant(1 / ratio.value),
        low=low,
        high=high,
    )
    shape = interval_shape(speedup_of(ratio), caption=m("Speedup over the baseline with its 99 % interval"))
    yield Drawing("interval", shape, text)
