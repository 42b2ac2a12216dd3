"""Synthetic features and ratios: a power law in size, a step, an interaction and noise, all known."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cyclescope.core.units import FloatArray
from cyclescope.predicting.regression.domain import Domain
from cyclescope.predicting.regression.fitting import fit_base, robust_spread
from cyclescope.predicting.regression.regression import Fit, Regression

COLUMNS = ("log_size", "log_rows", "is_narrow")
BASE = ("log_size", "log_rows")


def sample(n: int, seed: int, noise: float = 0.03, largest: float = 10.0) -> tuple[FloatArray, FloatArray]:
    """Rows [n, 3] and ln(true ÷ analytic) [n]; log_size lies in 0 … `largest`."""
    rng = np.random.default_rng(seed)
    x = np.column_stack([rng.uniform(0, largest, n), rng.uniform(0, 6, n), rng.integers(0, 2, n)])
    return x, law(x) + noise * rng.standard_normal(n)


def law(x: FloatArray) -> FloatArray:
    """The truth without noise."""
    size, rows, narrow = x.T
    return 0.4 - 0.15 * size + 0.1 * rows + 0.3 * narrow * (rows < 3) + 0.1 * np.sin(size)


def linear_fit(columns: Sequence[str], base: Sequence[str]) -> Fit:
    """How to fit nothing but the linear base of the columns `base`."""

    def fit(x: FloatArray, y: FloatArray, weights: FloatArray) -> Regression:
        linear = fit_base(columns, base, x, y, weights)
        spread = robust_spread(y - linear.evaluate(x), weights)
        return Regression(tuple(columns), linear, Domain.of(x), spread, len(x))

    return fit
