"""An interval from steps: samples that follow each other, resemble their neighbours, and may grow on the way."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from cyclescope.core.statistics import CONFIDENCE
from cyclescope.core.student import student_t
from cyclescope.core.units import AnyArray, FloatArray

_DRAWS, _SEED = 1000, 20_170_612  # fixed, so that a report never changes by being read again
_MOST_DEPENDENCE = 0.95
# Fewer tell no line, no noise and how that hangs together: of one run, and of all together.
_LEAST_STEPS, _LEAST_IN_ALL = 6, 12
_LEAST_WORTH = 8  # independent samples; of fewer a correlation of neighbours tells too little, and means of parts more
_LEAST_ALONE = 3  # of a single run that is worth less there is no interval
_PARTS, _PARTS_ALONE = 2, 4  # of each run, or of a single one: so long that their means hardly hang together
_DOUBT = 0.5  # standard errors by which the dependence is taken to be larger than it looks
_APART = 0.9  # quantile of F beyond which runs differ by more than their steps explain
_LEAST_KEPT = 0.1  # share of the variance that means and a line leave; of fewer steps than these nothing more is known
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

    What is the same in every run is no noise: a straight line over the steps is fitted and set aside, and so is the level
    of each run, where there are several. Of what is left (autoregressive of order one, by its lag-1 correlation with the
    bias of so short a series taken off; Marriott and Pope, 1954; half a standard error is added) follows how many
    independent samples it is worth, n·(1 − φ) ÷ (1 + φ). The variance of the mean follows from φ, or from the levels of
    the runs where those differ by more than φ explains (analysis of variance: F test, else pooled). Where the steps are
    worth fewer than eight, it follows from the means of a few long parts (batch means; Conway, 1963). The interval is as
    wide as Student's t with the degrees of freedom of that variance says. Blocks of the steps, long enough to hold their
    dependence, are drawn again (Künsch, 1989) for its shape.
    """
    rows = np.asarray(samples, dtype=np.float64)
    runs, steps = rows.shape
    n = rows.size
    if steps < _LEAST_STEPS or n < _LEAST_IN_ALL:
        return None
    line = _line(rows.mean(axis=0))
    levels = rows.mean(axis=1)
    noise = rows - line - (levels - levels.mean())[:, None]
    value = float(statistic(rows.reshape(1, -1))[0])
    negligible = n * (1e-12 * max(1.0, abs(value))) ** 2
    if float(((rows - line) ** 2).sum()) <= negligible:
        return SeriesInterval(value, value, n)
    squares = float((noise**2).sum())
    phi = _dependence_of(noise, squares) if squares > negligible else 0.0
    dependence = (1 + phi) / (1 - phi)
    worth = n / dependence
    if runs == 1 and worth < _LEAST_ALONE:
        return None
    if worth < _LEAST_WORTH:
        variance, degrees = _variance_of_parts(rows - line)
    else:
        variance, degrees = _variance_of_mean(squares, levels, steps, dependence)
    # Blocks of a whole run would always have the mean of that run.
    length = min(max(1, steps // 3), math.ceil(2 * dependence))
    drawn, means = _drawn(noise, length, np.tile(line, runs), statistic)
    stretch = student_t((1 + confidence) / 2, max(1, math.floor(degrees))) / NormalDist().inv_cdf((1 + confidence) / 2)
    spread = float(means.std())
    scale = stretch * math.sqrt(variance) / spread if spread > 0 else 0.0
    tail = (1 - confidence) / 2 * 100
    low, high = scale * (np.percentile(drawn, [tail, 100 - tail]) - np.median(drawn))
    return SeriesInterval(value + min(0.0, float(low)), value + max(0.0, float(high)), max(2, math.floor(worth)))


def _variance_of_parts(deviations: FloatArray) -> tuple[float, float]:
    """Variance of the mean by those of long parts of `deviations` [runs, steps] from a line, and its degrees of freedom."""
    parts = _PARTS if len(deviations) > 1 else _PARTS_ALONE
    means = np.asarray([part.mean() for run in deviations for part in np.array_split(run, parts)])
    degrees = len(means) - 2  # a mean and a slope were fitted
    variance: float = float(((means - means.mean()) ** 2).sum()) / degrees / len(means)
    return variance, float(degrees)


def _dependence_of(noise: FloatArray, squares: float) -> float:
    """How much of a step's deviation is left in the next one, of `noise` [runs, steps] with its sum of squares."""
    runs, steps = noise.shape
    correlation = float((noise[:, 1:] * noise[:, :-1]).sum()) / squares * steps / (steps - 1)
    # A mean taken off: E φ̂ ≈ φ − (1 + 3 φ) ÷ steps. A line: φ − (2 + 4 φ) ÷ steps; all runs share that of the slope.
    phi: float = (steps * correlation + 1 + 1 / runs) / (steps - 3 - 1 / runs)
    doubt = math.sqrt(max(0.0, 1 - min(max(phi, 0.0), 1.0) ** 2) / noise.size)
    return min(max(phi + _DOUBT * doubt, 0.0), _MOST_DEPENDENCE)


def _variance_of_mean(squares: float, levels: FloatArray, steps: int, dependence: float) -> tuple[float, float]:
    """Variance of the mean of runs of `steps` steps with these `levels` [runs], and its degrees of freedom."""
    runs = len(levels)
    n = runs * steps
    kept = max(_LEAST_KEPT, 1 - (1 + 1 / runs) * dependence / steps)
    within = squares / n / kept * dependence / n
    degrees = max(1.0, n / dependence - (runs + 1 if runs > 1 else 2))
    if runs == 1:
        return within, degrees
    between = float(levels.var(ddof=1)) / runs
    if between > _f_quantile(_APART, runs - 1, degrees) * within:
        return between, float(runs - 1)
    together = degrees + runs - 1
    return (degrees * within + (runs - 1) * between) / together, together


def _f_quantile(share: float, upper: float, lower: float) -> float:
    """Quantile of the F distribution with so many degrees of freedom (Paulson, 1942: its cube root is nearly normal)."""
    z2 = NormalDist().inv_cdf(share) ** 2
    a, b = 1 - 2 / (9 * lower), 1 - 2 / (9 * upper)
    square = a * a - z2 * (1 - a)
    root: float = (a * b + math.sqrt(a * a * b * b - square * (b * b - z2 * (1 - b)))) / square
    return root**3


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
