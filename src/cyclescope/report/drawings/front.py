"""The geometry of the Pareto front: plans as points of time and drift, with their memory as area."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from cyclescope.core.message import Text
from cyclescope.report import format as fmt
from cyclescope.report.drawings.axis import Decades, Scale, axis, decades

HEIGHT = 240
# Units down: the least drift that is drawn stands above the line of outputs that are identical.
_TOP, _LOWEST, _SAME, _FLOOR = 16.0, 160.0, 196.0, 212.0
_LEFT, _RIGHT = 0.09, 0.97  # shares of the width; labels of drift stand on the left
_LEAST_RADIUS, _MOST_RADIUS = 4.0, 11.0


@dataclass(frozen=True, slots=True)
class TriedPoint:
    """A plan that ran: `time` ÷ the baseline's, its drift (0: identical outputs), and the memory that it held in bytes."""

    time: float
    drift: float
    memory: int
    label: Text
    on_front: bool
    best: bool


@dataclass(frozen=True, slots=True)
class PointShape:
    """A point: per cent across, units down."""

    x: str
    y: str
    radius: str
    label: Text
    kind: str


@dataclass(frozen=True, slots=True)
class MarkShape:
    """A mark of an axis with its label."""

    at: str
    label: str


@dataclass(frozen=True, slots=True)
class FrontShape:
    """All points, those of the front last so that they are seen, with both axes and the line of the baseline's time."""

    points: tuple[PointShape, ...]
    times: tuple[MarkShape, ...]
    drifts: tuple[MarkShape, ...]
    one: str
    same: str
    floor: str
    height: int = HEIGHT


def front_shape(points: Sequence[TriedPoint]) -> FrontShape:
    """The drawing of `points` (one at least)."""
    marks = axis(0.0, max(1.0, *(point.time for point in points)))
    across = Scale(0.0, max(marks[-1], *(point.time for point in points)), _LEFT, _RIGHT)
    drifted = [point.drift for point in points if point.drift > 0]
    scale = decades(drifted) if drifted else None
    largest = max((point.memory for point in points), default=0)
    order = sorted(points, key=lambda point: (point.best, point.on_front))
    return FrontShape(
        points=tuple(
            PointShape(
                across.per_cent(point.time),
                _down(point.drift, scale),
                f"{_radius(point.memory, largest):.1f}",
                point.label,
                "best" if point.best else "front" if point.on_front else "other",
            )
            for point in order
        ),
        times=tuple(MarkShape(across.per_cent(mark), fmt.times(mark)) for mark in marks),
        drifts=tuple(
            MarkShape(_down(mark, scale), fmt.significant(mark, 1)) for mark in (scale.marks if scale else ())
        ),
        one=across.per_cent(1.0),
        same=f"{_SAME:.1f}",
        floor=f"{_FLOOR:.1f}",
    )


def _down(drift: float, scale: Decades | None) -> str:
    if drift <= 0 or scale is None:
        return f"{_SAME:.1f}"
    return Scale(math.log10(scale.low), math.log10(scale.high), _LOWEST, _TOP).units(math.log10(drift))


def _radius(memory: int, largest: int) -> float:
    """Areas are as the memory is; what holds little is still seen."""
    return max(_LEAST_RADIUS, _MOST_RADIUS * math.sqrt(memory / largest)) if largest else _LEAST_RADIUS
