"""The account of the wall time as one stacked bar with a mark at the wall time."""

from __future__ import annotations

from dataclasses import dataclass

from cyclescope.core.message import Text
from cyclescope.explaining.explanation import AccountRow, Closure
from cyclescope.report import format as fmt
from cyclescope.report.drawings.bars import SegmentShape, place, segments

# Colours for stages in their order; a seventh stage has the first's again.
_STAGE_PAINTS = 6


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of the bar. `paint` is the class of its colour, `hatched` marks time between operations."""

    label: Text
    shape: SegmentShape
    paint: str
    hatched: bool
    time: str
    share: str


@dataclass(frozen=True, slots=True)
class AccountBar:
    """All pieces in their order; `wall_x` is where the wall time ends."""

    segments: tuple[Segment, ...]
    wall_x: str


def account_bar(closure: Closure, labels: tuple[Text, ...]) -> AccountBar:
    """The bar of `closure`, with a label a row. It is as long as the wall, or as the parts where they are more."""
    rows = closure.rows
    width = max(closure.wall.value_ns, closure.attributed_ns)
    order = {stage: k % _STAGE_PAINTS for k, stage in enumerate(dict.fromkeys(row.stage for row in rows))}
    pieces = tuple(
        Segment(
            label,
            shape,
            paint(row, order[row.stage]),
            row.name == "python",
            fmt.time(row.time_ns),
            fmt.share(row.share_of_wall),
        )
        for row, label, shape in zip(rows, labels, segments([row.time_ns for row in rows], width), strict=True)
    )
    return AccountBar(pieces, place(closure.wall.value_ns, width))


def paint(row: AccountRow, stage: int) -> str:
    """The class of the colour of a row of stage number `stage`."""
    return "rest" if row.name == "unexplained" else f"s{stage}"
