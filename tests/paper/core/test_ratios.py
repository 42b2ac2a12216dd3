"""B ÷ A with its interval: what it rests on, what cancels, how often it is wrong, and what it finds."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from noise import NoisyMachine, in_turns, samples

from cyclescope.core.ratios import BETWEEN_RUNS, interleaved_ratio, ratio_apart, rounds
from cyclescope.core.samples import UninstrumentedSamples
from cyclescope.core.statistics import Ratio
from cyclescope.core.units import FloatArray

MS = 1_000_000
THRESHOLD = 0.01


def quiet(**more: float) -> NoisyMachine:
    return NoisyMachine(0, wave=0.0, jitter=0.0, stalls=0.0, **more)


def differs(ratio: Ratio) -> bool:
    return ratio.low > 1 + THRESHOLD or ratio.high < 1 / (1 + THRESHOLD)


def test_rounds_are_read_from_when_the_runs_began() -> None:
    a, b = in_turns(quiet(), 10 * MS, 12 * MS, 5)

    np.testing.assert_allclose(rounds(a, b), [math.log(1.2)] * 5)
    np.testing.assert_allclose(rounds(b, a), [-math.log(1.2)] * 5)


@pytest.mark.parametrize("block", [1, 2, 7])
def test_a_steady_drift_cancels_in_every_round(block: int) -> None:
    a, b = in_turns(quiet(drift=0.1), 10 * MS, 10 * MS, 6, block)

    assert a.wall_ns[-1] > 1.02 * a.wall_ns[0]
    # Two blocks of one order and two of the other; what is left is the curvature, not the slope.
    assert np.abs(rounds(a, b)).max() < 1e-3


def test_measured_one_after_the_other_is_not_in_turns() -> None:
    machine = quiet()
    a = samples(machine.block(10 * MS, 20))
    b = samples(machine.block(10 * MS, 20))

    assert len(rounds(a, b)) == len(rounds(b, a)) == 0


def test_runs_that_overlap_are_not_in_turns() -> None:
    """Two processes at the same time, or two machines whose clocks show the same hours by chance."""
    a, b = in_turns(quiet(), 10 * MS, 10 * MS, 5)
    moved = UninstrumentedSamples(b.wall_ns, b.cpu_ns, b.started_ns - 5 * MS)

    assert len(rounds(a, moved)) == 0


def test_without_samples_there_are_no_rounds() -> None:
    a, _ = in_turns(quiet(), MS, MS, 2)

    assert len(rounds(a, UninstrumentedSamples.empty())) == len(rounds(UninstrumentedSamples.empty(), a)) == 0


@settings(deadline=None)
@given(st.lists(st.floats(-0.3, 0.3), min_size=6, max_size=40))
def test_the_interval_holds_the_ratio_and_turns_over_with_the_sides(logs: list[float]) -> None:
    ratio, mirrored = interleaved_ratio(np.asarray(logs)), interleaved_ratio(-np.asarray(logs))

    assert ratio.low <= ratio.value <= ratio.high
    assert mirrored.value == pytest.approx(1 / ratio.value)
    assert mirrored.low == pytest.approx(1 / ratio.high)
    assert mirrored.high == pytest.approx(1 / ratio.low)


def test_one_round_has_no_interval() -> None:
    ratio = interleaved_ratio(np.asarray([0.1]))

    assert (ratio.low, ratio.high) == (0.0, math.inf)


def test_what_differs_between_runs_widens_as_independent_errors_do() -> None:
    walls = np.full(50, 10 * MS)

    assert ratio_apart(walls, walls, 0.0).high == 1.0
    widened = ratio_apart(walls, walls, 0.25)
    assert widened.high == pytest.approx(1.25)
    assert widened.low == pytest.approx(0.8)


def noisy_logs(seed: int, factor: float, count: int = 24) -> FloatArray:
    return rounds(*in_turns(NoisyMachine(seed), 10 * MS, factor * 10 * MS, count))


def test_of_a_hundred_equal_pairs_in_turns_at_most_two_are_told_apart() -> None:
    wrong = sum(differs(interleaved_ratio(noisy_logs(seed, 1.0))) for seed in range(100))

    assert wrong <= 2


@pytest.mark.parametrize("count", [6, 12])
def test_few_rounds_are_no_reason_for_more_false_alarms(count: int) -> None:
    wrong = sum(differs(interleaved_ratio(noisy_logs(seed, 1.0, count))) for seed in range(200, 300))

    assert wrong <= 2


def test_the_interval_covers_the_true_ratio_as_often_as_it_says() -> None:
    """99 %: of 300 it may miss a few; more than 8 would come about by chance once in a hundred."""
    ratios = [interleaved_ratio(noisy_logs(seed, 1.04, 16)) for seed in range(300, 600)]

    assert sum(not ratio.low <= 1.04 <= ratio.high for ratio in ratios) <= 8


def test_a_planted_slowdown_of_ten_per_cent_is_found_in_turns() -> None:
    found = sum(interleaved_ratio(noisy_logs(seed, 1.1)).low > 1 + THRESHOLD for seed in range(100))

    assert found >= 95


def apart(seed: int, factor: float, between: float, widened: float = BETWEEN_RUNS) -> Ratio:
    """Two processes: the speed of each is off by a fortune of its own that lasts as long as it does, and by waves."""
    fortune = np.random.default_rng(seed).normal(0, between, 2)
    sides = [
        NoisyMachine(2 * seed + k, memory_ns=5e7).block(10 * MS * true * math.exp(fortune[k]), 60)
        for k, true in enumerate((1.0, factor))
    ]
    return ratio_apart(samples(sides[0]).wall_ns, samples(sides[1]).wall_ns, widened)


def test_of_a_hundred_equal_pairs_apart_at_most_two_are_told_apart() -> None:
    """Between processes as much as bench/ab.py has seen on a shared machine at rest: a spread of five per cent."""
    assert sum(differs(apart(seed, 1.0, 0.05)) for seed in range(100)) <= 2


def test_without_the_between_run_term_equal_pairs_apart_would_be_told_apart() -> None:
    assert sum(differs(apart(seed, 1.0, 0.05, widened=0.0)) for seed in range(100)) > 20


def test_a_planted_slowdown_by_half_is_found_apart() -> None:
    assert sum(apart(seed, 1.5, 0.05).low > 1 + THRESHOLD for seed in range(100)) >= 90
