"""The account of the wall time as one stacked bar with a mark at the wall time."""

from __future__ import annotations

from cyclescope.core.message import Text, m
from cyclescope.explaining.explanation import AccountRow, Closure
from cyclescope.report import format as fmt
from cyclescope.report.drawings.bars import place
from cyclescope.report.drawings.stack import StackDrawing, StackPart, stack_bar

# Colours for stages in their order; a seventh stage has the first's again.
_STAGE_PAINTS = 6


def account_stack(closure: Closure, labels: tuple[Text, ...], spoken: Text) -> StackDrawing:
    """The bar of `closure`, with a label a row. It is as long as the wall, or as the parts where they are more."""
    rows = closure.rows
    width = max(closure.wall.value_ns, closure.attributed_ns)
    order = {stage: k % _STAGE_PAINTS for k, stage in enumerate(dict.fromkeys(row.stage for row in rows))}
    parts = tuple(
        StackPart(row.time_ns, _paint(row, order[row.stage]), _spoken(row, label), row.name == "python")
        for row, label in zip(rows, labels, strict=True)
    )
    return StackDrawing((stack_bar(parts, width, spoken),), mark=place(closure.wall.value_ns, width))


def _spoken(row: AccountRow, label: Text) -> Text:
    return m("{name}: {time}, {share}", name=label, time=fmt.time(row.time_ns), share=fmt.share(row.share_of_wall))


def _paint(row: AccountRow, stage: int) -> str:
    """The class of the colour of a row of stage number `stage`."""
    return "rest" if row.name == "unexplained" else f"s{stage}"
