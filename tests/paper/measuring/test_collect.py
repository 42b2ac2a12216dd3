"""Plain and instrumented blocks in turn, until the medians are known or the time is over."""

from __future__ import annotations

from itertools import groupby

import numpy as np
import pytest

from cyclescope.measuring.interleaving import collect, enough
from cyclescope.measuring.sampling import Collected

from .sessions import GRAPH, MS, WatchedSession, session

S = 1000 * MS
# Medians of these are never known to ±1 %.
NOISE = (1.0, 1.5)


def collected(s: WatchedSession, stop_ns: int, typical_ns: int = 10 * MS) -> Collected:
    into = Collected()
    collect(s, GRAPH, s.clock, stop_ns, typical_ns, into)
    return into


def order_of(runs: Collected) -> str:
    """Kinds of the runs in the order in which they began: P and L."""
    began = [(run.started_ns, "P") for run in runs.uninstrumented] + [
        (run.started_ns, "L") for run in runs.instrumented
    ]
    return "".join(kind for _, kind in sorted(began))


def test_blocks_are_interleaved_so_that_drift_hits_both_kinds_alike() -> None:
    """A B B A: six cycles of 10 ms are a block of 60 ms."""
    order = order_of(collected(session(10 * MS, pace=NOISE), stop_ns=2 * S))
    blocks = [order[i : i + 6] for i in range(0, len(order), 6)]
    assert all(len(set(block)) == 1 for block in blocks)
    kinds = "".join(block[0] for block in blocks)
    assert len(kinds) > 8
    assert kinds == ("PLLP" * len(kinds))[: len(kinds)]


def test_a_steady_drift_cancels_over_a_full_round() -> None:
    """Each run is a thousandth slower than the one before; the means of both kinds are the same all the same."""
    pace = tuple(1.0 + i / 1000 for i in range(1000))
    s = session(600 * MS, pace=pace)
    runs = collected(s, stop_ns=s.clock.now_ns() + 4 * 600 * MS - 1, typical_ns=600 * MS)
    assert order_of(runs) == "PLLP"
    uninstrumented, instrumented = (
        sum(r.wall_ns for r in runs.uninstrumented),
        sum(int(r.boundaries_ns[-1]) for r in runs.instrumented),
    )
    # Every slot of a run is rounded to a nanosecond.
    assert uninstrumented == pytest.approx(instrumented, abs=2 * len(GRAPH.slots))


def test_runs_right_after_a_change_of_kind_are_left_out() -> None:
    s = session(10 * MS, pace=NOISE)
    collected(s, stop_ns=3 * S)
    one_round = [("plain", 6), ("light", 8), ("light", 8), ("plain", 2), ("plain", 6)]
    assert len(s.blocks) > 20
    assert s.blocks[:20] == 4 * one_round


def test_what_is_left_out_is_not_in_the_samples() -> None:
    """The runs after each change are planted slow; none of them is seen."""
    pace = (1.0,) * 6 + (9.0,) * 2 + (1.0,) * 6
    runs = collected(session(10 * MS, pace=pace), stop_ns=1)
    assert {r.wall_ns for r in runs.uninstrumented} == {10 * MS}
    assert {int(r.boundaries_ns[-1]) for r in runs.instrumented} == {10 * MS}


@pytest.mark.parametrize(
    ("cycle_ns", "each"),
    [
        (1 * MS, 25),  # a block holds no more than 25
        (10 * MS, 24),  # four blocks of six
        (30 * MS, 20),  # ten blocks of two
        (100 * MS, 20),
    ],
)
def test_it_stops_when_both_medians_are_known_long_before_the_time_is_over(cycle_ns: int, each: int) -> None:
    s = session(cycle_ns)
    runs = collected(s, stop_ns=1000 * S, typical_ns=cycle_ns)
    assert (len(runs.uninstrumented), len(runs.instrumented)) == (each, each)
    assert s.clock.now_ns() <= 10 * S


def test_noise_goes_on_to_the_end_of_the_time_and_not_a_block_further() -> None:
    s = session(10 * MS, pace=NOISE)
    collected(s, stop_ns=5 * S)
    block_ns = (6 + 2) * 15 * MS
    assert 5 * S <= s.clock.now_ns() < 5 * S + block_ns


@pytest.mark.parametrize("cycle_ns", [1 * MS, 10 * MS, 600 * MS])
def test_both_kinds_get_a_block_however_little_time_there_is(cycle_ns: int) -> None:
    runs = collected(session(cycle_ns), stop_ns=0, typical_ns=cycle_ns)
    size = len(runs.uninstrumented)
    assert size >= 1
    assert order_of(runs) == "P" * size + "L" * size


def test_slow_cycles_are_run_one_by_one_and_none_is_thrown_away() -> None:
    s = session(300 * MS, pace=NOISE)
    collected(s, stop_ns=2 * S, typical_ns=300 * MS)
    assert {cycles for _, cycles in s.blocks} == {1}


def test_a_cycle_of_no_time_at_all_ends_too() -> None:
    runs = collected(session(0), stop_ns=1 * S, typical_ns=0)
    assert (len(runs.uninstrumented), len(runs.instrumented)) == (25, 25)


def test_it_stops_at_four_thousand_runs_even_if_the_median_is_not_known() -> None:
    runs = collected(session(20_000, pace=NOISE), stop_ns=1000 * S, typical_ns=20_000)
    assert len(runs.uninstrumented) == 4000


def test_one_kind_known_is_not_enough() -> None:
    s = session(1 * MS)
    runs = collected(s, stop_ns=0, typical_ns=1 * MS)
    assert enough(runs)
    assert not enough(Collected(runs.uninstrumented, runs.instrumented[:19]))
    assert not enough(Collected(runs.uninstrumented[:19], runs.instrumented))
    noisy = collected(session(1 * MS, pace=NOISE), stop_ns=0, typical_ns=1 * MS)
    assert not enough(Collected(runs.uninstrumented, noisy.instrumented))
    assert not enough(Collected(noisy.uninstrumented, runs.instrumented))


def test_progress_is_the_share_of_the_time_that_is_over() -> None:
    s, told = session(10 * MS, pace=(0.5, 1.5)), []
    s.clock.advance(5 * S)  # a clock begins anywhere
    collect(s, GRAPH, s.clock, 6 * S, 10 * MS, Collected(), lambda _, done: told.append(done))
    assert told == sorted(told)
    assert told[0] == pytest.approx(0.06)
    assert told[-1] == 1.0


def test_samples_are_columns_in_the_order_in_which_they_were_taken() -> None:
    runs = collected(session(10 * MS, pace=NOISE), stop_ns=1 * S)
    uninstrumented, instrumented = runs.uninstrumented_samples(), runs.instrumented_samples()
    assert uninstrumented.wall_ns.tolist() == [run.wall_ns for run in runs.uninstrumented]
    assert instrumented.boundaries_ns.shape == (len(runs.instrumented), len(GRAPH.slots) + 1)
    for samples in (uninstrumented, instrumented):
        assert (np.diff(samples.started_ns) > 0).all()
    assert instrumented.wall_ns.tolist() == instrumented.cpu_ns.tolist()  # one core on paper
    assert len([*groupby(order_of(runs))]) > 4


def test_nothing_collected_is_empty_samples() -> None:
    assert len(Collected().uninstrumented_samples()) == len(Collected().instrumented_samples()) == 0
