"""The geometry of the growth curve: steps over positions as places in a drawing. Nothing here is shown as a number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cyclescope.core.statistics import Estimate
from cyclescope.explaining.generation import StepRow
from cyclescope.explaining.metrics.definition import MetricName, define
from cyclescope.explaining.metrics.trend import Trend, theil_sen
from cyclescope.report.drawings.axis import Scale, Tick, axis, whole_ticks
from cyclescope.report.drawings.bars import place

# Vertical places of both drawings, in units that grow downwards: room for the ends of whiskers above, for ticks below.
TOP, FLOOR, CACHE_TOP, CACHE_FLOOR = 10.0, 190.0, 8.0, 64.0
_MARGIN = 0.025  # of the width, at both sides at least, so that the first and last points do not stand on the edge
# More steps than this run into each other; of each few neighbours the one in the middle stands for them.
MOST_POINTS = 200
# No line is fitted through fewer steps than the metric `growth` asks for; the prefill wrote one of its tokens.
_LEAST_TREND = define(MetricName.GROWTH.value).least_tokens - 1


@dataclass(frozen=True, slots=True)
class Point:
    """One decode step. `time` is from token to token, unprofiled, where that was taken, else that of the instrumented runs."""

    step: StepRow
    time: Estimate
    x: str
    y: str
    low_y: str
    high_y: str
    cache_x: str
    cache_y: str
    cache_height: str


@dataclass(frozen=True, slots=True)
class Line:
    """The fitted line from the first to the last position."""

    x1: str
    y1: str
    x2: str
    y2: str


@dataclass(frozen=True, slots=True)
class Curve:
    """Both drawings, on one scale of positions. `grouped` steps stand behind each point; `from_zero` of the time's axis."""

    points: tuple[Point, ...]
    grouped: int
    unprofiled: bool
    trend: Trend | None
    line: Line | None
    positions: tuple[Tick, ...]
    times: tuple[Tick, ...]
    from_zero: bool
    cache: tuple[Tick, ...]
    cache_width: str


def curve(steps: Sequence[StepRow]) -> Curve | None:
    """The decode steps among `steps` as a curve; None where there are fewer than two."""
    decode = [step for step in steps if step.step > 0]
    if len(decode) < 2:
        return None
    unprofiled = all(step.gap is not None for step in decode)
    timed = [(step, _time(step, unprofiled)) for step in decode]
    trend, intercept = _fit(timed)
    few = -(-len(timed) // MOST_POINTS)
    shown = [_middle(timed[k : k + few]) for k in range(0, len(timed), few)]
    first, last = decode[0].position, decode[-1].position
    margin = max(_MARGIN, 0.5 / len(shown))  # room for half a bar
    across = Scale(first, last, margin, 1 - margin)
    fitted = [intercept + trend.slope * at for at in (first, last)] if trend else []
    times = axis(
        min(min(time.low_ns for _, time in shown), *fitted, *(time.value_ns for _, time in shown)),
        max(max(time.high_ns for _, time in shown), *fitted, *(time.value_ns for _, time in shown)),
    )
    down = Scale(times[0], times[-1], FLOOR, TOP)
    most = max(step.cache_bytes for step in decode)
    sizes = axis(0, most) if most else []
    bytes_down = Scale(0, sizes[-1] if sizes else 1, CACHE_FLOOR, CACHE_TOP)
    pitch = (1 - 2 * margin) / max(len(shown) - 1, 1)
    return Curve(
        points=tuple(_point(step, time, across, down, bytes_down, 0.36 * pitch) for step, time in shown),
        grouped=few,
        unprofiled=unprofiled,
        trend=trend,
        line=Line(across.per_cent(first), down.units(fitted[0]), across.per_cent(last), down.units(fitted[1]))
        if fitted
        else None,
        positions=tuple(Tick(at, across.per_cent(at)) for at in whole_ticks(first, last)),
        times=tuple(Tick(at, down.units(at)) for at in times),
        from_zero=times[0] == 0,
        cache=tuple(Tick(at, bytes_down.units(at)) for at in (sizes[0], sizes[-1])) if sizes else (),
        cache_width=place(0.72 * pitch, 1),
    )


def _time(step: StepRow, unprofiled: bool) -> Estimate:
    return step.gap if unprofiled and step.gap is not None else step.time


def _fit(timed: Sequence[tuple[StepRow, Estimate]]) -> tuple[Trend | None, float]:
    """The trend over all points, as the metric `growth` has it, and the line's height at position 0."""
    if len(timed) < _LEAST_TREND:
        return None, 0.0
    positions = np.asarray([step.position for step, _ in timed], dtype=np.float64)
    times = np.asarray([time.value_ns for _, time in timed], dtype=np.float64)
    trend = theil_sen(positions, times)
    return trend, float(np.median(times - trend.slope * positions))


def _middle(neighbours: Sequence[tuple[StepRow, Estimate]]) -> tuple[StepRow, Estimate]:
    """The step with the median time."""
    return sorted(neighbours, key=lambda pair: pair[1].value_ns)[(len(neighbours) - 1) // 2]


def _point(step: StepRow, time: Estimate, across: Scale, down: Scale, bytes_down: Scale, half: float) -> Point:
    top = bytes_down.at(step.cache_bytes)
    return Point(
        step=step,
        time=time,
        x=across.per_cent(step.position),
        y=down.units(time.value_ns),
        low_y=down.units(time.low_ns),
        high_y=down.units(time.high_ns),
        cache_x=place(across.at(step.position) - half, 1),
        cache_y=f"{top:.2f}",
        cache_height=f"{CACHE_FLOOR - top:.2f}",
    )
