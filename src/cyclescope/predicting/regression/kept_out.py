"""How a regression does on what it was not fitted on: folds of rows or of groups, each kept out in its turn."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cyclescope.core.units import AnyArray, FloatArray, IntArray
from cyclescope.predicting.regression.regression import Fit, Regression


@dataclass(frozen=True, eq=False)
class KeptOut:
    """Of each row, [n], by the regression that has not seen its fold: ln(true ÷ predicted), the spread that it gave, how
    far outside the row lay, and the number of its fold. `regressions[f]` is the one without fold f.
    """

    errors: FloatArray
    spread: FloatArray
    outside: FloatArray
    fold: IntArray
    regressions: tuple[Regression, ...]


def random_folds(n: int, folds: int, seed: int = 0) -> IntArray:
    """The number of the fold of each of `n` rows, at random, folds of equal size."""
    return np.random.default_rng(seed).permutation(n) % min(folds, n)


def folds_of(groups: AnyArray) -> IntArray:
    """A fold for each distinct one of `groups` [n], in their order: leave one group out."""
    return np.unique(groups, return_inverse=True)[1].astype(np.int64)


def kept_out(fit: Fit, x: FloatArray, y: FloatArray, fold: IntArray, weights: FloatArray | None = None) -> KeptOut:
    """`fit` once for each fold of `fold` [n] (0 … F−1, at least two) on all rows but those of the fold."""
    weights = np.ones(len(y)) if weights is None else weights
    count = int(fold.max(initial=-1)) + 1
    if count < 2:
        raise ValueError(f"at least 2 folds are needed to keep one out (got {count})")
    errors, spread, outside = (np.empty(len(y)) for _ in range(3))
    regressions = []
    for number in range(count):
        out = fold == number
        regression = fit(x[~out], y[~out], weights[~out])
        estimate = regression.evaluate(x[out])
        errors[out], spread[out], outside[out] = y[out] - estimate.mean, estimate.spread, estimate.outside
        regressions.append(regression)
    return KeptOut(errors, spread, outside, fold, tuple(regressions))
