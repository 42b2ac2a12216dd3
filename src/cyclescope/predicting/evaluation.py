"""How good predictions are: the errors that the field reports, and whether intervals held what they promised."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cyclescope.core.student import student_t
from cyclescope.core.units import AnyArray, FloatArray

_DRAWS = 2000
_SEED = 20261130


@dataclass(frozen=True, slots=True)
class Accuracy:
    """Errors of `n` predictions as shares of the true time: mean (MAPE), median and 90th percentile of |predicted − true| ÷ true.

    `low` … `high` is the 95 % interval of the mean (percentile bootstrap over groups, where there are at least two).
    `weighted` counts each prediction by its true time: Σ |predicted − true| ÷ Σ true. `bias` is the mean of
    ln(predicted ÷ true): above 0 is too slow. `coverage` is the share of true times within their intervals (None without).
    """

    n: int
    mean: float
    low: float
    high: float
    median: float
    p90: float
    weighted: float
    bias: float
    coverage: float | None = None


def percentage_errors(true: FloatArray, predicted: FloatArray) -> FloatArray:
    """|predicted − true| ÷ true of each, [n]; 0.1 is 10 %. Times must be above 0."""
    if (true <= 0).any():
        raise ValueError("a relative error needs a true time above 0")
    return np.abs(predicted - true) / true


def accuracy(
    true: FloatArray,
    predicted: FloatArray,
    interval: tuple[FloatArray, FloatArray] | None = None,
    groups: AnyArray | None = None,
) -> Accuracy:
    """The accuracy of `predicted` [n] against `true` [n], in any unit of time; `groups` [n] are what may be drawn
    independently (a model, a machine), each row its own without them. At least one row.
    """
    if not len(true):
        raise ValueError("accuracy needs at least one prediction")
    errors = percentage_errors(true, predicted)
    low, high = mean_interval(errors, np.arange(len(errors)) if groups is None else groups)
    return Accuracy(
        len(errors),
        float(errors.mean()),
        low,
        high,
        float(np.median(errors)),
        float(np.quantile(errors, 0.9)),
        float(np.abs(predicted - true).sum() / true.sum()),
        float(np.log(np.maximum(predicted, np.finfo(np.float64).tiny) / true).mean()),
        None if interval is None else coverage(true, *interval),
    )


def coverage(true: FloatArray, low: FloatArray, high: FloatArray) -> float:
    """The share of `true` [n] within `low` … `high`, ends included."""
    return float(((low <= true) & (true <= high)).mean())


def mean_interval(errors: FloatArray, groups: AnyArray, confidence: float = 0.95) -> tuple[float, float]:
    """Percentile bootstrap (Efron, 1979) of the mean of `errors` [n], whole `groups` [n] drawn with replacement.

    With fewer than two groups there is nothing to draw: the interval is infinite.
    """
    _, number = np.unique(groups, return_inverse=True)
    sums = np.bincount(number, errors)
    counts = np.bincount(number)
    if len(sums) < 2:
        return -np.inf, np.inf
    rng = np.random.default_rng(_SEED)
    means = np.empty(_DRAWS)
    for draw in range(_DRAWS):
        chosen = rng.integers(len(sums), size=len(sums))
        means[draw] = sums[chosen].sum() / counts[chosen].sum()
    low, high = np.quantile(means, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high)


def mean_over(figures: Sequence[float]) -> tuple[float, float, float]:
    """Mean of `figures` over repetitions (seeds) and the 95 % interval of that mean by Student's t; infinite for one."""
    values = np.asarray(figures, dtype=np.float64)
    mean = float(values.mean())
    if len(values) < 2:
        return mean, -np.inf, np.inf
    half = student_t(0.975, len(values) - 1) * float(values.std(ddof=1)) / len(values) ** 0.5
    return mean, mean - half, mean + half
