"""The geometry of stacked bars: parts of a whole one after the other, one or several bars on one scale."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cyclescope.core.message import Text
from cyclescope.report.drawings.bars import SegmentShape, segments


@dataclass(frozen=True, slots=True)
class StackPart:
    """A part before it is drawn: `size` in the unit of the scale, `paint` the class of its colour, `spoken` its title."""

    size: float
    paint: str
    spoken: Text
    hatched: bool = False


@dataclass(frozen=True, slots=True)
class StackPiece:
    """A drawn part."""

    shape: SegmentShape
    paint: str
    spoken: Text
    hatched: bool


@dataclass(frozen=True, slots=True)
class StackBar:
    """One bar: `label` stands before it, `total` behind it, `spoken` is the bar as a sentence."""

    pieces: tuple[StackPiece, ...]
    spoken: Text
    label: Text = ""
    total: Text = ""


@dataclass(frozen=True, slots=True)
class Key:
    """An entry of the legend."""

    paint: str
    label: Text
    hatched: bool = False


@dataclass(frozen=True, slots=True)
class StackDrawing:
    """The drawing `stack`: bars on one scale. `mark`, where there is one, is the place of a line across them, in per cent."""

    bars: tuple[StackBar, ...]
    legend: tuple[Key, ...] = ()
    mark: str = ""


def stack_bar(parts: Sequence[StackPart], whole: float, spoken: Text, label: Text = "", total: Text = "") -> StackBar:
    """A bar of `parts`, where `whole` fills the width."""
    shapes = segments([part.size for part in parts], whole)
    pieces = tuple(
        StackPiece(shape, part.paint, part.spoken, part.hatched) for shape, part in zip(shapes, parts, strict=True)
    )
    return StackBar(pieces, spoken, label, total)
