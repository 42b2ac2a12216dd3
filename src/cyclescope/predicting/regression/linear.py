"""A linear function of features: of logarithms of sizes it is a power law, which extrapolates as trees do not."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cyclescope.core.units import FloatArray


@dataclass(frozen=True, eq=False)
class Linear:
    """`intercept` + rows · `weights` [columns]; columns that are not part of it have the weight 0."""

    intercept: float
    weights: FloatArray

    def __post_init__(self) -> None:
        if self.weights.ndim != 1 or not np.isfinite(self.weights).all() or not np.isfinite(self.intercept):
            raise ValueError("the weights of a linear function are no numbers")

    def evaluate(self, rows: FloatArray) -> FloatArray:
        """Its value for each of `rows` [n, columns]."""
        return rows @ self.weights + self.intercept
