"""An interval from steps: samples that follow each other, resemble their neighbours, and may grow on the way."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from cyclescope.core.ratios import student_t
from cyclescope.core.statistics import CONFIDENCE
from cyclescope.core.units import AnyArray, FloatArray

_DRAWS, _SEED = 1000, 20_170_612  # fixed, so that a report never changes by being read again
_MOST_DEPENDENCE = 0.95
# Fewer tell no line, no noise and how that hangs together: of one run, and of all together.
_LEAST_STEPS, _LEAST_IN_ALL = 6, 12
_LEAST_WORTH = (
    8  # independent samples; what looks like more by chance, of a series that hangs together more, is left out
)
_DRAWN_AT_ONCE = 2_000_000  # numbers; longer series are drawn in fewer draws


@dataclass(frozen=True, slots=True)
class SeriesInterval:
    """Both ends, and `n`: how many independent samples tell as much as those that were there."""

    low: float
    high: float
    n: int


def mean_of_rows(rows: FloatArray) -> FloatArray:
    means: FloatArray = rows.mean(axis=1)
    return means


def median_of_rows(rows: FloatArray) -> FloatArray:
    medians: FloatArray = np.median(rows, axis=1)
    return medians


def series_interval(
    samples: AnyArray,
    statistic: Callable[[FloatArray], FloatArray] = mean_of_rows,
    confidence: float = CONFIDENCE,
) -> SeriesInterval | None:
    """Interval of `statistic` (of rows [draws, n] to [draws]) of the steps `samples` [runs, steps] of a few equal runs; None
    where they tell too little.

    What is the same in every run is no noise: a straight line over the steps is fitted and set aside. Of what is left
    (autoregressive of order one, by its lag-1 correlation with the bias of so short a series taken off; Marriott and
    Pope, 1954) follows how many independent samples it is worth, n·(1 − φ) ÷ (1 + φ). Blocks of it, long enough to hold
    its dependence, are drawn again (Künsch, 1989) and put on the line. Such draws spread too little where blocks are
    few: they are stretched to the variance of the mean that φ says, and as Student's t is to the normal distribution.
    """
    rows = np.asarray(samples, dtype=np.float64)
    runs, steps = rows.shape
    n = rows.size
    if steps < _LEAST_STEPS or n < _LEAST_IN_ALL:
        return None
    line = _line(rows.mean(axis=0))
    noise = rows - line
    squares = float((noise**2).sum())
    value = float(statistic(rows.reshape(1, -1))[0])
    if squares <= n * (1e-12 * max(1.0, abs(value))) ** 2:
        return SeriesInterval(value, value, n)
    correlation = float((noise[:, 1:] * noise[:, :-1]).sum()) / squares * steps / (steps - 1)
    # Two parameters of a line: E φ̂ ≈ φ − (2 + 4 φ) ÷ n.
    phi = min(max((n * correlation + 2) / (n - 4), 0.0), _MOST_DEPENDENCE)
    dependence = (1 + phi) / (1 - phi)
    worth = n / dependence
    if worth < _LEAST_WORTH:
        return None
    variance = squares / n / (1 - 2 / worth) * dependence / n
    drawn, means = _drawn(noise, min(steps, math.ceil(2 * dependence)), np.tile(line, runs), statistic)
    degrees = max(3, math.floor(worth) - 2)
    stretch = student_t((1 + confidence) / 2, degrees) / NormalDist().inv_cdf((1 + confidence) / 2)
    scale = stretch * math.sqrt(variance) / max(float(means.std()), 1e-300)
    tail = (1 - confidence) / 2 * 100
    low, high = scale * (np.percentile(drawn, [tail, 100 - tail]) - np.median(drawn))
    return SeriesInterval(value + min(0.0, float(low)), value + max(0.0, float(high)), math.floor(worth))


def _line(series: FloatArray) -> FloatArray:
    """The straight line through `series` [steps] by least squares."""
    at = np.arange(len(series)) - (len(series) - 1) / 2
    fitted: FloatArray = series.mean() + float(at @ series) / float(at @ at) * at
    return fitted


def _drawn(
    noise: FloatArray, length: int, base: FloatArray, statistic: Callable[[FloatArray], FloatArray]
) -> tuple[FloatArray, FloatArray]:
    """The statistic, and the mean of the noise, of draws of circular blocks of `length` steps of any run."""
    runs, steps = noise.shape
    draws = max(100, min(_DRAWS, _DRAWN_AT_ONCE // noise.size))
    blocks = math.ceil(noise.size / length)
    rng = np.random.default_rng(_SEED)
    run, begin = rng.integers(0, runs, (draws, blocks)), rng.integers(0, steps, (draws, blocks))
    index = (begin[:, :, None] + np.arange(length)) % steps
    errors = noise[run[:, :, None], index].reshape(draws, -1)[:, : noise.size]
    return statistic(base + errors), errors.mean(axis=1)
