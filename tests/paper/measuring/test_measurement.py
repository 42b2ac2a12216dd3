"""The three passes on paper: every figure that a cycle carries is known in advance."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

import cyclescope
from cyclescope.backends.base import Request, WatchedCalls
from cyclescope.backends.paper import PAPER_WORKLOAD
from cyclescope.core.cycle import Cycle, Source
from cyclescope.core.errors import EngineError, UsageError
from cyclescope.core.samples import Instrumentation
from cyclescope.explaining.explain import explain
from cyclescope.explaining.explanation import WarningCode
from cyclescope.measuring import measure as measurement
from cyclescope.measuring.measure import measure, measure_request, measure_session, watch

from .sessions import CALIBRATE_NS, GRAPH, MS, TRACE_NS, WatchedSession, session

S = 1000 * MS


def measured(s: WatchedSession, budget_ns: int = 100 * S) -> Cycle:
    return measure_session(s, budget_ns, clock=s.clock)


def test_what_was_paid_once_is_told_exactly() -> None:
    """The first cycle takes three times as long, the one after it twice; then all take 10 ms."""
    set_up = measured(session(10 * MS, warm_up=(3.0, 2.0))).samples.set_up
    assert (set_up.import_ns, set_up.load_ns) == (11, 22)
    assert set_up.first_cycle_ns == 30 * MS
    assert set_up.trace_ns == TRACE_NS
    assert (set_up.warmup_cycles, set_up.warmup_ns, set_up.steady) == (11, 120 * MS, True)


def test_the_cycle_says_what_was_measured_by_which_version_and_when() -> None:
    s = session()
    s.notes = ("a note of the session",)
    cycle = measured(s)
    assert (cycle.source, cycle.partial, cycle.notes) == (Source.MEASURED, False, ("a note of the session",))
    assert (cycle.plan, cycle.machine, cycle.version) == (s.plan, s.machine, cyclescope.__version__)
    assert cycle.workload.model == PAPER_WORKLOAD.model
    assert cycle.workload.outcome == s.outcome()
    assert cycle.graph is GRAPH
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", cycle.taken_at)


def test_the_samples_are_those_of_the_script_and_the_account_closes() -> None:
    cycle = measured(session(10 * MS, warm_up=(3.0,)))
    assert set(cycle.samples.uninstrumented.wall_ns.tolist()) == {10 * MS}
    assert set(cycle.samples.instrumented.wall_ns.tolist()) == {10 * MS}
    assert cycle.samples.instrumentation == Instrumentation("script", 0.0, 0.0, "script", 1)
    assert explain(cycle).closure.rest_ns == 0.0


@pytest.mark.parametrize(("budget_ns", "most"), [(4 * S, 400 * MS), (1000 * S, 2 * S)])
def test_calibration_may_take_a_tenth_of_the_budget_and_two_seconds_at_most(budget_ns: int, most: int) -> None:
    s = session()
    measured(s, budget_ns)
    assert s.calibration_budgets == [most]


def test_the_budget_counts_from_the_first_cycle_on() -> None:
    s = session(10 * MS, pace=(1.0, 1.5))
    s.clock.advance(12_345 * S)  # a clock begins anywhere
    cycle = measured(s, 5 * S)
    last_block = 8 * 15 * MS
    looks = (2 + 1 + 16) * 15 * MS  # kept for the runs that read memory and processor time, which cost nothing on paper
    assert 5 * S - looks <= s.clock.now_ns() - 12_345 * S < 5 * S + last_block + CALIBRATE_NS
    assert cycle.samples.budget_ns == 5 * S


def test_a_budget_of_a_nanosecond_gives_a_whole_cycle_all_the_same() -> None:
    cycle = measured(session(400 * MS), budget_ns=1)
    assert (len(cycle.samples.uninstrumented), len(cycle.samples.instrumented), cycle.partial) == (1, 1, False)
    assert not cycle.samples.set_up.steady
    codes = {warning.code for warning in explain(cycle).warnings}
    assert {WarningCode.NOT_STEADY, WarningCode.NO_INTERVAL} <= codes


def test_progress_tells_the_phases_in_order() -> None:
    told: list[str] = []
    s = session()
    measure_session(s, 100 * S, clock=s.clock, progress=lambda phase, done: told.append(phase))
    assert list(dict.fromkeys(told)) == ["first cycle", "trace", "warm up", "overhead", "measure", "memory", "done"]


# An undisturbed session of cycles of 20 ms; every one of its runs is to be interrupted, and to fail, once.
_CALM = session(20 * MS, warm_up=(2.0,))
UNDISTURBED = measured(_CALM)
RUNS = _CALM.runs


@pytest.mark.parametrize("run", range(1, RUNS))
def test_ctrl_c_in_any_run_after_the_first_gives_what_was_measured_until_then(run: int) -> None:
    s = session(20 * MS, warm_up=(2.0,), interrupt_at=run)
    cycle = measured(s)
    assert cycle.partial
    uninstrumented, instrumented = cycle.samples.uninstrumented, cycle.samples.instrumented
    assert 1 <= len(uninstrumented) <= len(UNDISTURBED.samples.uninstrumented)
    whole_blocks = s.blocks[:-1]  # the last one was running
    counted = sum(cycles - 2 for kind, cycles in whole_blocks if kind == "light")
    assert len(instrumented) == counted
    assert (cycle.samples.instrumentation is None) == (cycle.samples.set_up.warmup_cycles == 0)
    assert WarningCode.PARTIAL in {warning.code for warning in explain(cycle).warnings}


def test_ctrl_c_before_anything_was_steady_leaves_the_very_first_cycle() -> None:
    cycle = measured(session(20 * MS, warm_up=(2.0,), interrupt_at=1))
    assert cycle.samples.uninstrumented.wall_ns.tolist() == [40 * MS]
    assert len(cycle.samples.instrumented) == 0


def test_ctrl_c_in_the_last_run_leaves_all_but_the_last_block() -> None:
    cycle = measured(session(20 * MS, warm_up=(2.0,), interrupt_at=RUNS - 1))
    kept = len(cycle.samples.uninstrumented) + len(cycle.samples.instrumented)
    complete = len(UNDISTURBED.samples.uninstrumented) + len(UNDISTURBED.samples.instrumented)
    assert complete - kept == 3  # a block of 60 ms


def test_ctrl_c_in_the_first_cycle_has_nothing_to_keep() -> None:
    with pytest.raises(KeyboardInterrupt):
        measured(session(interrupt_at=0))


@pytest.mark.parametrize("run", range(RUNS))
def test_a_failure_in_any_run_is_an_error_and_no_cycle(run: int) -> None:
    with pytest.raises(EngineError, match="The paper model failed"):
        measured(session(20 * MS, warm_up=(2.0,), fail_at=run))


@pytest.mark.parametrize("budget", [0, -1, float("nan")])
def test_an_impossible_budget_is_refused_before_anything_is_opened(
    budget: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[Request] = []
    monkeypatch.setattr(measurement, "open_session", opened.append)
    with pytest.raises(UsageError, match="budget") as caught:
        measure("paper", budget=budget)
    assert caught.value.way_out
    assert not opened


@pytest.mark.parametrize("fail_at", [None, 0, 7])
def test_a_session_is_closed_whatever_happens(fail_at: int | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second of budget on a clock that is not the session's own: the machine's clock ends it, or a narrow interval."""
    s = session(fail_at=fail_at)
    monkeypatch.setattr(measurement, "open_session", lambda request: s)
    if fail_at is None:
        assert measure_request(Request("paper"), budget=0.05).samples.budget_ns == 50 * MS
    else:
        with pytest.raises(EngineError):
            measure_request(Request("paper"), budget=0.05)
    assert s.closed == 1


