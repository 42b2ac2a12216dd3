"""A fitted regression of ln(true ÷ analytic): a frozen value that numpy alone evaluates."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from cyclescope.core.units import FloatArray
from cyclescope.predicting.regression.domain import Domain
from cyclescope.predicting.regression.linear import Linear
from cyclescope.predicting.regression.process import Process
from cyclescope.predicting.regression.trees import Trees


@dataclass(frozen=True, eq=False)
class Estimate:
    """What a regression says of each row, [n]: the mean of ln(true ÷ analytic), the standard deviation of what is left,
    and how far the row lies outside of what was seen (0: inside; else in standard deviations of the columns).
    """

    mean: FloatArray
    spread: FloatArray
    outside: FloatArray


@dataclass(frozen=True, eq=False)
class Regression:
    """A linear base, and on what it leaves trees, a Gaussian process, both or none.

    `columns` name what a row holds; all of it must be finite. `spread` is the standard deviation of what is left on rows
    that were kept out; `spread_trees`, where there are any, say the logarithm of it row by row. A Gaussian process has its
    own. `rows` is how many it was fitted on.
    """

    columns: tuple[str, ...]
    base: Linear
    domain: Domain
    spread: float
    rows: int
    trees: Trees | None = None
    process: Process | None = None
    spread_trees: Trees | None = None

    def __post_init__(self) -> None:
        width = len(self.columns)
        forests = [trees for trees in (self.trees, self.spread_trees) if trees is not None]
        widths = {len(self.base.weights), len(self.domain.low)}
        widths |= {len(self.process.length)} if self.process is not None else set()
        if widths != {width} or any(trees.columns > width for trees in forests):
            raise ValueError("the parts of a regression have other columns")
        if not 0 <= self.spread < np.inf:
            raise ValueError("the spread of a regression is impossible")

    def evaluate(self, rows: FloatArray) -> Estimate:
        """The estimate for each of `rows` [n, columns]. Raises `ValueError` for another width and for NaN."""
        rows = np.asarray(rows, dtype=np.float64)
        if rows.ndim != 2 or rows.shape[1] != len(self.columns):
            raise ValueError(f"rows must have {len(self.columns)} columns (got shape {rows.shape})")
        if not np.isfinite(rows).all():
            raise ValueError("every feature must be a finite number")
        mean = self.base.evaluate(rows)
        if self.trees is not None:
            mean += self.trees.evaluate(rows)
        spread = np.full(len(rows), self.spread)
        if self.spread_trees is not None:
            spread = np.exp(self.spread_trees.evaluate(rows))
        if self.process is not None:
            more, variance = self.process.evaluate(rows)
            mean += more
            spread = np.sqrt(variance)
        return Estimate(mean, spread, self.domain.distance(rows))

    def outside(self, rows: FloatArray) -> tuple[str, ...]:
        """The names of the columns in which any of `rows` lies outside of what was seen, the farthest first."""
        return tuple(self.columns[i] for i in self.domain.outside(rows))


Fit: TypeAlias = Callable[[FloatArray, FloatArray, FloatArray], Regression]
"""A way to fit: rows [n, columns], ln(true ÷ analytic) [n] and weights [n] to a regression."""
