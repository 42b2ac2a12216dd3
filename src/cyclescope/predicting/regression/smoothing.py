"""A Gaussian process whose lengths are chosen by leaving each row out, in numpy alone and in a second.

The likelihood of a process takes minutes for hundreds of rows and many fits (one for each family that is kept out). What
is left of each row by all others follows in closed form from one factorization (Rasmussen and Williams, 2006, equation 5.12),
so a search over a few lengths for each column, one column after the other, is enough.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cyclescope.core.units import FloatArray, IntArray
from cyclescope.predicting.regression.domain import Domain
from cyclescope.predicting.regression.fitting import robust_spread
from cyclescope.predicting.regression.linear import Linear
from cyclescope.predicting.regression.process import Process, matern52
from cyclescope.predicting.regression.regression import Fit, Regression

_FACTORS = (0.5, 2.0)
_FIRST = (0.5, 1.0, 2.0, 4.0, 8.0)
_NOISES = (0.02, 0.1, 0.4)  # variance of the noise over that of the process
_SWEEPS = 2
_RIDGE = 1e-3
_LEAST_ROWS = 6
_CONSTANT = 1e-9  # the standard deviation of a column that has one value, but for rounding
_LONGEST, _SHORTEST = 64.0, 0.1


@dataclass(frozen=True, eq=False)
class Lengths:
    """What a search found: the `length` of each column, and the variance of the noise over that of the process."""

    length: FloatArray
    noise: float


@dataclass(frozen=True, eq=False)
class SmoothingSettings:
    """Of more than `most` rows a weighted sample of that many is fitted on, one of `searched` for the search. `lengths`
    are those of an earlier fit, which needs no search then.
    """

    most: int = 500
    searched: int = 200
    seed: int = 0
    ridge: float = _RIDGE
    lengths: Lengths | None = None


def smoothing(columns: Sequence[str], base: Sequence[str], settings: SmoothingSettings = SmoothingSettings()) -> Fit:
    """How to fit a Gaussian process on a ridge regression on the columns `base`. The noise of a row goes as 1 ÷ its weight."""

    def fit(x: FloatArray, y: FloatArray, weights: FloatArray) -> Regression:
        weights = weights / weights.mean()
        linear = ridge(columns, base, x, y, weights, settings.ridge)
        left = y - linear.evaluate(x)
        if len(x) < _LEAST_ROWS:
            return Regression(tuple(columns), linear, Domain.of(x), robust_spread(left, weights), len(x))
        lengths = settings.lengths
        if lengths is None:
            rows = _chosen(weights, settings.searched, settings.seed)
            lengths = _search(x[rows], left[rows], weights[rows])
        rows = _chosen(weights, settings.most, settings.seed)
        process = _process(x[rows], left[rows], weights[rows], lengths)
        return Regression(
            tuple(columns), linear, Domain.of(x), float(np.sqrt(process.noise)), len(rows), process=process
        )

    return fit


def ridge(
    columns: Sequence[str], base: Sequence[str], x: FloatArray, y: FloatArray, weights: FloatArray, strength: float
) -> Linear:
    """A ridge regression on the columns `base`, with the penalty `strength` for each unit of weight."""
    chosen = [columns.index(name) for name in base]
    scale = x[:, chosen].std(axis=0)
    chosen = [i for i, s in zip(chosen, scale, strict=True) if s > _CONSTANT]
    share = weights / weights.sum()
    middle = float(share @ y)
    full = np.zeros(len(columns))
    if not chosen or len(x) < 3:
        return Linear(middle, full)
    centre, scale = share @ x[:, chosen], x[:, chosen].std(axis=0)
    z = (x[:, chosen] - centre) / scale
    gram = (z * share[:, None]).T @ z + strength * np.eye(len(chosen))
    slopes = np.linalg.solve(gram, (z * share[:, None]).T @ (y - middle)) / scale
    full[chosen] = slopes
    return Linear(middle - float(centre @ slopes), full)


def _chosen(weights: FloatArray, most: int, seed: int) -> IntArray:
    if len(weights) <= most:
        return np.arange(len(weights))
    keys = np.random.default_rng(seed).random(len(weights)) ** (1 / weights)  # Efraimidis and Spirakis, 2006
    return np.sort(np.argsort(keys)[-most:])


def _search(x: FloatArray, y: FloatArray, weights: FloatArray) -> Lengths:
    """The lengths and the noise with the least weighted |error| when each row is left out."""
    scale = x.std(axis=0)
    scale[scale <= _CONSTANT] = 1.0
    tried = [
        (_left_out(x / (scale * length), y, weights, noise), length, noise) for length in _FIRST for noise in _NOISES
    ]
    best, length, noise = min(tried, key=lambda row: row[0])
    multiple = np.full(x.shape[1], length)
    for _ in range(_SWEEPS):
        for column in range(x.shape[1]):
            for factor in _FACTORS:
                trial = multiple.copy()
                trial[column] = min(_LONGEST, max(_SHORTEST, trial[column] * factor))
                error = _left_out(x / (scale * trial), y, weights, noise)
                if error < best * 0.998:
                    best, multiple = error, trial
    return Lengths(scale * multiple, noise)


def _process(x: FloatArray, y: FloatArray, weights: FloatArray, lengths: Lengths) -> Process:
    points = x / lengths.length
    whitening = np.linalg.inv(np.linalg.cholesky(_kernel(points, weights, lengths.noise)))
    coefficients = whitening.T @ (whitening @ y)
    # In units of the amplitude, which is what brings the spread to what was seen when rows were left out.
    precision = np.einsum("ij,ij->j", whitening, whitening)
    amplitude = max(float(np.average(coefficients**2 / precision, weights=weights)), 1e-10)
    return Process(
        lengths.length,
        points,
        coefficients / amplitude,
        whitening / np.sqrt(amplitude),
        amplitude,
        amplitude * lengths.noise,
    )


def _kernel(points: FloatArray, weights: FloatArray, noise: float) -> FloatArray:
    kernel: FloatArray = matern52(points, points)
    kernel[np.diag_indices_from(kernel)] += noise / np.clip(weights, 0.05, 20.0)
    return kernel


def _left_out(points: FloatArray, y: FloatArray, weights: FloatArray, noise: float) -> float:
    inverse = np.linalg.inv(_kernel(points, weights, noise))
    left = (inverse @ y) / np.diag(inverse)
    return float(np.average(np.abs(left), weights=weights))
