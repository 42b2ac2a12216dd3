"""Warm-up ends when what was seen is steady, says how long it took, and admits where it never was."""

from __future__ import annotations

import pytest

from cyclescope.measuring.sampling import WarmUp, is_steady, warm_up

from .sessions import MS, session

S = 1000 * MS


@pytest.mark.parametrize(
    ("slow", "cycles"),
    [
        (0, 11),  # one cycle to know its length, then two windows of five
        (1, 11),
        (3, 11),  # two slow cycles of a window leave its median alone
        (4, 16),
        (8, 16),
    ],
)
def test_it_ends_with_the_first_two_windows_that_agree(slow: int, cycles: int) -> None:
    s = session(10 * MS, warm_up=(3.0,) * slow)
    elapsed = (2 * slow + cycles) * 10 * MS
    assert warm_up(s, s.clock, 100 * S) == WarmUp(cycles, elapsed, steady=True, typical_ns=10 * MS)
    assert s.runs == cycles


def test_a_model_that_gets_faster_all_the_time_is_not_steady_when_a_quarter_of_the_budget_is_gone() -> None:
    s = session(10 * MS, warm_up=tuple(100 * 0.95**i for i in range(1000)))
    warm = warm_up(s, s.clock, 40 * S)
    assert not warm.steady
    assert 10 * S <= warm.elapsed_ns < 10 * S + 5 * S
    assert warm.cycles == s.runs


def test_a_quarter_of_the_budget_is_the_limit_however_slow_a_cycle() -> None:
    """Slow cycles are run one by one, so at most one of them reaches over the limit."""
    s = session(1 * S, warm_up=(1.0, 1.5, 1.0, 0.5, 1.0))
    warm = warm_up(s, s.clock, 20 * S)
    assert (warm.cycles, warm.elapsed_ns, warm.steady) == (5, 5 * S, False)
    assert s.blocks == [("plain", 1)] * 5


def test_slow_cycles_are_steady_after_two_windows_of_two() -> None:
    s = session(1 * S)
    assert warm_up(s, s.clock, 40 * S) == WarmUp(4, 4 * S, steady=True, typical_ns=1 * S)


def test_even_without_a_budget_a_second_cycle_is_run() -> None:
    s = session(1 * S)
    assert warm_up(s, s.clock, 1) == WarmUp(2, 2 * S, steady=False, typical_ns=1 * S)


def test_short_cycles_are_run_in_windows() -> None:
    s = session(10 * MS)
    warm_up(s, s.clock, 100 * S)
    assert s.blocks == [("plain", 1), ("plain", 5), ("plain", 5)]


def test_progress_is_told_as_a_share_that_never_exceeds_the_whole() -> None:
    told: list[tuple[str, float]] = []
    s = session(1 * S)
    warm_up(s, s.clock, 6 * S, lambda phase, done: told.append((phase, done)))
    assert {phase for phase, _ in told} == {"warm up"}
    assert [done for _, done in told] == [pytest.approx(1 / 1.5), 1.0]


@pytest.mark.parametrize(
    ("walls", "steady"),
    [
        ([100] * 9, False),  # too few to have two windows
        ([100] * 10, True),
        ([100] * 5 + [103] * 5, True),
        ([100] * 5 + [104] * 3 + [100] * 2, False),  # 4 % apart, and most of what was seen is calm
        ([100] * 5 + [112] * 5, False),
        ([112] * 5 + [100] * 5, False),
        ([900] * 20 + [100] * 10, True),  # what was before does not count
        ([100, 140, 100, 140, 100, 140, 100, 140, 108, 108], True),  # 8 % apart, but noise of 40 %
        ([100, 300, 100, 300, 100, 300, 100, 300, 111, 111], False),  # no noise excuses more than 10 %
    ],
)
def test_two_windows_agree_within_three_percent_or_within_their_own_noise(walls: list[int], steady: bool) -> None:
    assert is_steady(walls) is steady


@pytest.mark.parametrize("step", [104, 108, 96])
def test_a_step_between_two_calm_windows_is_not_steady(step: int) -> None:
    assert not is_steady([100] * 5 + [step] * 5)
