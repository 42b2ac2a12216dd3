"""Where the engine makes ready for every instrumented block, the uninstrumented runs have their half of the time all the same."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cyclescope.measuring.interleaving import collect
from cyclescope.measuring.measure import measure_session
from cyclescope.measuring.sampling import Collected

from .sessions import GRAPH, MS, WatchedSession, session

S = 1000 * MS
# Medians of these are never known to ±1 %.
NOISE = (1.0, 1.5)


def collected(s: WatchedSession, stop_ns: int, typical_ns: int, grace_ns: int = 0) -> Collected:
    into = Collected()
    collect(s, GRAPH, s.clock, stop_ns, typical_ns, into, grace_ns=grace_ns)
    return into


def kinds(s: WatchedSession) -> str:
    """Blocks in order: P, or L with its number of runs."""
    return " ".join("P" if kind == "plain" else f"L{cycles}" for kind, cycles in s.blocks)


def test_plain_blocks_on_both_sides_of_a_stamped_one_take_as_long_as_it_does() -> None:
    """A cycle takes 300 and 450 ms in turns, an instrumented block a second more.

    The first instrumented block (1.45 s) is followed by plain ones up to its time; the next has as many runs as take a second,
    and half of the last one's time of uninstrumented runs before it.
    """
    s = session(300 * MS, pace=NOISE, ready_ns=1 * S)
    runs = collected(s, stop_ns=8 * S, typical_ns=300 * MS)
    assert kinds(s) == "P L1 P P P P P P L2 P P P P P P"
    assert (len(runs.uninstrumented), len(runs.instrumented)) == (13, 3)
    assert sum(run.wall_ns for run in runs.uninstrumented) == pytest.approx(4.8 * S, abs=1000)
    assert s.clock.now_ns() == pytest.approx(8 * S, abs=1000)  # another cycle would end more than 5 % after that


def test_short_cycles_are_stamped_in_larger_blocks_so_that_making_ready_is_worth_it() -> None:
    s = session(10 * MS, pace=NOISE, ready_ns=500 * MS)
    runs = collected(s, stop_ns=8 * S, typical_ns=10 * MS)
    assert [cycles for kind, cycles in s.blocks if kind == "light"] == [8, 27, 27, 27, 8]
    assert (len(runs.uninstrumented), len(runs.instrumented)) == (336, 87)


def test_a_dear_round_is_symmetric_so_that_a_steady_drift_cancels() -> None:
    """From the second round on: the uninstrumented runs on both sides are as many, give or take what a block takes."""
    s = session(300 * MS, pace=NOISE, ready_ns=1500 * MS)
    runs = collected(s, stop_ns=60 * S, typical_ns=300 * MS)
    began = sorted(
        [(r.started_ns, "P") for r in runs.uninstrumented] + [(r.started_ns, "L") for r in runs.instrumented]
    )
    mean = {kind: sum(at for at, k in began if k == kind) / sum(k == kind for _, k in began) for kind in "PL"}
    assert abs(mean["P"] - mean["L"]) < 3 * S  # of 60; with all uninstrumented runs on one side it would be 15


def test_a_dear_block_is_not_begun_that_would_not_end_in_time() -> None:
    s = session(100 * MS, pace=NOISE, ready_ns=3 * S)
    runs = collected(s, stop_ns=9 * S, typical_ns=100 * MS)
    assert len([kind for kind, _ in s.blocks if kind == "light"]) == 1
    assert 9 * S <= s.clock.now_ns() < 9 * S + 150 * MS
    assert len(runs.uninstrumented) == 48


def test_once_the_plain_median_is_known_it_asks_for_no_more() -> None:
    """All cycles take 10 ms: thirty uninstrumented runs, and the time goes to stamped ones until theirs is known too."""
    s = session(10 * MS, ready_ns=500 * MS)
    runs = collected(s, stop_ns=100 * S, typical_ns=10 * MS)
    assert kinds(s) == "P L8 P P P P P L27"
    assert (len(runs.uninstrumented), len(runs.instrumented)) == (30, 31)


def test_what_neither_kind_needs_is_not_spent() -> None:
    """Twenty uninstrumented runs tell their median; then one each for both sides, and another instrumented block does not fit: there is
    nothing to wait for.
    """
    s = session(100 * MS, ready_ns=5 * S)
    runs = collected(s, stop_ns=12 * S, typical_ns=100 * MS)
    assert (len(runs.uninstrumented), len(runs.instrumented)) == (22, 1)
    assert s.clock.now_ns() == pytest.approx(7.3 * S, abs=10_000)


@pytest.mark.parametrize(("grace_ns", "uninstrumented"), [(0, 1), (1 * S, 1), (1200 * MS, 2), (2 * S, 4), (5 * S, 6)])
def test_an_interval_has_its_plain_runs_in_the_grace_beyond_the_time(grace_ns: int, uninstrumented: int) -> None:
    """The first instrumented block has used up all time (it ends at 1.75 of 1 s)."""
    s = session(300 * MS, pace=NOISE, ready_ns=1 * S)
    runs = collected(s, stop_ns=1 * S, typical_ns=300 * MS, grace_ns=grace_ns)
    assert (len(runs.uninstrumented), len(runs.instrumented)) == (uninstrumented, 1)
    assert s.clock.now_ns() <= max(1750 * MS, 1 * S + grace_ns)


def test_a_measurement_allows_some_of_its_budget_for_that() -> None:
    s = session(100 * MS, pace=NOISE, ready_ns=3800 * MS)
    cycle = measure_session(s, 5 * S, s.clock)
    assert len(cycle.samples.instrumented) == 1
    assert len(cycle.samples.uninstrumented) == 6
    assert s.clock.now_ns() < 6 * S


@settings(deadline=None, max_examples=30)
@given(cycle_ms=st.integers(1, 400), ready_ms=st.integers(0, 3000), rounds=st.integers(4, 10))
def test_plain_runs_have_their_share_and_the_time_is_kept(cycle_ms: int, ready_ms: int, rounds: int) -> None:
    """For any cost of making ready, where there is time for some rounds: a third of the time where blocks cost about the
    same, since there are as many of both kinds, and half where they are dear, but for a last block; and no block more than
    the time allows.
    """
    cycle_ns, ready_ns = cycle_ms * MS, ready_ms * MS
    s = session(cycle_ns, pace=NOISE, ready_ns=ready_ns)
    block_ns = max(60 * MS, cycle_ns)
    stop_ns = rounds * 2 * (ready_ns + 2 * block_ns)
    runs = collected(s, stop_ns=stop_ns, typical_ns=cycle_ns)
    if len(runs.uninstrumented) < 4000:
        assert s.uninstrumented_ns >= (0.48 if ready_ns > 2 * block_ns else 1 / 3) * s.clock.now_ns()
        assert s.clock.now_ns() >= stop_ns - 1.5 * block_ns
    assert s.clock.now_ns() <= stop_ns + 4 * block_ns
