"""Fitted regressions: what is frozen predicts what scikit-learn predicts, extrapolates, and says where it has not been."""

from __future__ import annotations

import subprocess
import sys
import time
from functools import cache

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel

from cyclescope.predicting.regression.domain import Domain
from cyclescope.predicting.regression.fitting import BoostingSettings, ProcessSettings, boosting, process
from cyclescope.predicting.regression.freezing import freeze_process, freeze_trees
from cyclescope.predicting.regression.kept_out import folds_of, kept_out, random_folds
from cyclescope.predicting.regression.regression import Fit, Regression
from cyclescope.predicting.regression.trees import Trees
from predicting.power_law import BASE, COLUMNS, law, sample

SMALL = BoostingSettings(trees=50, rate=0.1, folds=0)
FITS = {"boosting": boosting(COLUMNS, BASE, SMALL), "process": process(COLUMNS, BASE, ProcessSettings(most=150))}


@cache
def fitted(name: str, n: int = 500) -> Regression:
    x, y = sample(n, seed=0)
    return FITS[name](x, y, np.ones(n))


@pytest.mark.parametrize("leaves", [2, 8, 9, 31, 64])
def test_frozen_trees_predict_what_scikit_learn_predicts(leaves: int) -> None:
    x, y = sample(700, seed=1)
    model = HistGradientBoostingRegressor(max_iter=20, max_leaf_nodes=leaves, min_samples_leaf=3).fit(x, y)
    unseen = sample(300, seed=2, largest=14.0)[0]

    assert np.allclose(freeze_trees(model).evaluate(unseen), model.predict(unseen), rtol=0, atol=1e-12)


def test_a_row_on_a_threshold_goes_the_way_that_it_went_when_it_was_fitted() -> None:
    x = np.repeat(np.arange(6.0), 20)[:, None]
    model = HistGradientBoostingRegressor(max_iter=5, min_samples_leaf=1).fit(x, x[:, 0] % 2)
    trees = freeze_trees(model)
    edges = np.unique(trees.threshold[np.isfinite(trees.threshold)])[:, None]

    assert np.allclose(trees.evaluate(edges), model.predict(edges), rtol=0, atol=1e-12)


def test_a_frozen_process_predicts_what_scikit_learn_predicts() -> None:
    x, y = sample(80, seed=3)
    scale = x.std(axis=0)
    kernel = ConstantKernel(1.0) * Matern(np.full(3, 2.0), nu=2.5) + WhiteKernel(0.01)
    model = GaussianProcessRegressor(kernel).fit(x / scale, y)
    unseen = sample(50, seed=4, largest=14.0)[0]
    mean, variance = freeze_process(model, x, scale).evaluate(unseen)
    expected, deviation = model.predict(unseen / scale, return_std=True)

    assert np.allclose(mean, expected, atol=1e-8)
    # scikit-learn's deviation has the white noise of the kernel in it too.
    assert np.allclose(np.sqrt(variance), deviation, atol=1e-6)


def test_errors_of_points_left_out_are_those_of_a_process_without_them() -> None:
    x, y = sample(30, seed=12)
    kernel = ConstantKernel(1.0, "fixed") * Matern(np.full(3, 2.0), "fixed", nu=2.5) + WhiteKernel(0.01, "fixed")
    errors, variance = freeze_process(GaussianProcessRegressor(kernel).fit(x, y), x, np.ones(3)).left_out()
    for i in (0, 7, 29):
        rest = np.arange(30) != i
        mean, deviation = GaussianProcessRegressor(kernel).fit(x[rest], y[rest]).predict(x[[i]], return_std=True)
        assert errors[i] == pytest.approx(y[i] - mean[0], abs=1e-6)
        assert variance[i] == pytest.approx(deviation[0] ** 2, rel=1e-6)


@pytest.mark.parametrize("name", FITS)
def test_unseen_rows_are_predicted_to_near_the_noise(name: str) -> None:
    regression = fitted(name)
    x, y = sample(500, seed=5)

    assert np.abs(y - regression.evaluate(x).mean).mean() < 2 * 0.03


@pytest.mark.parametrize("name", FITS)
def test_sizes_beyond_the_seen_follow_the_power_law(name: str) -> None:
    """What trees alone cannot: four units (a factor 55) beyond the largest size."""
    regression = fitted(name)
    x = sample(200, seed=6)[0]
    x[:, 0] = 14.0
    plain = HistGradientBoostingRegressor(max_iter=80).fit(*sample(600, seed=0))

    error = np.abs(law(x) - regression.evaluate(x).mean).mean()
    assert error < 0.25
    assert error < 0.5 * np.abs(law(x) - plain.predict(x)).mean()


def test_rows_outside_are_recognised_with_the_column_and_the_distance() -> None:
    regression = fitted("boosting")
    inside, far = np.array([[5.0, 3.0, 1.0]]), np.array([[30.0, 7.0, 0.0]])

    assert regression.outside(inside) == ()
    assert regression.outside(far) == ("log_size", "log_rows")
    assert regression.evaluate(inside).outside[0] == 0
    scale = regression.domain.scale[0]
    assert regression.evaluate(far).outside[0] == pytest.approx((30 - regression.domain.high[0]) / scale, rel=0.05)


def test_a_column_that_never_changed_is_outside_when_it_changes() -> None:
    domain = Domain.of(np.array([[1.0, 0.0], [2.0, 0.0]]))

    assert domain.distance(np.array([[1.5, 1.0], [1.5, 0.0]])).tolist() == [1.0, 0.0]


