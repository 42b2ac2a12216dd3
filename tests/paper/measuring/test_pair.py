"""Two sessions in turns: the order, what each turn puts in force, when it ends, and what cancels."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from cyclescope.backends.base import InstrumentedRun, Request, UninstrumentedRun
from cyclescope.backends.paper import PAPER_WORKLOAD, FakeClock, PaperSession, Script
from cyclescope.core.errors import UsageError
from cyclescope.core.graph.graph import Graph
from cyclescope.core.ratios import rounds
from cyclescope.explaining.comparison import Verdict, compare
from cyclescope.measuring import pair
from cyclescope.measuring.options import request_of
from cyclescope.measuring.pair import measure_pair, measure_pair_sessions

from .sessions import GRAPH, MS
from .writing import Costs, WritingPaper, writing

SECOND = 1000 * MS


class DriftingClock(FakeClock):
    """Everything takes longer and longer: by half after a minute."""

    def advance(self, ns: int) -> None:
        super().advance(int(ns * (1 + self.now_ns() / (120 * SECOND))))


@dataclass
class Turn(PaperSession):
    """A session that writes into a common diary who runs, and whether its settings were in force."""

    name: str = ""
    diary: list[str] = field(default_factory=list)
    interrupt_after: int = 10**9

    def resume(self) -> None:
        self.diary.append(f"resume {self.name}")

    def _note(self, what: str, cycles: int) -> None:
        last = next(line for line in reversed(self.diary) if line.startswith("resume"))
        assert last == f"resume {self.name}", "runs with the settings of the other"
        self.diary.append(f"{what} {self.name} {cycles}")
        if sum(line.startswith("plain") for line in self.diary) > self.interrupt_after:
            raise KeyboardInterrupt

    def uninstrumented(self, cycles: int) -> Sequence[UninstrumentedRun]:
        self._note("plain", cycles)
        return super().uninstrumented(cycles)

    def instrumented(self, graph: Graph, cycles: int) -> Sequence[InstrumentedRun]:
        self._note("light", cycles)
        return super().instrumented(graph, cycles)

    def close(self) -> None:
        self.diary.append(f"close {self.name}")


def sessions(a_ns: int, b_ns: int, clock: FakeClock | None = None, interrupt_after: int = 10**9) -> tuple[Turn, Turn]:
    clock, diary = clock or FakeClock(), []

    def made(name: str, cycle_ns: int) -> Turn:
        slots = np.full(len(GRAPH.slots), cycle_ns // len(GRAPH.slots))
        slots[0] += cycle_ns - slots.sum()
        return Turn(Script(GRAPH, slots), clock=clock, name=name, diary=diary, interrupt_after=interrupt_after)

    return made("A", a_ns), made("B", b_ns)


def turns(session: Turn, what: str) -> str:
    return "".join(line.split()[1] for line in session.diary if line.startswith(what))


def test_blocks_alternate_in_both_orders() -> None:
    a, b = sessions(10 * MS, 10 * MS)
    cycles = measure_pair_sessions(a, b, 4 * SECOND, a.clock)

    # The first cycle of each, then each warms up alone; from the first A B B A on it goes round.
    assert re.match("ABA+B+(ABBA){3}", turns(a, "plain"))
    assert set(turns(a, "light")[::2]) == {"A", "B"}
    assert len(rounds(cycles[0].samples.uninstrumented, cycles[1].samples.uninstrumented)) >= 12


def test_a_narrow_interval_ends_it_before_the_budget() -> None:
    a, b = sessions(10 * MS, 10 * MS)
    measure_pair_sessions(a, b, 60 * SECOND, a.clock)

    assert a.clock.now_ns() < 20 * SECOND


def test_noise_uses_the_whole_budget_and_no_more_than_a_round_beyond() -> None:
    a, b = sessions(10 * MS, 10 * MS)
    for seed, side in enumerate((a, b)):
        noise = np.exp(np.random.default_rng(seed).normal(0, 0.2, 997))
        side.script = replace(side.script, pace=tuple(noise))
    measure_pair_sessions(a, b, 10 * SECOND, a.clock)

    assert 10 * SECOND <= a.clock.now_ns() < 11 * SECOND


@pytest.mark.parametrize(("budget", "expected"), [(1, 1), (SECOND, 2), (2 * SECOND, 5)])
def test_rounds_that_do_not_fit_are_not_begun_but_for_the_first(budget: int, expected: int) -> None:
    a, b = sessions(20 * MS, 20 * MS)
    first, second = measure_pair_sessions(a, b, budget, a.clock)
    assert budget == 1 or a.clock.now_ns() <= 1.2 * budget

    assert len(rounds(first.samples.uninstrumented, second.samples.uninstrumented)) == expected
    assert len(first.samples.instrumented)
    assert len(second.samples.instrumented)


def test_a_steady_drift_of_the_machine_is_no_difference() -> None:
    a, b = sessions(30 * MS, 30 * MS, DriftingClock())
    comparison = compare(*measure_pair_sessions(a, b, 10 * SECOND, a.clock))

    assert comparison.interleaved
    assert comparison.ratio.value == pytest.approx(1.0, abs=2e-3)
    assert comparison.verdict is Verdict.INCONCLUSIVE


def test_ten_per_cent_are_found_under_drift() -> None:
    a, b = sessions(30 * MS, 33 * MS, DriftingClock())

    assert compare(*measure_pair_sessions(a, b, 10 * SECOND, a.clock)).verdict is Verdict.SLOWER


def test_interrupted_it_gives_what_there_is() -> None:
    a, b = sessions(10 * MS, 12 * MS, interrupt_after=40)
    cycles = measure_pair_sessions(a, b, 60 * SECOND, a.clock)

    assert all(cycle.partial and len(cycle.samples.uninstrumented) >= 6 for cycle in cycles)
    assert compare(*cycles).interleaved


def test_interrupted_before_there_is_anything_it_is_passed_on() -> None:
    a, b = sessions(10 * MS, 12 * MS, interrupt_after=3)
    with pytest.raises(KeyboardInterrupt):
        measure_pair_sessions(a, b, 60 * SECOND, a.clock)


def test_requests_are_opened_once_each_and_closed_in_the_opposite_order(monkeypatch: pytest.MonkeyPatch) -> None:
    a, b = sessions(10 * MS, 12 * MS)
    opened = []

    def open_session(request: Request) -> Turn:
        opened.append(request)
        return (a, b)[len(opened) - 1]

    monkeypatch.setattr(pair, "open_session", open_session)
    cycles = measure_pair("x", "y", "text", threads=3, b={"threads": 1, "text": "other"}, budget=0.001)

    assert [(r.model, r.threads, r.texts) for r in opened] == [("x", 3, ("text",)), ("y", 1, ("other",))]
    assert [line for line in a.diary if line.startswith("close")] == ["close B", "close A"]
    assert len(cycles) == 2


def test_what_could_not_be_compared_is_refused_before_it_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    a, b = sessions(10 * MS, 12 * MS)
    b.workload = replace(PAPER_WORKLOAD, tokens_out=4)
    both = iter((a, b))
    monkeypatch.setattr(pair, "open_session", lambda request: next(both))
    with pytest.raises(UsageError, match="and 4\\)"):
        measure_pair("x", "y")

    assert turns(a, "plain") == ""


def test_an_option_that_measure_lacks_is_refused_with_what_was_meant() -> None:
    with pytest.raises(UsageError, match="'threads'"):
        request_of("x", None, thread=2)


@pytest.mark.parametrize("budget", [0, -1, float("nan"), 1e9])
def test_an_impossible_budget_is_refused(budget: float) -> None:
    with pytest.raises(UsageError, match="budget"):
        measure_pair("x", "y", budget=budget)


# Long cycles ---------------------------------------------------------------------------------------------------------


def generations(tokens: int, a: Costs, b: Costs) -> tuple[WritingPaper, WritingPaper]:
    first = writing(tokens, a)
    return first, writing(tokens, b, first.clock)


SLOW = Costs(400 * MS, 100 * MS, trace_call_ns=350 * MS, stamped=1.15, proxy_ns=1500 * MS)
FAST = Costs(300 * MS, 70 * MS, trace_call_ns=350 * MS, stamped=1.15, proxy_ns=1500 * MS)


@pytest.mark.parametrize("budget_s", [20, 30, 60, 120])
def test_long_generations_are_shortened_alike_so_that_rounds_fit(budget_s: int) -> None:
    a, b = generations(64, replace(SLOW), replace(FAST))
    cycles = measure_pair_sessions(a, b, budget_s * SECOND, a.clock)

    assert a.clock.now_ns() <= 1.2 * budget_s * SECOND
    tokens = {cycle.workload.tokens_out for cycle in cycles}
    assert len(tokens) == 1
    assert len({cycle.samples.instrumented_tokens for cycle in cycles}) == 1
    assert compare(*cycles).interleaved
    if tokens != {64}:
        assert all(f"these cycles write {min(tokens)}." in " ".join(map(str, cycle.notes)) for cycle in cycles)
    if budget_s >= 60:
        assert compare(*cycles).verdict is Verdict.FASTER


@pytest.mark.parametrize(("a_ms", "b_ms", "budget_s"), [(900, 1100, 20), (2500, 2000, 20), (3000, 3000, 12)])
def test_long_calls_keep_the_budget_with_as_many_rounds_as_fit(a_ms: int, b_ms: int, budget_s: int) -> None:
    a, b = sessions(a_ms * MS, b_ms * MS)
    cycles = measure_pair_sessions(a, b, budget_s * SECOND, a.clock)

    assert a.clock.now_ns() <= 1.2 * budget_s * SECOND
    assert all(len(cycle.samples.uninstrumented) for cycle in cycles)


def test_where_no_round_fits_the_first_cycle_of_each_stands_and_nothing_is_concluded() -> None:
    a, b = sessions(4000 * MS, 3000 * MS)
    cycles = measure_pair_sessions(a, b, 12 * SECOND, a.clock)

    assert a.clock.now_ns() <= 1.2 * 12 * SECOND
    assert compare(*cycles).verdict is Verdict.INCONCLUSIVE
    assert all("fits no round" in str(cycle.notes[-1]) for cycle in cycles)
