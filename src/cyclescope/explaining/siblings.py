"""Which layers of a stack are unlike the others, by one rule for every medium."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from cyclescope.explaining.explanation import LayerRow

# A layer is called unlike where it is this far from the median layer and their intervals do not meet.
UNLIKE = 0.15


@dataclass(frozen=True, slots=True)
class UnlikeLayer:
    """A layer that differs. `usual` is the class of most layers; `factor` the layer's time over the median layer's."""

    row: LayerRow
    usual: str
    factor: float

    @property
    def other_class(self) -> bool:
        """Of another class than most, which explains another time."""
        return self.row.class_name != self.usual


def unlike_layers(rows: Sequence[LayerRow]) -> tuple[UnlikeLayer, ...]:
    """The layers of one stack, at least one, that are of another class than most or take another time than the median
    layer: more than `UNLIKE` off, with intervals apart. Without an interval no time is called unlike.
    """
    usual = statistics.mode(row.class_name for row in rows)
    median = statistics.median_low(row.time.value_ns for row in rows)
    typical = next(row for row in rows if row.time.value_ns == median).time
    found = []
    for row in rows:
        factor = row.time.value_ns / median if median else 1.0
        apart = row.time.low_ns > typical.high_ns or row.time.high_ns < typical.low_ns
        slow_or_fast = row.time.has_interval and apart and abs(factor - 1) > UNLIKE
        if row.class_name != usual or slow_or_fast:
            found.append(UnlikeLayer(row, usual, factor))
    return tuple(found)