@pytest.mark.parametrize("name", FITS)
def test_a_column_of_one_value_changes_nothing(name: str) -> None:
    """Of 0.1 the computed deviation is a rounding: divided by it, a constant would be noise."""
    x, y = sample(40, seed=13)
    with_constant = np.column_stack([x, np.full(40, 0.1)])
    assert with_constant.std(axis=0)[3] > 0
    fits: dict[str, Fit] = {
        "boosting": boosting((*COLUMNS, "constant"), (*BASE, "constant"), SMALL),
        "process": process((*COLUMNS, "constant"), (*BASE, "constant"), ProcessSettings(most=150)),
    }
    plain, wide = FITS[name](x, y, np.ones(40)), fits[name](with_constant, y, np.ones(40))
    unseen = sample(40, seed=14)[0]

    expected = plain.evaluate(unseen).mean
    assert np.allclose(wide.evaluate(np.column_stack([unseen, np.full(40, 0.1)])).mean, expected, atol=0.01)


def test_the_process_is_less_sure_where_it_has_not_been() -> None:
    spread = fitted("process").evaluate(np.array([[5.0, 3.0, 1.0], [40.0, 3.0, 1.0]])).spread

    assert spread[1] > 1.5 * spread[0]


def test_the_spread_of_boosting_is_that_of_rows_that_were_kept_out() -> None:
    x, y = sample(250, seed=7, noise=0.1)
    seen = boosting(COLUMNS, BASE, BoostingSettings(trees=15, rate=0.5, least_rows=2, folds=0))(
        x, y, np.ones(250)
    ).spread
    unseen = boosting(COLUMNS, BASE, BoostingSettings(trees=15, rate=0.5, least_rows=2, folds=3))(
        x, y, np.ones(250)
    ).spread

    assert seen < 0.06
    assert 0.08 < unseen < 0.16


def test_weights_decide_between_rows_that_contradict_each_other() -> None:
    x = np.tile(sample(100, seed=8)[0], (2, 1))
    y = np.repeat([0.0, 1.0], 100)
    weights = np.repeat([1.0, 50.0], 100)

    assert fitted_mean(FITS["boosting"], x, y, weights) > 0.9
    assert fitted_mean(FITS["boosting"], x, y, weights[::-1].copy()) < 0.1


def fitted_mean(fit: Fit, x: np.ndarray, y: np.ndarray, weights: np.ndarray) -> float:
    return float(fit(x, y, weights).evaluate(x).mean.mean())


def test_a_rising_column_only_rises() -> None:
    x, y = sample(300, seed=9, noise=0.3)
    fit = boosting(COLUMNS, (), BoostingSettings(trees=30, rising=("log_rows",), folds=0, loss="squared_error"))
    line = np.column_stack([np.full(200, 5.0), np.linspace(0, 6, 200), np.zeros(200)])

    assert (np.diff(fit(x, y, np.ones(300)).evaluate(line).mean) >= -1e-12).all()


def test_rows_of_another_width_and_missing_features_are_refused() -> None:
    regression = fitted("boosting", n=50)

    with pytest.raises(ValueError, match="3 columns"):
        regression.evaluate(np.zeros((2, 4)))
    with pytest.raises(ValueError, match="finite"):
        regression.evaluate(np.array([[np.nan, 0.0, 0.0]]))


def test_trees_that_leave_no_leaf_or_point_nowhere_are_refused() -> None:
    trees = fitted("boosting", n=100).trees
    assert trees is not None
    with pytest.raises(ValueError, match="rules out"):
        Trees(0.0, trees.feature, trees.threshold, trees.ruled_out * 0 + np.uint64(2**63 - 1), trees.leaf)
    with pytest.raises(ValueError, match="no number"):
        Trees(0.0, trees.feature - 1, trees.threshold, trees.ruled_out, trees.leaf)
    with pytest.raises(ValueError, match="differ in number"):
        Trees(0.0, trees.feature[:, 1:], trees.threshold, trees.ruled_out, trees.leaf)


def test_every_row_is_kept_out_once_and_predicted_without_its_fold() -> None:
    x, y = sample(120, seed=10)
    fold = random_folds(120, 4)
    seen: list[int] = []

    def fit(rows: np.ndarray, targets: np.ndarray, weights: np.ndarray) -> Regression:
        seen.append(len(rows))
        return FITS["boosting"](rows, targets, weights)

    found = kept_out(fit, x, y, fold)
    assert seen == [90] * 4
    assert np.allclose(found.errors[fold == 2], y[fold == 2] - found.regressions[2].evaluate(x[fold == 2]).mean)


def test_a_fold_for_each_group_leaves_one_group_out() -> None:
    groups = np.array(["a", "b", "a", "c", "b", "d", "e"])
    assert folds_of(groups).tolist() == [0, 1, 0, 2, 1, 3, 4]


def test_one_fold_keeps_nothing_out() -> None:
    x, y = sample(10, seed=0)
    with pytest.raises(ValueError, match="at least 2 folds"):
        kept_out(FITS["boosting"], x, y, np.zeros(10, dtype=np.int64))


def test_evaluating_needs_no_scikit_learn_and_grows_with_the_rows() -> None:
    code = (
        "import sys\nimport cyclescope.predicting.regression.file, cyclescope.predicting.intervals\n"
        "import cyclescope.predicting.regression.fitting\nassert not {'sklearn', 'scipy'} & {n.partition('.')[0] for n in sys.modules}"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_trees_are_evaluated_at_least_ten_times_as_fast_as_row_by_row() -> None:
    """Of the same trees, so that the speed of the machine is no part of it."""
    trees = fitted("boosting").trees
    assert trees is not None
    rows = sample(4000, seed=11)[0]

    def seconds(part: np.ndarray, step: int) -> float:
        begin = time.perf_counter()
        for start in range(0, len(part), step):
            trees.evaluate(part[start : start + step])
        return (time.perf_counter() - begin) / len(part)

    assert seconds(rows, 4000) < seconds(rows[:10], 1) / 10
