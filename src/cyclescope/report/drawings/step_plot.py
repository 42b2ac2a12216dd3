"""The geometry of the memory curve: bytes over operations as a step plot. Nothing here is shown as a number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cyclescope.report.drawings.axis import Scale, Tick, axis, whole_ticks

# Vertical places in units that grow downwards: room for the names of two peaks above, for ticks below.
TOP, FLOOR = 42.0, 190.0
_LABEL_LINES = (12.0, 27.0)
# A screen shows no more than this, and as many points can be pointed at.
MOST_STEPS = 200
# A name this near an edge begins, or ends, at its mark.
_NEAR_EDGE = 0.3


@dataclass(frozen=True, slots=True)
class CurveStep:
    """A step of the curve: operations `first` to `last`, both included. `most` is the one of the computed bytes."""

    first: int
    last: int
    most: int
    computed: int
    measured: int | None
    x: str
    y: str


@dataclass(frozen=True, slots=True)
class Mark:
    """A peak: where it is, and where its name stands."""

    bytes: int
    x: str
    y: str
    label_y: str
    anchor: str


@dataclass(frozen=True, slots=True)
class StepLine:
    """A curve as SVG paths: across one unit for each operation, down as the drawing."""

    line: str
    area: str
    peak: Mark


@dataclass(frozen=True, slots=True)
class MemoryCurve:
    """Both curves on one scale from zero. `few` operations share a step, `peak_step` is the computed one's."""

    steps: tuple[CurveStep, ...]
    few: int
    peak_step: int
    operations: int
    computed: StepLine
    measured: StepLine | None
    numbers: tuple[Tick, ...]
    sizes: tuple[Tick, ...]


def memory_curve(computed: Sequence[int], measured: Sequence[int] | None) -> MemoryCurve:
    """Bytes held while each operation runs [n], n ≥ 1, as a drawing that no peak is lost in."""
    n = len(computed)
    few = -(-n // MOST_STEPS)
    sizes = axis(0, max(max(computed), max(measured or [0])))
    across, down = Scale(0, n, 0, 1), Scale(sizes[0], sizes[-1], FLOOR, TOP)
    steps = []
    for first in range(0, n, few):
        end = min(first + few, n)
        most = max(range(first, end), key=computed.__getitem__)
        seen = max(measured[first:end]) if measured is not None else None
        x, y = across.per_cent((first + end) / 2), down.units(computed[most])
        steps.append(CurveStep(first, end - 1, most, computed[most], seen, x, y))
    upper, lower = _LABEL_LINES
    own_course = [(m.first, m.last, m.computed) for m in steps]
    seen_course = [(m.first, m.last, m.measured) for m in steps if m.measured is not None]
    return MemoryCurve(
        steps=tuple(steps),
        few=few,
        peak_step=max(range(len(steps)), key=lambda k: steps[k].computed),
        operations=n,
        computed=_step_line(own_course, across, down, upper if seen_course else lower),
        measured=_step_line(seen_course, across, down, lower) if seen_course else None,
        numbers=tuple(Tick(k, across.per_cent(k - 0.5)) for k in whole_ticks(1, n)),
        sizes=tuple(Tick(size, down.units(size)) for size in sizes),
    )


def _step_line(steps: Sequence[tuple[int, int, int]], across: Scale, down: Scale, label_y: float) -> StepLine:
    """The line of steps, each first and last operation and bytes; the peak is the first of the highest."""
    first, last, most = max(steps, key=lambda step: step[2])
    path = "".join(f"V{down.units(held)}H{end + 1}" for _, end, held in steps)
    middle = (first + last + 1) / 2
    share = across.at(middle)
    anchor = "start" if share < _NEAR_EDGE else "end" if share > 1 - _NEAR_EDGE else "middle"
    peak = Mark(most, across.per_cent(middle), down.units(most), f"{label_y:.0f}", anchor)
    begin = f"M0 {down.units(steps[0][2])}"
    return StepLine(line=begin + path, area=f"M0 {FLOOR:.0f}{path}V{FLOOR:.0f}z", peak=peak)
