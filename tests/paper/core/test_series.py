"""Intervals from steps: they cover what they should although steps resemble their neighbours and grow."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from cyclescope.core.series import mean_of_rows, median_of_rows, series_interval
from cyclescope.core.units import FloatArray

GROWTH = 0.02  # a step, in standard deviations of a shock
TRIALS = 160  # a share of 0.95 of so many is known to ±0.035, with the same seeds every time


def noise(phi: float, runs: int, steps: int, seed: int) -> FloatArray:
    """Each step's is `phi` times the last one's and a shock [runs, steps]."""
    shocks = np.random.default_rng(seed).standard_normal((runs, steps + 200))
    made = np.zeros_like(shocks)
    for k in range(1, shocks.shape[1]):
        made[:, k] = phi * made[:, k - 1] + shocks[:, k]
    return made[:, 200:]


def coverage(
    phi: float,
    runs: int,
    steps: int,
    statistic: Callable[[FloatArray], FloatArray],
    confidence: float,
    apart: float = 0.0,
) -> float:
    line = 100 + GROWTH * np.arange(steps)
    hits = []
    for seed in range(TRIALS):
        levels = apart * np.random.default_rng((seed, 1)).standard_normal((runs, 1))
        found = series_interval(line + levels + noise(phi, runs, steps, seed), statistic, confidence)
        if found is not None:
            hits.append(found.low <= line.mean() <= found.high)
    assert len(hits) > 0.85 * TRIALS
    return float(np.mean(hits))


@pytest.mark.parametrize(("confidence", "low", "high"), [(0.90, 0.85, 0.97), (0.95, 0.91, 0.99)])
@pytest.mark.parametrize(("phi", "runs", "steps"), [(0.0, 1, 31), (0.3, 2, 31), (0.6, 2, 63), (0.8, 1, 191)])
def test_the_mean_is_covered_as_often_as_it_says(
    phi: float, runs: int, steps: int, confidence: float, low: float, high: float
) -> None:
    assert low <= coverage(phi, runs, steps, mean_of_rows, confidence) <= high


def test_the_median_is_covered_too() -> None:
    assert coverage(0.5, 2, 63, median_of_rows, 0.95) >= 0.92


@pytest.mark.parametrize(("phi", "runs", "steps"), [(0.8, 2, 31), (0.9, 4, 31), (0.9, 1, 127)])
def test_the_mean_is_covered_where_few_samples_are_worth_anything(phi: float, runs: int, steps: int) -> None:
    assert coverage(phi, runs, steps, mean_of_rows, 0.95) >= 0.88


@pytest.mark.parametrize(("phi", "runs"), [(0.0, 2), (0.5, 4)])
def test_runs_on_levels_of_their_own_widen_it(phi: float, runs: int) -> None:
    """A plain interval of 62 independent steps would cover the mean of two such runs one time in six."""
    assert coverage(phi, runs, 31, mean_of_rows, 0.95, apart=2.0) >= 0.85


def test_two_runs_have_an_interval_however_they_hang_together() -> None:
    for seed in range(20):
        for statistic in (mean_of_rows, median_of_rows):
            rows = 1000 + np.cumsum(noise(0.0, 2, 31, seed), axis=1)
            found = series_interval(rows, statistic)
            assert found is not None
            assert rows.max() - rows.min() > (found.high - found.low) / 20 > 0


def test_two_runs_that_drift_apart_and_together_again() -> None:
    """One run gets faster and the other slower, as two generations of a decoder did: neither level nor noise of its own."""
    down = 165 - np.arange(31.0) + noise(0.3, 1, 31, 1)[0]
    up = 135 + 0.9 * np.arange(31.0) + noise(0.3, 1, 31, 2)[0]
    found = series_interval(np.stack([down, up]))
    assert found is not None
    assert 15 < found.high - found.low < 80


def test_without_counting_dependence_it_would_be_far_too_narrow() -> None:
    """What the blocks are for: a plain interval of a mean covers two thirds of the time here."""
    hits = []
    for seed in range(400):
        row = noise(0.8, 1, 191, seed)[0]
        hits.append(abs(row.mean()) <= 1.96 * row.std() / np.sqrt(len(row)))
    assert np.mean(hits) < 0.7


def test_growth_is_no_noise() -> None:
    steep = 100 + np.arange(64.0)[None] + 0.01 * noise(0.0, 1, 64, 1)
    found = series_interval(steep)
    assert found is not None
    assert found.high - found.low < 0.02


def test_steps_that_never_differ_are_known_exactly() -> None:
    found = series_interval(np.full((2, 20), 5_000_000))
    assert found is not None
    assert (found.low, found.high, found.n) == (5e6, 5e6, 40)


@pytest.mark.parametrize("shape", [(1, 5), (1, 11), (20, 5)])
def test_too_few_steps_have_no_interval(shape: tuple[int, int]) -> None:
    assert series_interval(noise(0.0, *shape, seed=1)) is None


def test_steps_that_hang_together_too_much_have_none_either() -> None:
    assert series_interval(np.sin(np.linspace(0, 2 * np.pi, 20))[None]) is None


def test_equal_samples_give_equal_ends() -> None:
    rows = noise(0.4, 3, 40, 9)
    assert series_interval(rows) == series_interval(rows.copy())
