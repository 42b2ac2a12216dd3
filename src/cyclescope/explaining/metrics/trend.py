"""A straight line through times that a few outliers must not bend."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from cyclescope.core.statistics import CONFIDENCE, LEAST_SAMPLES
from cyclescope.core.units import AnyArray

_MOST_POINTS = 500  # 125 thousand pairs; more points are thinned evenly, and `n` says how many were used


@dataclass(frozen=True, slots=True)
class Trend:
    """Slope per unit of x with its interval, over `n` points."""

    slope: float
    low: float
    high: float
    n: int

    @property
    def has_interval(self) -> bool:
        """Whether there are points enough for the interval to mean anything."""
        return self.n >= LEAST_SAMPLES


def theil_sen(x: AnyArray, y: AnyArray, confidence: float = CONFIDENCE) -> Trend:
    """Median of the slopes between all pairs of points `x` [n], `y` [n]; x must be distinct, n at least 2.

    Sen, "Estimates of the regression coefficient based on Kendall's tau", J. Am. Stat. Assoc. 63, 1968; the interval is
    that of its section 4 (normal approximation). Up to 29 % of the points may be arbitrarily wrong.
    """
    n = len(x)
    if n < 2:
        raise ValueError("a slope needs two points")
    if n > _MOST_POINTS:
        kept = np.unique(np.linspace(0, n - 1, _MOST_POINTS).round().astype(np.int64))
        x, y, n = x[kept], y[kept], len(kept)
    i, j = np.triu_indices(n, 1)
    xs, ys = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    slopes = np.sort((ys[j] - ys[i]) / (xs[j] - xs[i]))
    pairs = len(slopes)
    spread = NormalDist().inv_cdf((1 + confidence) / 2) * math.sqrt(n * (n - 1) * (2 * n + 5) / 18)
    low = max(0, math.floor((pairs - spread) / 2) - 1)
    high = min(pairs - 1, math.ceil((pairs + spread) / 2))
    return Trend(float(np.median(slopes)), float(slopes[low]), float(slopes[high]), n)
