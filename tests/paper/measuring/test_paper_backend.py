"""The paper backend itself: what its script says is what comes out, to the nanosecond."""

from __future__ import annotations

import numpy as np
import pytest
from core.small_graphs import few_examples, small_bert, timed_graphs
from hypothesis import given

from cyclescope.backends.base import OpenTimes, Session
from cyclescope.backends.paper import FakeClock, PaperSession, Script
from cyclescope.core.errors import EngineError
from cyclescope.core.graph.graph import Graph
from cyclescope.core.units import IntArray

GRAPH = small_bert()
TIMES = 100 * (np.arange(len(GRAPH.slots)) + 1)


def test_a_fake_clock_stands_still_until_it_is_told_to_advance() -> None:
    clock = FakeClock(cores=2.0)
    assert (clock.now_ns(), clock.now_ns(), clock.cpu_ns()) == (0, 0, 0)
    clock.advance(30)
    clock.advance(12)
    assert (clock.now_ns(), clock.cpu_ns()) == (42, 84)


def test_runs_follow_each_other_without_a_gap_at_their_pace() -> None:
    script = Script(GRAPH, TIMES, pace=(1.0, 2.0, 3.0), warm_up=(5.0,))
    session = PaperSession(script, clock=FakeClock(cores=1.5))
    runs = session.uninstrumented(5)
    whole = int(TIMES.sum())
    assert [run.wall_ns for run in runs] == [5 * whole, whole, 2 * whole, 3 * whole, whole]
    assert [run.started_ns for run in runs] == [0, 5 * whole, 6 * whole, 8 * whole, 11 * whole]
    assert [run.cpu_ns for run in runs] == [int(1.5 * run.wall_ns) for run in runs]
    assert session.runs == 5


def test_stamped_runs_take_their_turn_in_the_same_script() -> None:
    session = PaperSession(Script(GRAPH, TIMES, pace=(1.0, 2.0)))
    session.uninstrumented(1)
    (instrumented,) = session.instrumented(GRAPH, 1)
    (uninstrumented,) = session.uninstrumented(1)
    assert (instrumented.started_ns, instrumented.boundaries_ns[-1]) == (TIMES.sum(), 2 * TIMES.sum())
    assert (uninstrumented.started_ns, uninstrumented.wall_ns) == (3 * TIMES.sum(), TIMES.sum())


def test_a_stamp_costs_what_the_script_says_where_it_lies() -> None:
    session = PaperSession(Script(GRAPH, TIMES, inside_ns=4, outside_ns=8))
    (run,) = session.instrumented(GRAPH, 1)
    extra = np.diff(run.boundaries_ns) - TIMES
    assert np.array_equal(extra, GRAPH.slots.stamp_cost_ns(4, 8))
    assert extra[GRAPH.slots.op >= 0].tolist() == [4] * len(GRAPH)


def test_the_pace_does_not_touch_what_a_stamp_costs() -> None:
    session = PaperSession(Script(GRAPH, TIMES, pace=(3.0,), inside_ns=4, outside_ns=8))
    (run,) = session.instrumented(GRAPH, 1)
    assert np.array_equal(np.diff(run.boundaries_ns) - 3 * TIMES, GRAPH.slots.stamp_cost_ns(4, 8))


def test_a_failure_and_an_interruption_come_in_the_run_that_the_script_names() -> None:
    failing = PaperSession(Script(GRAPH, TIMES, fail_at=1))
    assert len(failing.uninstrumented(1)) == 1
    with pytest.raises(EngineError):
        failing.instrumented(GRAPH, 1)
    interrupted = PaperSession(Script(GRAPH, TIMES, interrupt_at=2))
    assert len(interrupted.uninstrumented(2)) == 2
    with pytest.raises(KeyboardInterrupt):
        interrupted.uninstrumented(1)


def test_it_is_a_session_and_says_that_nothing_was_opened() -> None:
    session: Session = PaperSession(Script(GRAPH, TIMES, inside_ns=4, outside_ns=8))
    assert session.trace() is GRAPH
    assert (session.times, session.notes, session.plan.engine) == (OpenTimes(None, None), (), "paper")
    calibrated = session.calibrate(GRAPH, 0)
    assert (calibrated.inside_ns, calibrated.outside_ns) == (4.0, 8.0)


@few_examples
@given(timed_graphs())
def test_boundaries_begin_at_zero_and_cut_the_run_at_every_slot(timed: tuple[Graph, IntArray]) -> None:
    graph, times = timed
    (run,) = PaperSession(Script(graph, times)).instrumented(graph, 1)
    assert run.boundaries_ns[0] == 0
    assert np.array_equal(np.diff(run.boundaries_ns), times)
