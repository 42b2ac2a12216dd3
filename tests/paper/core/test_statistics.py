"""Intervals that cover what they promise, ratios that are the same on every machine."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest

from cyclescope.core.statistics import CONFIDENCE, Estimate, median_estimate, median_ranks, median_ratio


def coverage(n: int, low: int, high: int) -> Fraction:
    """Exact probability that the median of a continuous distribution lies between order statistics `low` and `high`
    (zero-based) of n samples: that more than `low` and at most `high` samples fall below it.
    """
    return Fraction(sum(math.comb(n, k) for k in range(low + 1, high + 1)), 2**n)


@pytest.mark.parametrize("n", range(6, 61))
def test_the_interval_of_the_median_covers_what_it_promises_and_is_the_narrowest_that_does(n: int) -> None:
    low, high = median_ranks(n)
    assert high == n - 1 - low
    assert coverage(n, low, high) >= Fraction(95, 100)
    assert coverage(n, low + 1, high - 1) < Fraction(95, 100)


@pytest.mark.parametrize("n", range(1, 6))
def test_with_fewer_than_six_samples_the_extremes_are_given_and_cover_less(n: int) -> None:
    assert median_ranks(n) == (0, n - 1)
    assert coverage(n, 0, n - 1) < Fraction(95, 100)


@pytest.mark.parametrize("n", [1000, 4001, 100_000])
def test_many_samples_lose_no_precision(n: int) -> None:
    """Far out the ranks are n/2 ∓ 0.98 √n (the normal limit), and no power of a half has become zero on the way."""
    low, high = median_ranks(n)
    assert abs((n - 1) / 2 - low - 0.98 * math.sqrt(n)) < 1.5
    assert low + high == n - 1


@pytest.mark.parametrize("n", [10, 100, 4000])
def test_more_confidence_is_never_narrower(n: int) -> None:
    lows = [median_ranks(n, confidence)[0] for confidence in (0.5, 0.8, 0.95, 0.99)]
    assert lows == sorted(lows, reverse=True)
    assert lows[0] > lows[-1]


@pytest.mark.parametrize("n", [0, -1])
def test_a_median_of_nothing_is_refused(n: int) -> None:
    with pytest.raises(ValueError, match="at least one sample"):
        median_ranks(n)


@pytest.mark.parametrize("n", [6, 15, 40])
def test_simulated_intervals_hold_the_true_median_of_a_skewed_distribution(n: int) -> None:
    """Run times are skewed; the interval assumes nothing about them. 4000 draws know a share to ±0.7 % (two sigma)."""
    draws = np.sort(np.random.default_rng(n).lognormal(mean=0.0, sigma=1.0, size=(4000, n)), axis=1)
    low, high = median_ranks(n)
    held = (draws[:, low] <= 1.0) & (draws[:, high] >= 1.0)
    assert held.mean() >= CONFIDENCE - 0.007


def test_an_estimate_is_the_median_with_its_order_statistics_whatever_the_order_of_the_samples() -> None:
    samples = np.arange(1, 10) * 100
    assert median_ranks(9) == (1, 7)
    estimate = median_estimate(np.random.default_rng(0).permutation(samples))
    assert estimate == Estimate(500.0, 200.0, 800.0, 9)
    assert estimate.half_width == 0.6


def test_an_even_number_of_samples_has_its_median_between_two() -> None:
    assert median_estimate(np.asarray([1, 3])) == Estimate(2.0, 1.0, 3.0, 2)


def test_one_sample_is_its_own_median() -> None:
    assert median_estimate(np.asarray([7])) == Estimate(7.0, 7.0, 7.0, 1)


def test_a_width_relative_to_nothing_is_infinite_unless_there_is_none() -> None:
    assert Estimate(0.0, 0.0, 5.0, 3).half_width == math.inf
    assert Estimate(0.0, 0.0, 0.0, 3).half_width == 0.0


def noisy(rng: np.random.Generator, n: int, median: float = 1e6) -> np.ndarray:
    """Walls as they come: a floor, and now and then much more."""
    return median * (1 + 0.02 * rng.standard_normal(n) + 0.3 * (rng.random(n) < 0.05))


def test_a_ratio_is_the_same_every_time_it_is_asked_for() -> None:
    a, b = (noisy(np.random.default_rng(seed), 30) for seed in (1, 2))
    assert median_ratio(a, b) == median_ratio(a.copy(), b.copy())


def test_a_ratio_does_not_touch_the_random_numbers_of_its_caller() -> None:
    np.random.seed(5)
    expected = np.random.RandomState(5).random()
    median_ratio(np.asarray([1, 2, 3]), np.asarray([1, 2, 3]))
    assert np.random.random() == expected


def test_a_ratio_of_constants_is_exact_and_counts_the_smaller_sample() -> None:
    ratio = median_ratio(np.full(9, 300), np.full(20, 200))
    assert (ratio.value, ratio.low, ratio.high, ratio.n) == (1.5, 1.5, 1.5, 9)


def test_the_ratio_of_equal_things_is_one_within_its_interval_as_often_as_promised() -> None:
    """A/A: 200 pairs know a share of 0.95 to ±3 % (two sigma)."""
    rng = np.random.default_rng(42)
    ratios = [median_ratio(noisy(rng, 30), noisy(rng, 30)) for _ in range(200)]
    assert np.mean([ratio.low <= 1.0 <= ratio.high for ratio in ratios]) >= 0.93


def test_the_interval_of_a_ratio_is_as_wide_as_theory_says() -> None:
    """The median of n normal values scatters by 1.2533 σ/√n, a ratio of two by √2 times that: ±1.96 of it are 95 %."""
    rng = np.random.default_rng(44)
    n, sigma = 400, 0.01
    widths = []
    for _ in range(5):
        top, bottom = 1 + sigma * rng.standard_normal((2, n))
        ratio = median_ratio(top, bottom)
        widths.append((ratio.high - ratio.low) / 2)
    expected = 1.96 * math.sqrt(2) * 1.2533 * sigma / math.sqrt(n)
    assert np.mean(widths) == pytest.approx(expected, rel=0.15)


def test_a_ratio_of_single_samples_is_their_ratio() -> None:
    ratio = median_ratio(np.asarray([3]), np.asarray([2]))
    assert (ratio.value, ratio.low, ratio.high, ratio.n) == (1.5, 1.5, 1.5, 1)


def test_a_tenth_more_is_told_from_nothing() -> None:
    rng = np.random.default_rng(43)
    for _ in range(20):
        ratio = median_ratio(noisy(rng, 30, 1.1e6), noisy(rng, 30))
        assert 1.0 < ratio.low < ratio.value < ratio.high
        assert ratio.value == pytest.approx(1.1, abs=0.03)