def test_one_text_is_a_batch_of_one_and_an_empty_one_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Request] = []

    def opening(request: Request) -> WatchedSession:
        asked.append(request)
        return session()

    monkeypatch.setattr(measurement, "open_session", opening)
    measure("paper", "one text", budget=0.01)
    measure("paper", ["two", "texts"], budget=0.01)
    measure("paper", budget=0.01)
    assert [request.texts for request in asked] == [("one text",), ("two", "texts"), ()]
    with pytest.raises(UsageError, match="Text 1 is empty"):
        measure("paper", "")


@dataclass
class Model:
    """Somebody's model, called in somebody's code."""

    calls: WatchedCalls

    def __call__(self, wall_ns: int) -> None:
        self.calls.wall_ns.append(wall_ns)
        self.calls.inputs = {"input_ids": wall_ns}


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> Model:
    watched = Model(WatchedCalls([]))

    @contextmanager
    def watching(_: object) -> Iterator[WatchedCalls]:
        yield watched.calls

    monkeypatch.setattr(measurement, "watching", watching)
    monkeypatch.setattr(measurement, "open_session", lambda request: session())
    return watched


def test_watching_gives_a_cycle_of_the_last_call_and_the_times_of_all(model: Model) -> None:
    with watch(model, budget=0.01) as seen:
        for wall_ns in (30, 10, 50, 20, 40):
            model(wall_ns)
    assert seen.calls_ns == [30, 10, 50, 20, 40]
    (note,) = seen.cycle.notes
    assert str(note) == "Watched: the last of 5 calls in your own code was measured again on its own."


def test_there_is_no_cycle_before_the_watched_block_has_ended(model: Model) -> None:
    with watch(model, budget=0.01) as seen:
        model(1)
        with pytest.raises(UsageError, match="no cycle yet"):
            _ = seen.cycle


def test_a_watched_block_that_never_calls_the_model_is_told_so(model: Model) -> None:
    with pytest.raises(UsageError, match="must call the model") as caught, watch(model, budget=0.01):
        pass
    assert "inside the block" in str(caught.value.way_out)


def test_an_endless_budget_is_refused_before_anything_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measurement, "open_session", lambda request: pytest.fail("loaded"))
    with pytest.raises(UsageError):
        measurement.measure_request(Request("x"), budget=float("inf"))
