"""However long a cycle is, a measurement ends within its budget and a fifth, and says what it gave up for that."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cyclescope.backends.base import BrokenOff, UninstrumentedRun
from cyclescope.backends.paper import FakeClock
from cyclescope.core.cycle import Cycle
from cyclescope.core.errors import UsageError
from cyclescope.core.graph.graph import Graph
from cyclescope.explaining.explain import explain
from cyclescope.explaining.explanation import WarningCode
from cyclescope.explaining.metrics.metric import IntervalSource
from cyclescope.measuring.measure import measure_session
from cyclescope.measuring.pace import Pace, most_tokens
from cyclescope.measuring.pair import measure_pair_sessions

from .sessions import GRAPH, MS, WatchedSession, session
from .writing import Costs, WritingPaper, writing

S = 1000 * MS
# As a decoder of 270 million parameters took on two cores of which one was busy: a generation of 32 tokens takes 12 s.
SLOW = Costs(
    400 * MS, 374 * MS, cold=1.0, trace_call_ns=350 * MS, stamped=1.15, proxy_ns=1500 * MS, pace=(1.0, 1.04, 0.97)
)


def measured(s: WritingPaper, budget_ns: int) -> tuple[Cycle, float]:
    """The cycle, and how many times the budget was spent."""
    cycle = measure_session(s, budget_ns, s.clock)
    return cycle, s.clock.now_ns() / budget_ns


def notes(cycle: Cycle) -> str:
    return " ".join(map(str, cycle.notes))


@pytest.mark.parametrize("budget_s", [10, 15, 30, 60, 120])
def test_a_generation_of_twelve_seconds_keeps_its_budget(budget_s: int) -> None:
    cycle, spent = measured(writing(32, Costs(**vars(SLOW))), budget_s * S)
    assert 0.5 < spent <= 1.2
    samples = cycle.samples
    assert len(samples.uninstrumented) >= 1
    assert len(samples.instrumented) >= 1
    assert cycle.workload.tokens_out <= 32
    assert samples.instrumented_tokens <= cycle.workload.tokens_out


def test_in_thirty_seconds_whole_cycles_are_run_and_the_first_tokens_instrumented() -> None:
    s = writing(32, Costs(**vars(SLOW)))
    cycle, spent = measured(s, 36 * S)
    assert spent <= 1.2
    assert cycle.workload.tokens_out == 32
    assert s.diary[0] == "first 32"
    assert Counter(s.diary)["plain 32"] >= 1
    covered = cycle.samples.instrumented_tokens
    assert 2 <= covered < 32
    assert f"only the first {covered} of 32 tokens" in notes(cycle)
    found = explain(cycle)
    assert found.closure.tokens == covered
    assert found.closure.ratio.value == pytest.approx(1.15, rel=0.1)  # stamps cost 15 % here, and claim to cost nothing
    assert found.closure.wall.value_ns == pytest.approx(400 * MS + (covered - 1) * 374 * MS, rel=0.05)
    assert found.wall.value_ns == pytest.approx(12 * S, rel=0.05)
    assert WarningCode.NO_INTERVAL in {warning.code for warning in found.warnings}


def test_few_generations_have_intervals_of_their_steps() -> None:
    cycle, _ = measured(writing(32, Costs(**vars(SLOW))), 36 * S)
    found = explain(cycle).generation
    assert found is not None
    figures = {metric.definition.name.value: metric.figure for metric in found.metrics}
    assert len(cycle.samples.uninstrumented) < 6
    for name in ("tpot", "itl", "decode-throughput"):
        figure = figures[name]
        assert figure is not None
        assert figure.source is IntervalSource.STEPS
        assert figure.low <= figure.value <= figure.high
    assert figures["e2e"] is not None
    assert figures["e2e"].source is IntervalSource.NONE


def test_a_cycle_far_beyond_the_budget_is_shortened_and_says_so() -> None:
    s = writing(500, Costs(**vars(SLOW)))
    cycle, spent = measured(s, 30 * S)
    assert spent <= 1.2
    assert 2 <= cycle.workload.tokens_out < 30
    assert "A cycle of 500 new tokens would take about 190 s" in notes(cycle)
    assert f"this cycle writes {cycle.workload.tokens_out}." in notes(cycle)
    assert cycle.samples.tokens is not None
    assert cycle.samples.tokens.emitted_ns.shape[1] == cycle.workload.tokens_out


def test_a_short_generation_is_run_and_instrumented_whole() -> None:
    s = writing(32, Costs(2 * MS, 1 * MS, trace_call_ns=30 * MS, stamped=1.2, proxy_ns=300 * MS))
    cycle, spent = measured(s, 30 * S)
    assert spent <= 1.1
    assert cycle.samples.instrumented_tokens == 0
    assert not cycle.notes
    assert len(cycle.samples.uninstrumented) >= 20
    assert "trace 32" in s.diary


def test_a_cold_first_cycle_does_not_decide_for_all() -> None:
    """The weights came from the disk: the first prompt takes six seconds, every other one 0.4."""
    costs = Costs(**{**vars(SLOW), "cold": 4.0})
    cycle, spent = measured(writing(12, costs), 30 * S)
    assert spent <= 1.2
    assert cycle.workload.tokens_out == 12
    assert cycle.samples.set_up.first_cycle_ns is None
    assert len(cycle.samples.uninstrumented) >= 1


def test_where_one_step_does_not_fit_it_is_refused_with_the_budget_that_would() -> None:
    s = writing(32, Costs(9 * S, 8 * S))
    with pytest.raises(UsageError, match=r"at least \d+ s for this model \(got 10 s\)") as caught:
        measure_session(s, 10 * S, s.clock)
    assert "--budget" in str(caught.value.way_out)
    assert s.clock.now_ns() <= 20 * S  # the prompt and one step, which nobody could foresee


@settings(deadline=None, max_examples=40)
@given(
    budget_s=st.integers(2, 60),
    first=st.floats(0.001, 0.3),
    step=st.floats(0.0005, 0.1),
    tokens=st.integers(2, 120),
    trace_call=st.floats(0.001, 0.03),
    stamped=st.floats(1.0, 1.5),
    growth=st.floats(0.0, 0.01),
)
def test_any_generation_keeps_any_budget(
    budget_s: int, first: float, step: float, tokens: int, trace_call: float, stamped: float, growth: float
) -> None:
    """Times as shares of the budget: a prompt takes up to 30 % of it, a step 10 %."""
    budget_ns = budget_s * S
    costs = Costs(
        int(first * budget_ns),
        int(step * budget_ns),
        int(growth * step * budget_ns),
        trace_call_ns=int(trace_call * budget_ns),
        stamped=stamped,
        proxy_ns=int(5 * trace_call * budget_ns),
    )
    s = writing(tokens, costs)
    with suppress(UsageError):
        measure_session(s, budget_ns, s.clock)
    assert s.clock.now_ns() <= 1.2 * budget_ns


# A cycle of one call -------------------------------------------------------------------------------------------------


@dataclass
class Forward(WatchedSession):
    """One call of a model, which cannot be cut."""

    def rehearse(self, limit_ns: int) -> UninstrumentedRun:
        return self.uninstrumented(1)[0]

    def shortened(self, tokens: int) -> None:
        return None

    def outline(self) -> Graph:
        self.clock.advance(300 * MS)
        return GRAPH

    def trace(self) -> Graph:
        self.outline()
        self.instrumented(GRAPH, 1)  # checks it
        return GRAPH


def forward(cycle_ns: int, pace: Sequence[float] = (1.0, 1.02, 0.99)) -> Forward:
    made = session(cycle_ns, pace=tuple(pace))
    return Forward(made.script, made.clock, times=made.times)


@pytest.mark.parametrize("share", [0.01, 0.1, 0.2, 0.3, 0.45, 0.6, 0.9])
def test_a_call_of_any_length_keeps_the_budget(share: float) -> None:
    s = forward(int(share * 10 * S))
    cycle = measure_session(s, 10 * S, s.clock)
    assert s.clock.now_ns() <= 12 * S
    assert len(cycle.samples.uninstrumented) >= 1
    instrumented = len(cycle.samples.instrumented)
    assert (instrumented > 0) == (share <= 0.45)
    assert ("fits no instrumented cycle" in notes(cycle)) == (share > 0.45)


def test_one_cycle_that_fills_the_budget_is_all_that_is_run() -> None:
    s = forward(9 * S)
    cycle = measure_session(s, 10 * S, s.clock)
    assert cycle.samples.uninstrumented.wall_ns.tolist() == [9 * S]
    assert s.clock.now_ns() <= 10 * S
    assert "the first one stands for them" in notes(cycle)


def test_a_cold_first_call_does_not_cost_the_account() -> None:
    """A cycle of 0.45 s, whose first run takes 1.2 s, within three seconds."""
    made = session(450 * MS, pace=(1.0, 1.01, 0.99), warm_up=(2.7,))
    s = Forward(made.script, made.clock, times=made.times)
    cycle = measure_session(s, 3 * S, s.clock)
    assert s.clock.now_ns() <= 3.6 * S
    assert len(cycle.samples.instrumented) > 0
    assert cycle.samples.set_up is not None
    assert cycle.samples.set_up.first_cycle_ns == pytest.approx(2.7 * 450 * MS, rel=0.01)
    assert max(cycle.samples.uninstrumented.wall_ns) < 500 * MS
    found = explain(cycle).closure
    assert found.attributed_ns == pytest.approx(found.wall.value_ns, rel=0.05)


@dataclass
class Breakable(Forward):
    """One whose call can be broken off, at a tenth of it."""

    limit_ns: int | None = None

    @contextmanager
    def breaking_off(self, limit_ns: int) -> Iterator[None]:
        self.limit_ns = limit_ns
        try:
            yield
        finally:
            self.limit_ns = None

    def uninstrumented(self, cycles: int) -> Sequence[UninstrumentedRun]:
        tenth = int(self.script.slot_ns.sum()) // 10
        for done in range(10 if self.limit_ns is not None else 0):
            if self.limit_ns is not None and done * tenth > self.limit_ns:
                self.clock.advance(done * tenth)
                raise BrokenOff(done * tenth, done / 10)
        return super().uninstrumented(cycles)


def breakable(cycle_ns: int, clock: FakeClock | None = None) -> Breakable:
    made = session(cycle_ns, pace=(1.0, 1.02, 0.99))
    return Breakable(made.script, clock or made.clock, times=made.times)


@pytest.mark.parametrize(("share", "refused"), [(0.5, False), (1.05, False), (2.0, True), (8.0, True)])
def test_a_call_beyond_the_budget_is_broken_off_and_what_is_enough_is_told(share: float, refused: bool) -> None:
    s = breakable(int(share * 20 * S))
    if not refused:
        assert len(measure_session(s, 20 * S, s.clock).samples.uninstrumented) >= 1
        return
    with pytest.raises(UsageError, match=f"at least {share * 25:g} s") as caught:
        measure_session(s, 20 * S, s.clock)
    assert f"about {share * 20:g} s" in str(caught.value.cause)
    assert s.clock.now_ns() <= (1.1 + share / 10) * 20 * S


def test_a_call_of_five_seconds_runs_to_its_end_in_any_budget() -> None:
    s = breakable(5 * S)
    assert measure_session(s, 2 * S, s.clock).samples.uninstrumented.wall_ns.tolist() == [5 * S]


@pytest.mark.parametrize("slow", [(0.3, 2.0), (2.0, 0.3)])
def test_of_two_calls_the_one_that_would_exceed_the_budget_is_broken_off(slow: tuple[float, float]) -> None:
    a = breakable(int(slow[0] * 20 * S))
    b = breakable(int(slow[1] * 20 * S), a.clock)
    with pytest.raises(UsageError, match="budget must be at least"):
        measure_pair_sessions(a, b, 20 * S, a.clock)
    assert a.clock.now_ns() <= (1.1 + 0.2) * 20 * S


# Foreseeing ----------------------------------------------------------------------------------------------------------


def test_the_pace_of_a_growing_generation_is_that_of_its_sum() -> None:
    s = writing(400, Costs(100 * MS, 10 * MS, growth_ns=MS // 10))
    part = s.rehearse(1 * S)
    assert len(part.emitted_ns) < 100
    whole = s.uninstrumented(1)[0].wall_ns
    assert Pace.of(part).cycle_ns(400) == pytest.approx(whole, rel=0.05)


@pytest.mark.parametrize(("within", "tokens"), [(0, 2), (19, 2), (40, 4), (49, 4), (10**6, 32)])
def test_the_most_tokens_within_a_time(within: int, tokens: int) -> None:
    assert most_tokens(lambda count: 10 * count, within, 32) == tokens
