"""Conformal intervals hold what they promise, on data whose truth is known."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cyclescope.predicting.intervals import (
    Conformal,
    conformal,
    conformal_quantile,
    group_quantile,
    slope_outside,
)
from cyclescope.predicting.regression.kept_out import KeptOut, kept_out, random_folds
from predicting.power_law import BASE, COLUMNS, law, linear_fit, sample

FIT = linear_fit(COLUMNS, BASE)


def errors_only(errors: np.ndarray, outside: np.ndarray | None = None) -> KeptOut:
    n = len(errors)
    return KeptOut(errors, np.ones(n), np.zeros(n) if outside is None else outside, np.arange(n), ())


def test_split_intervals_hold_nine_of_ten() -> None:
    """Over many draws of 40 kept-out errors, skewed and heavy-tailed ones among them."""
    rng = np.random.default_rng(0)
    for draw in (rng.standard_normal, lambda n: rng.standard_t(3, n), lambda n: rng.exponential(1.0, n) - 1.0):
        held = [np.mean(np.abs(draw(300)) <= conformal_quantile(np.abs(draw(40)))) for _ in range(200)]

        assert 0.88 < np.mean(held) < 0.93


@given(st.lists(st.floats(0, 10), min_size=9, max_size=60))
def test_the_quantile_is_one_of_the_scores_and_has_enough_below(scores: list[float]) -> None:
    quantile = conformal_quantile(np.array(scores))

    assert quantile in scores
    assert sum(score <= quantile for score in scores) >= 0.9 * (len(scores) + 1) - 1e-9


@pytest.mark.parametrize("n", [1, 2, 4, 8])
def test_of_few_scores_the_interval_is_wide_enough_for_normal_errors(n: int) -> None:
    rng = np.random.default_rng(n)
    held = [abs(rng.standard_normal()) <= conformal_quantile(np.abs(rng.standard_normal(n))) for _ in range(1000)]

    assert 0.88 < np.mean(held) < 0.96
    assert conformal_quantile(np.array([])) == math.inf


def test_intervals_of_a_fitted_regression_hold_nine_of_ten() -> None:
    """Kept-out folds, one fit on everything, unseen rows: what a prediction does."""
    held = []
    for seed in range(6):
        x, y = sample(240, seed, noise=0.1)
        found = kept_out(FIT, x, y, random_folds(240, 6, seed))
        unseen = sample(400, 1000 + seed)[0]
        truth = law(unseen) + 0.1 * np.random.default_rng(seed).standard_normal(400)
        estimate = FIT(x, y, np.ones(240)).evaluate(unseen)
        intervals = conformal(found)
        spread = np.full(400, np.median(found.spread))  # every fold has its own; that of all rows is near their middle
        half = intervals.half_widths(spread, estimate.outside)
        held.append(np.mean(np.abs(truth - estimate.mean) <= half))

    assert 0.87 < np.mean(held) < 0.93


def test_a_class_with_enough_of_its_own_gets_its_own_interval() -> None:
    rng = np.random.default_rng(1)
    kinds = ["matmul"] * 300 + ["gather"] * 300 + ["rare"] * 5
    scale = {"matmul": 0.02, "gather": 0.2, "rare": 0.2}
    intervals = conformal(errors_only(np.array([scale[k] * rng.standard_normal() for k in kinds])), kinds)

    assert intervals.classes == ("matmul", "gather")
    assert intervals.quantile("matmul") == pytest.approx(1.645 * 0.02, rel=0.2)
    assert intervals.quantile("gather") == pytest.approx(1.645 * 0.2, rel=0.2)
    assert intervals.quantile("rare") == intervals.quantile()
    halves = intervals.half_widths(np.ones(3), np.zeros(3), ["gather", "matmul", "never seen"])
    assert halves.tolist() == [intervals.quantile("gather"), intervals.quantile("matmul"), intervals.quantile()]
    for kind in ("matmul", "gather"):
        held = np.abs(scale[kind] * rng.standard_normal(20000)) <= intervals.quantile(kind)
        assert 0.86 < held.mean() < 0.94


def test_rows_outside_widen_by_as_much_as_was_learned() -> None:
    """Errors that grow by their own size with each unit outside: the slope is about 1, and coverage holds there too."""
    rng = np.random.default_rng(2)
    outside = np.where(np.arange(2000) % 2, rng.uniform(0, 4, 2000), 0.0)
    errors = (1 + outside) * rng.standard_normal(2000)
    intervals = conformal(errors_only(errors, outside))

    assert 0.7 < intervals.slope < 2.0
    fresh = (1 + outside) * rng.standard_normal(2000)
    held = np.abs(fresh) <= intervals.half_widths(np.ones(2000), outside)
    assert 0.87 < held.mean() < 0.95
    assert held[outside > 0].mean() > 0.88
    assert (intervals.widening(outside) >= 1).all()


def test_without_evidence_an_interval_doubles_for_each_deviation_outside() -> None:
    assert slope_outside(np.ones(100), np.zeros(100)) == 1.0
    assert Conformal(np.ones(20)).half_widths(np.ones(2), np.array([0.0, 1.0])).tolist() == [1.0, 2.0]


def test_groups_that_err_together_widen_the_interval() -> None:
    """Thirty models with one bias each: a new model's rows are held nine times of ten, over many draws."""
    rng = np.random.default_rng(3)
    held = []
    for _ in range(300):
        groups = np.repeat(np.arange(30), 20)
        scores = np.abs(np.repeat(rng.standard_normal(30), 20) + 0.1 * rng.standard_normal(600))
        fresh = np.abs(rng.standard_normal() + 0.1 * rng.standard_normal(20))
        held.append(np.mean(fresh <= group_quantile(scores, groups)))

    assert 0.87 < np.mean(held) < 0.95


def test_of_few_groups_the_interval_is_wider_than_the_widest_group() -> None:
    scores = np.array([1.0, 1.1, 3.0, 3.1])

    assert group_quantile(scores, np.array([0, 0, 1, 1])) > 3.09


def test_scores_that_are_not_sorted_are_refused() -> None:
    with pytest.raises(ValueError, match="sorted"):
        Conformal(np.array([2.0, 1.0]))
    with pytest.raises(ValueError, match="sorted"):
        Conformal(np.array([np.nan]))
