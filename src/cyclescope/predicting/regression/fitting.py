"""Fitting regressions with scikit-learn, which is imported when something is fitted and not before."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace

import numpy as np

from cyclescope.core.errors import MissingExtra
from cyclescope.core.message import m
from cyclescope.core.units import AnyArray, FloatArray, IntArray
from cyclescope.predicting.regression.domain import Domain, scale_of
from cyclescope.predicting.regression.freezing import freeze_process, freeze_trees
from cyclescope.predicting.regression.kept_out import kept_out, random_folds
from cyclescope.predicting.regression.linear import Linear
from cyclescope.predicting.regression.regression import Fit, Regression

_LEAST_SPREAD = 1e-4  # 0.01 %: no clock that times a kernel repeats better


@dataclass(frozen=True, slots=True)
class BoostingSettings:
    """Of gradient boosting. `loss` is `absolute_error` (medians, which the mean absolute percentage error wants) or
    `squared_error`; `rising` are columns in which the ratio may only rise, `falling` in which it may only fall.
    `folds` estimate the spread; below 2 it is that of the rows that were fitted, which is too small.
    """

    trees: int = 300
    rate: float = 0.06
    leaves: int = 16
    least_rows: int = 8
    ridge: float = 0.0
    loss: str = "absolute_error"
    rising: tuple[str, ...] = ()
    falling: tuple[str, ...] = ()
    folds: int = 5
    seed: int = 0


@dataclass(frozen=True, slots=True)
class ProcessSettings:
    """Of a Gaussian process. Of more than `most` rows that many are taken at random; `restarts` of the search for lengths."""

    most: int = 600
    restarts: int = 0
    seed: int = 0


def fit_base(columns: Sequence[str], base: Sequence[str], x: FloatArray, y: FloatArray, weights: FloatArray) -> Linear:
    """A ridge regression on the columns `base`, its strength by leave-one-out; without any the weighted mean."""
    chosen = [columns.index(name) for name in base]
    chosen = [i for i in chosen if np.ptp(x[:, i]) > 0]
    full = np.zeros(len(columns))
    if not chosen or len(x) < 3:
        return Linear(float(np.average(y, weights=weights)), full)
    _need_sklearn()
    from sklearn.linear_model import RidgeCV

    centre, scale = x[:, chosen].mean(axis=0), x[:, chosen].std(axis=0)
    model = RidgeCV(alphas=np.logspace(-4, 3, 15)).fit((x[:, chosen] - centre) / scale, y, sample_weight=weights)
    slopes = np.asarray(model.coef_, dtype=np.float64) / scale
    full[chosen] = slopes
    return Linear(float(model.intercept_ - centre @ slopes), full)


def boosting(columns: Sequence[str], base: Sequence[str], settings: BoostingSettings = BoostingSettings()) -> Fit:
    """How to fit gradient boosting on a linear base of the columns `base`."""

    def fit(x: FloatArray, y: FloatArray, weights: FloatArray) -> Regression:
        linear = fit_base(columns, base, x, y, weights)
        left = y - linear.evaluate(x)
        trees = freeze_trees(_boosted(columns, settings, x, left, weights))
        plain = Regression(tuple(columns), linear, Domain.of(x), 0.0, len(x), trees)
        if settings.folds < 2 or len(x) < 4 * settings.folds:
            errors = y - plain.evaluate(x).mean
        else:
            errors = _kept_out_errors(boosting(columns, base, replace(settings, folds=0)), x, y, weights, settings)
        return replace(plain, spread=robust_spread(errors, weights))

    return fit


def process(columns: Sequence[str], base: Sequence[str], settings: ProcessSettings = ProcessSettings()) -> Fit:
    """How to fit a Gaussian process on a linear base of the columns `base`. Weights choose rows where there are too many."""

    def fit(x: FloatArray, y: FloatArray, weights: FloatArray) -> Regression:
        linear = fit_base(columns, base, x, y, weights)
        left = y - linear.evaluate(x)
        rows = _at_random(len(x), settings.most, weights, settings.seed)
        fitted, length = _gaussian(settings, x[rows], left[rows])
        frozen = freeze_process(fitted, x[rows], length)
        return Regression(tuple(columns), linear, Domain.of(x), float(np.sqrt(frozen.noise)), len(rows), process=frozen)

    return fit


def robust_spread(errors: FloatArray, weights: FloatArray | None = None) -> float:
    """The standard deviation of a normal distribution with the same median of |error|; at least 0.01 %."""
    size = np.abs(errors)
    order = np.argsort(size)
    mass = np.cumsum(np.ones(len(size)) if weights is None else weights[order])
    median = float(size[order][np.searchsorted(mass, mass[-1] / 2)])
    return max(1.4826 * median, _LEAST_SPREAD)


def _boosted(
    columns: Sequence[str], settings: BoostingSettings, x: FloatArray, y: FloatArray, weights: FloatArray
) -> object:
    _need_sklearn()
    from sklearn.ensemble import HistGradientBoostingRegressor

    signs = {**dict.fromkeys(settings.rising, 1), **dict.fromkeys(settings.falling, -1)}
    model = HistGradientBoostingRegressor(
        loss=settings.loss,
        learning_rate=settings.rate,
        max_iter=settings.trees,
        max_leaf_nodes=settings.leaves,
        min_samples_leaf=settings.least_rows,
        l2_regularization=settings.ridge,
        monotonic_cst=[signs.get(name, 0) for name in columns] if signs else None,
        early_stopping=False,
        random_state=settings.seed,
    )
    with one_thread():
        return model.fit(x, y, sample_weight=weights)


def _gaussian(settings: ProcessSettings, x: FloatArray, y: FloatArray) -> tuple[object, FloatArray]:
    """The fitted process and what its columns were divided by before."""
    _need_sklearn()
    import warnings

    from sklearn.exceptions import ConvergenceWarning
    from sklearn.gaussian_process import GaussianProcessRegressor
    from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel

    scale = scale_of(x)
    variance = max(float(y.var()), _LEAST_SPREAD**2)
    kernel = ConstantKernel(variance, (variance * 1e-3, variance * 1e3)) * Matern(
        np.full(x.shape[1], 2.0), (0.05, 1e3), nu=2.5
    ) + WhiteKernel(variance * 0.05, (variance * 1e-6 + _LEAST_SPREAD**2, variance * 2 + _LEAST_SPREAD**2))
    model = GaussianProcessRegressor(kernel, n_restarts_optimizer=settings.restarts, random_state=settings.seed)
    with warnings.catch_warnings(), one_thread():
        # A length at its bound is a column that does not matter: the search has ended well all the same.
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(x / scale, y), scale


def _kept_out_errors(
    fit: Fit, x: FloatArray, y: FloatArray, weights: FloatArray, settings: BoostingSettings
) -> FloatArray:
    return kept_out(fit, x, y, random_folds(len(x), settings.folds, settings.seed), weights).errors


def _at_random(n: int, most: int, weights: FloatArray, seed: int) -> IntArray:
    if n <= most:
        return np.arange(n)
    chosen: AnyArray = np.random.default_rng(seed).choice(n, most, replace=False, p=weights / weights.sum())
    return np.sort(chosen)


def one_thread() -> AbstractContextManager[object]:
    """So few rows are fitted sooner by one thread than by several that wait for each other, above all on busy cores."""
    from threadpoolctl import threadpool_limits

    limits: AbstractContextManager[object] = threadpool_limits(1)
    return limits


def _need_sklearn() -> None:
    try:
        import sklearn  # noqa: F401
    except ImportError as exc:
        raise MissingExtra(
            m("scikit-learn is not installed."),
            m("Timing models are fitted with it; a fitted one needs it no more."),
            m("Install it: pip install 'cyclescope[predict]'."),
        ) from exc
