"""Errors of predictions against figures worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cyclescope.predicting.evaluation import accuracy, mean_interval, mean_over

TRUE = np.array([100.0, 200.0, 50.0, 50.0])
PREDICTED = np.array([110.0, 150.0, 50.0, 60.0])


def test_errors_are_shares_of_the_true_time() -> None:
    found = accuracy(TRUE, PREDICTED)

    assert found.n == 4
    assert found.mean == pytest.approx((0.1 + 0.25 + 0 + 0.2) / 4)
    assert found.median == pytest.approx(0.15)
    assert found.p90 == pytest.approx(0.2 + 0.7 * 0.05)  # between the third and the fourth of four
    assert found.weighted == pytest.approx(70 / 400)
    assert found.bias == pytest.approx((math.log(1.1) + math.log(0.75) + math.log(1.2)) / 4)
    assert found.coverage is None


def test_coverage_counts_the_ends() -> None:
    low, high = np.array([100.0, 151.0, 51.0, 40.0]), np.array([120.0, 199.0, 60.0, 50.0])

    assert accuracy(TRUE, PREDICTED, (low, high)).coverage == 0.5


def test_the_interval_of_the_mean_draws_whole_groups() -> None:
    """Rows of a group are one piece of evidence: ten copies of each error are no narrower than one."""
    errors = np.random.default_rng(0).exponential(0.1, 30)
    one = mean_interval(errors, np.arange(30))
    copies = mean_interval(np.repeat(errors, 10), np.repeat(np.arange(30), 10))

    assert copies == pytest.approx(one)
    assert one[0] < errors.mean() < one[1]
    assert mean_interval(errors, np.zeros(30)) == (-math.inf, math.inf)


def test_a_time_of_zero_and_no_prediction_are_refused() -> None:
    with pytest.raises(ValueError, match="above 0"):
        accuracy(np.array([0.0]), np.array([1.0]))
    with pytest.raises(ValueError, match="at least one"):
        accuracy(np.array([]), np.array([]))


@given(st.lists(st.floats(0.01, 1), min_size=2, max_size=8))
def test_a_mean_over_seeds_lies_in_its_interval(figures: list[float]) -> None:
    mean, low, high = mean_over(figures)

    assert low <= mean <= high


def test_one_seed_has_no_interval() -> None:
    assert mean_over([0.2]) == (0.2, -math.inf, math.inf)
