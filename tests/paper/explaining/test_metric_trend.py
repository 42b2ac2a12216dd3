"""The slope that a few outliers must not bend."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cyclescope.explaining.metrics.trend import Trend, theil_sen


@given(st.integers(2, 40), st.integers(-10_000, 10_000), st.integers(-(10**9), 10**9))
def test_a_straight_line_has_its_slope_and_no_doubt(n: int, slope: int, start: int) -> None:
    x = np.arange(n)
    assert theil_sen(x, start + slope * x) == Trend(slope, slope, slope, n)


def test_a_fifth_of_wild_points_does_not_bend_it_as_it_bends_least_squares() -> None:
    x = np.arange(40)
    y = 1_000.0 + 5 * x
    y[::5] += 1e9
    trend = theil_sen(x, y)
    assert trend.slope == 5
    assert np.polyfit(x, y, 1)[0] < -1e6


def test_noise_without_a_trend_is_told_from_one() -> None:
    noise = np.random.default_rng(7).normal(0, 100, 60)
    x = np.arange(60)
    still, rising = theil_sen(x, noise), theil_sen(x, noise + 30 * x)
    assert still.low < 0 < still.high
    assert 0 < rising.low < 30 < rising.high


def test_the_interval_holds_the_truth_as_often_as_it_says() -> None:
    rng = np.random.default_rng(20)
    x = np.arange(20)
    trends = [theil_sen(x, 3 * x + rng.normal(0, 10, 20)) for _ in range(400)]
    assert 0.92 <= np.mean([t.low <= 3 <= t.high for t in trends]) <= 0.99


def test_many_points_are_thinned_and_say_so() -> None:
    x = np.arange(20_000)
    trend = theil_sen(x, 2 * x)
    assert (trend.slope, trend.n) == (2, 500)


def test_one_point_has_no_slope() -> None:
    with pytest.raises(ValueError, match="two points"):
        theil_sen(np.arange(1), np.arange(1))


def test_more_confidence_needs_a_wider_interval() -> None:
    rng = np.random.default_rng(3)
    x = np.arange(30)
    y = rng.normal(0, 10, 30)
    usual, strict = theil_sen(x, y), theil_sen(x, y, 0.999)
    assert strict.low < usual.low < usual.high < strict.high
    assert strict.slope == usual.slope
