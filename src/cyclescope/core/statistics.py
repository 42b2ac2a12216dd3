"""Intervals and ratios, deterministic: equal samples give equal answers on every machine."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from cyclescope.core.prediction import COVERAGE
from cyclescope.core.units import AnyArray, FloatArray

CONFIDENCE = 0.95
LEAST_SAMPLES = 6  # fewer have no 95 % interval of their median (see `median_ranks`)
_BOOTSTRAP_DRAWS = 2000
_BOOTSTRAP_SEED = 20_170_612  # any fixed number would do; fixed so that a report never changes by being read again


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value in nanoseconds with its 95 % interval and the number of samples behind it; of a predicted cycle these are
    scenarios, and the interval holds `prediction.COVERAGE` of them.
    """

    value_ns: float
    low_ns: float
    high_ns: float
    n: int

    @property
    def has_interval(self) -> bool:
        """Whether there are samples enough for the interval to mean anything; its ends are the extremes otherwise."""
        return self.n >= LEAST_SAMPLES

    @property
    def half_width(self) -> float:
        """Half the interval over the value: 0.02 reads ±2 %. Infinite where nothing is known."""
        if self.value_ns == 0:
            return 0.0 if self.high_ns == self.low_ns else math.inf
        return (self.high_ns - self.low_ns) / 2 / self.value_ns


@dataclass(frozen=True, slots=True)
class Ratio:
    """A ratio with its 95 % interval."""

    value: float
    low: float
    high: float
    n: int

    @property
    def has_interval(self) -> bool:
        """Whether there are samples enough for the interval to mean anything."""
        return self.n >= LEAST_SAMPLES


def median_ranks(n: int, confidence: float = CONFIDENCE) -> tuple[int, int]:
    """Zero-based ranks (low, high) of the order statistics that bracket the median with at least `confidence`.

    Exact and free of assumptions about the distribution: the count of samples below the median is binomial(n, 1/2)
    (David and Nagaraja, Order Statistics, 3rd ed., section 7.1). With fewer than six samples no such pair exists;
    the extremes are returned, and their interval covers less than `confidence`.
    """
    if n <= 0:
        raise ValueError("a median needs at least one sample")
    tail = (1 - confidence) / 2
    cumulative = 0.0
    low = 0
    log_half_n = n * math.log(0.5)
    for k in range(n):
        cumulative += math.exp(math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1) + log_half_n)
        if cumulative > tail:
            break
        low = k
        # rank k excludes the tail as long as P(count <= k) <= tail
    return low, n - 1 - low


def median_estimate(samples: AnyArray) -> Estimate:
    """Median of `samples` [n] in nanoseconds with its order-statistic interval."""
    ordered = np.sort(np.asarray(samples, dtype=np.float64))
    low, high = median_ranks(len(ordered))
    return Estimate(float(np.median(ordered)), float(ordered[low]), float(ordered[high]), len(ordered))


def scenario_quantiles(rows: AnyArray) -> tuple[FloatArray, FloatArray]:
    """The ends of the interval that holds `COVERAGE` of the scenarios `rows` [scenarios, …], each standing for an equal share."""
    tail = (1 - COVERAGE) / 2
    low, high = np.quantile(np.asarray(rows, dtype=np.float64), [tail, 1 - tail], axis=0, method="hazen")
    return low, high


def scenario_estimate(samples: AnyArray) -> Estimate:
    """Median of the scenarios `samples` [n] in nanoseconds with the interval that holds `COVERAGE` of them."""
    low, high = scenario_quantiles(samples)
    return Estimate(float(np.median(samples)), float(low), float(high), len(samples))


def scaled(estimate: Estimate, factor: float) -> Estimate:
    """`estimate` times `factor`, which is known."""
    return Estimate(estimate.value_ns * factor, estimate.low_ns * factor, estimate.high_ns * factor, estimate.n)


def median_ratio(numerator: AnyArray, denominator: AnyArray) -> Ratio:
    """Ratio of the medians of two independent samples with a percentile bootstrap interval (Efron, 1979)."""
    top = np.asarray(numerator, dtype=np.float64)
    bottom = np.asarray(denominator, dtype=np.float64)
    rng = np.random.default_rng(_BOOTSTRAP_SEED)
    tops = np.median(top[rng.integers(0, len(top), (_BOOTSTRAP_DRAWS, len(top)))], axis=1)
    bottoms = np.median(bottom[rng.integers(0, len(bottom), (_BOOTSTRAP_DRAWS, len(bottom)))], axis=1)
    tail = (1 - CONFIDENCE) / 2 * 100
    low, high = np.percentile(tops / bottoms, [tail, 100 - tail])
    return Ratio(float(np.median(top) / np.median(bottom)), float(low), float(high), min(len(top), len(bottom)))
