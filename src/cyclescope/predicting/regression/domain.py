"""What a regression has seen, and how far a row lies outside of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cyclescope.core.units import FloatArray

# A row that differs from the edge by less than this share of a column's spread is a rounding of it.
_ROUNDING = 1e-6


@dataclass(frozen=True, eq=False)
class Domain:
    """The box of the rows that were seen: `low`, `high` and the standard deviation `scale` of each column, [columns].

    A column that had one value only has the scale 1: a logarithm that is 1 off is e times as large, a flag is flipped.
    """

    low: FloatArray
    high: FloatArray
    scale: FloatArray

    def __post_init__(self) -> None:
        if not (self.low.shape == self.high.shape == self.scale.shape and self.low.ndim == 1):
            raise ValueError("the columns of a domain differ in number")
        finite = np.isfinite(self.low) & np.isfinite(self.high) & np.isfinite(self.scale)
        if not finite.all() or (self.low > self.high).any() or (self.scale <= 0).any():
            raise ValueError("a domain is no box")

    @staticmethod
    def of(rows: FloatArray) -> Domain:
        """The box of `rows` [n, columns], n at least 1."""
        return Domain(rows.min(axis=0), rows.max(axis=0), scale_of(rows))

    def beyond(self, rows: FloatArray) -> FloatArray:
        """How far each of `rows` lies outside of the box in each column, in standard deviations, [n, columns]."""
        excess: FloatArray = np.maximum(np.maximum(self.low - rows, rows - self.high), 0.0)
        excess /= self.scale
        excess[excess < _ROUNDING] = 0.0
        return excess

    def distance(self, rows: FloatArray) -> FloatArray:
        """How far each of `rows` lies outside of the box: 0 inside, else the Euclidean distance in standard deviations."""
        excess = self.beyond(rows)
        length: FloatArray = np.sqrt(np.einsum("ij,ij->i", excess, excess))
        return length

    def outside(self, rows: FloatArray) -> tuple[int, ...]:
        """The columns in which any of `rows` lies outside, the farthest first."""
        most = self.beyond(rows).max(axis=0, initial=0.0)
        return tuple(int(i) for i in np.argsort(-most, kind="stable") if most[i] > 0)


def scale_of(rows: FloatArray) -> FloatArray:
    """The standard deviation of each column of `rows` [n, columns]; 1 for a column of one value, whose computed deviation may
    be a rounding and not 0.
    """
    scale: FloatArray = np.where(np.ptp(rows, axis=0) > 0, rows.std(axis=0), 1.0)
    return scale
