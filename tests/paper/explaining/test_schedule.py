"""Schedules: known ones, and the bounds that hold for every graph."""

from __future__ import annotations

import numpy as np
import pytest
from core.small_graphs import few_examples
from hypothesis import given
from hypothesis import strategies as st

from cyclescope.explaining.schedule import makespan, most_at_once
from explaining.dags import Dag, dags
from explaining.test_critical_path import CHAIN, DIAMOND, FORK_JOIN, INDEPENDENT


@pytest.mark.parametrize(
    ("dag", "workers", "makespan"),
    [
        (CHAIN, 2, 12),
        (FORK_JOIN, 1, 63),
        (FORK_JOIN, 2, 33),  # 30 on one worker, 20 and then 10 on the other
        (FORK_JOIN, 3, 33),
        (DIAMOND, 2, 13),
        (INDEPENDENT, 2, 9),
        (Dag((4, 4, 4), ()), 2, 8),
        (Dag((2, 2, 2, 6), ()), 2, 6),  # the longest first
        (Dag((3, 3, 2, 2, 2), ()), 2, 7),  # list scheduling; 6 could be had, and Graham allows 9
    ],
)
def test_known_schedules(dag: Dag, workers: int, makespan: int) -> None:
    assert dag.makespan(workers) == makespan


@few_examples
@given(dags(14), st.integers(1, 5))
def test_no_schedule_beats_the_bounds_and_grahams_is_kept(dag: Dag, workers: int) -> None:
    found, span = dag.makespan(workers), dag.longest().span_ns
    assert max(span, dag.work / workers) <= found <= dag.work
    assert found * workers <= dag.work + (workers - 1) * span


@few_examples
@given(dags(14), st.integers(1, 4), st.integers(1, 4))
def test_more_workers_are_never_slower_than_graham_allows(dag: Dag, few: int, more: int) -> None:
    # m + k workers are within 2 - 1/(m + k) of the best schedule on them, which is no longer than the best on m.
    many = few + more
    assert dag.makespan(many) * many <= (2 * many - 1) * dag.makespan(few)


@few_examples
@given(dags(14))
def test_one_worker_takes_all_the_work_and_one_each_takes_the_span(dag: Dag) -> None:
    assert dag.makespan(1) == dag.work
    assert dag.makespan(len(dag.took)) == dag.longest().span_ns


@few_examples
@given(dags(14))
def test_as_many_workers_as_run_at_once_wait_for_nobody(dag: Dag) -> None:
    ends = dag.longest().end_ns
    starts = ends - dag.op_ns
    at_once = max((int(np.sum((starts <= t) & (t < ends))) for t in starts), default=0)
    assert most_at_once(starts, ends) == at_once


def test_a_time_that_is_no_number_does_not_keep_the_schedule_from_ending() -> None:
    took = np.asarray([1.0, np.nan, 2.0, 1.0])
    source, target = np.asarray([0, 1, 1]), np.asarray([1, 2, 3])
    assert np.isnan(makespan(took, source, target, took, np.asarray([1.0, 1.0, 2.0, 2.0]), 1))
