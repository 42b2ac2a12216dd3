"""The sweep over lanes, against counting tick by tick."""

from __future__ import annotations

import numpy as np
import pytest
from core.small_graphs import few_examples
from hypothesis import given
from hypothesis import strategies as st

from cyclescope.core.units import IntArray
from occupancy import occupancy

Interval = tuple[int, int, int]
intervals = st.lists(st.tuples(st.integers(-5, 25), st.integers(0, 12), st.sampled_from([7, 3, 11])), max_size=12)


def columns(rows: list[Interval]) -> tuple[IntArray, IntArray, IntArray]:
    table = np.asarray(rows, dtype=np.int64).reshape(-1, 3)
    return table[:, 0], table[:, 0] + table[:, 1], table[:, 2]


def test_two_streams() -> None:
    found = occupancy(*columns([(0, 10, 1), (5, 10, 2), (20, 5, 1)]))
    assert (found.wall_ns, found.union_ns, found.idle_ns) == (25, 20, 5)
    assert found.lanes.tolist() == [1, 2]
    assert found.busy_ns.tolist() == [15, 10]
    assert found.overlap_ns.tolist() == [5, 15, 5]
    assert found.parallelism == 25 / 20


def test_intervals_that_nest_on_one_lane_count_once() -> None:
    found = occupancy(*columns([(0, 10, 4), (2, 3, 4), (8, 6, 4), (14, 1, 4)]))
    assert found.busy_ns.tolist() == [15]
    assert found.overlap_ns.tolist() == [0, 15]


def test_nothing_at_all() -> None:
    found = occupancy(*columns([]))
    assert (found.wall_ns, found.overlap_ns.tolist(), found.parallelism) == (0, [0], 0.0)
    assert occupancy(*columns([]), within=(3, 10)).idle_ns == 7


@few_examples
@given(intervals, st.none() | st.tuples(st.integers(-8, 10), st.integers(0, 30)))
def test_the_sweep_counts_what_a_clock_of_ticks_counts(rows: list[Interval], window: tuple[int, int] | None) -> None:
    starts, ends, lane = columns(rows)
    within = (window[0], window[0] + window[1]) if window else None
    found = occupancy(starts, ends, lane, within=within)
    lanes = sorted(set(lane.tolist()))
    busy = dict.fromkeys(lanes, 0)
    overlap = [0] * (len(lanes) + 1)
    for tick in range(found.begin_ns, found.end_ns):
        on = {n for s, e, n in zip(starts, ends, lane.tolist(), strict=True) if s <= tick < e}
        overlap[len(on)] += 1
        for n in on:
            busy[n] += 1
    assert found.lanes.tolist() == lanes
    assert found.busy_ns.tolist() == list(busy.values())
    assert found.overlap_ns.tolist() == overlap
    assert found.overlap_ns.sum() == found.wall_ns
    if within is None and rows:
        assert (found.begin_ns, found.end_ns) == (starts.min(), ends.max())


def test_columns_that_do_not_fit_are_refused() -> None:
    one = np.zeros(1, dtype=np.int64)
    with pytest.raises(ValueError, match="one length"):
        occupancy(one, one, np.zeros(2, dtype=np.int64))
    with pytest.raises(ValueError, match="before it begins"):
        occupancy(one, one - 1, one)
    with pytest.raises(ValueError, match="stretch"):
        occupancy(one, one, one, within=(1, 0))
