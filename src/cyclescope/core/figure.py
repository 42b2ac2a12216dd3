"""One figure about a machine, with where it comes from."""

from __future__ import annotations

from dataclasses import dataclass

from cyclescope.core.message import Series, Text


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure about a machine in SI units, with its 95 % interval, the samples behind it and its source.

    `source` names the probe that measured it, or is the URL of the datasheet; a datasheet's figure has n = 0 and no width.
    `remark` says how the figure follows from what the source gives (may be empty).
    """

    value: float
    low: float
    high: float
    n: int
    source: str
    remark: Text = ""

    @staticmethod
    def stated(value: float, source: str, remark: Text = "") -> Figure:
        """A figure that a datasheet states."""
        return Figure(value, value, value, 0, source, remark)

    @property
    def origin(self) -> Text:
        """Source and remark."""
        return joined(self.source, self.remark)

    def scaled(self, factor: float, remark: Text) -> Figure:
        """This figure times `factor`, its interval too, with a further `remark`."""
        together = joined(self.remark, remark)
        return Figure(self.value * factor, self.low * factor, self.high * factor, self.n, self.source, together)


def joined(*texts: Text) -> Text:
    """Those of `texts` that say something, as one."""
    there = tuple(text for text in texts if text)
    return there[0] if len(there) == 1 else Series(there, "; ")
