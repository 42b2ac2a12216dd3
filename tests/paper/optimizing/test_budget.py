"""The budget is kept, however long a cycle is and however long it takes to make a plan ready."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cyclescope.backends.paper import FakeClock
from cyclescope.core.plan import Plan
from cyclescope.core.ratios import LEAST_ROUNDS_FOR_VERDICT
from cyclescope.explaining.comparison import Verdict
from cyclescope.optimizing.baseline import looked_at as part_of
from cyclescope.optimizing.optimization import OUT_OF_BUDGET, Phase
from cyclescope.optimizing.processes.worker_group import CallSample
from cyclescope.optimizing.search.plan_cache import PlanCache
from cyclescope.optimizing.search.schedule import BudgetSchedule, confirmation_scope
from cyclescope.optimizing.search.trial import estimated_round_ns

from .plans_on_paper import BASELINE, PaperPreparer, searched, situation


def _luck(plan: Plan, salt: str) -> float:
    """A number from 0 to 1 that is always the same for a plan."""
    return int(hashlib.sha256(f"{salt}{plan}".encode()).hexdigest()[:8], 16) / 0xFFFFFFFF


def _in_budget(budget_s: float, cycle_s: float, ready_s: float, best: float, after_s: float = 0.0):  # type: ignore[no-untyped-def]
    clock = FakeClock()
    preparer = PaperPreparer(
        clock,
        speed_up=lambda plan: 0.5 + (best - 0.5) * _luck(plan, "speed"),
        ready_s=lambda plan: ready_s * (0.5 + 2 * _luck(plan, "ready")),
        baseline_ns=int(cycle_s * 1e9),
    )
    begin = clock.now_ns()
    found = searched(
        preparer, budget_s=budget_s, where=situation(engines={"onnxruntime": "", "openvino": ""}), after_s=after_s
    )
    return found, preparer, (clock.now_ns() - begin) / 1e9


@settings(deadline=None, max_examples=15)
@given(
    budget_s=st.floats(20, 600),
    cycle_share=st.floats(1e-5, 1 / 20),
    ready_share=st.floats(1e-3, 0.25),
    best=st.floats(0.6, 10),
    after_share=st.floats(0, 0.1),
)
def test_a_search_ends_within_its_budget(
    budget_s: float, cycle_share: float, ready_share: float, best: float, after_share: float
) -> None:
    """Cycles of up to a twentieth of the budget, plans that take up to 60 % of it to be made ready."""
    found, preparer, took_s = _in_budget(
        budget_s, max(1e-3, budget_s * cycle_share), budget_s * ready_share, best, budget_s * after_share
    )
    # Where nothing is found there is no question why, for which time would have to be left.
    assert took_s <= budget_s * 1.1
    if found.rows[1:2] and found.rows[1].speed_up > 1:
        assert took_s <= budget_s * (1.1 - after_share)
    assert all(variant.closed for variant in preparer.variants)
    assert len(found.rows) > 1 or found.not_tried


@pytest.mark.parametrize("cycle_s", [0.01, 0.2, 1.0, 3.0, 5.0])
def test_long_cycles_are_proved_all_the_same(cycle_s: float) -> None:
    clock = FakeClock()
    preparer = PaperPreparer(
        clock, lambda plan: 3.0 if plan.engine == "onnxruntime" else 1.0, baseline_ns=int(cycle_s * 1e9)
    )
    found = searched(preparer, budget_s=120.0)
    best = found.rows[found.best]
    assert best.plan.engine == "onnxruntime"
    assert best.verdict is Verdict.FASTER
    assert best.rounds >= LEAST_ROUNDS_FOR_VERDICT
    assert clock.now_ns() <= 126e9


def test_a_proof_that_cannot_be_finished_claims_nothing_and_says_so() -> None:
    clock = FakeClock()
    preparer = PaperPreparer(clock, lambda plan: 3.0, baseline_ns=14_000_000_000)
    found = searched(preparer, budget_s=120.0)
    assert all(row.verdict is Verdict.INCONCLUSIVE and not row.confirmed for row in found.rows)
    assert found.rows[found.best].speed_up > 2.5  # handed over, unproved
    (left,) = [left for left in found.unfinished if left.phase is Phase.CONFIRMATION]
    assert not left.reason
    assert left.needs_ns > 120e9


def test_parts_that_there_is_no_time_for_are_told() -> None:
    def speed(plan: Plan) -> float:
        return (2.0 if plan.engine == "onnxruntime" else 1.0) * (2.0 if plan.quantization == "int8-dynamic" else 1.0)

    clock = FakeClock()
    preparer = PaperPreparer(clock, speed, baseline_ns=3_000_000_000)
    found = searched(preparer, budget_s=120.0, where=situation(cores=1))
    assert {c.part for c in found.contributions} == {"engine", "quantization"}
    left_out = [c for c in found.contributions if c.reason == OUT_OF_BUDGET]
    assert left_out
    assert all(c.ratio is None and c.verdict is Verdict.INCONCLUSIVE for c in left_out)
    assert clock.now_ns() <= 126e9


def test_what_was_made_ready_is_not_made_again_for_the_proof() -> None:
    preparer = PaperPreparer(FakeClock(), lambda plan: 1 + _luck(plan, ""))
    found = searched(preparer, where=situation(cores=1))
    proved = [row.plan for row in found.rows[1:] if row.confirmed]
    assert proved
    assert all(preparer.prepared.count(plan) == 1 for plan in proved)


def test_without_memory_for_idle_plans_they_are_made_ready_again() -> None:
    preparer = PaperPreparer(FakeClock(), lambda plan: 2.0 if plan.quantization != "off" else 1.0)
    found = searched(preparer, where=situation(cores=1), memory_bytes=1)
    best = found.rows[found.best].plan
    assert preparer.prepared.count(best) > 1
    assert sum(not variant.closed for variant in preparer.variants) == 0


def test_only_the_fastest_are_kept_and_only_in_so_much_memory() -> None:
    clock = FakeClock()
    preparer = PaperPreparer(clock, lambda plan: 1.0)
    with PlanCache(preparer, most=3, memory_bytes=250) as plan_cache:  # a variant holds 100
        plans = [replace(BASELINE, threads=n) for n in (1, 2, 3)]
        for plan, worth in zip(plans, (5.0, 1.0, 2.0), strict=True):
            plan_cache.release(plan_cache.make(plan, 9.0), worth)
        assert [plan_cache.holds(plan) for plan in plans] == [True, False, True]
        assert plan_cache.make(plans[0], 9.0).variant is preparer.variants[0]
        assert not plan_cache.holds(plans[0])
        assert [variant.closed for variant in preparer.variants] == [False, True, False]
    assert all(variant.closed for variant in preparer.variants)


@given(
    baseline_ns=st.floats(1e6, 1e10),
    walls=st.lists(st.floats(1e6, 1e10), min_size=1, max_size=3).map(sorted),
    time_ns=st.integers(0, 200_000_000_000),
)
def test_a_proof_takes_no_more_than_there_is_unless_even_its_least_does(
    baseline_ns: float, walls: list[float], time_ns: int
) -> None:
    decided = confirmation_scope(baseline_ns, walls, [0] * len(walls), time_ns)
    rounds = LEAST_ROUNDS_FOR_VERDICT * estimated_round_ns(
        [baseline_ns, *walls[: decided.finalists]], one_way=decided.one_way
    )
    assert 1 <= decided.finalists <= len(walls)
    assert rounds <= time_ns or (decided.finalists == 1 and decided.one_way)


def test_where_cycles_are_long_the_search_leaves_more_to_the_proof() -> None:
    schedule = BudgetSchedule(0, 100_000_000_000, after_ns=5_000_000_000)
    short, long = (schedule.search_until(ns, ns / 3) for ns in (1e7, 4e9))
    assert long < short < schedule.end_ns
    assert schedule.search_until(1e12, 1e12) > 0
    # What has one part is not taken apart.
    longer = schedule.search_until(4e9, 4e9 / 3, parts=False) - long
    assert longer == pytest.approx(0.08 * schedule.budget_ns)


@pytest.mark.parametrize(
    ("texts", "call_s", "budget_s", "looked_at"), [(8, 0.3, 60, 8), (8, 1.0, 60, 3), (8, 60.0, 60, 1), (1, 60.0, 60, 1)]
)
def test_of_long_calls_a_part_is_looked_into(texts: int, call_s: float, budget_s: float, looked_at: int) -> None:
    assert part_of(CallSample(texts), int(call_s * 1e9), int(budget_s * 1e9)) == CallSample(looked_at)


@pytest.mark.parametrize(
    ("written", "looked_at"), [(4, CallSample(8, 4)), (64, CallSample(8, 12)), (512, CallSample(8, 12))]
)
def test_of_what_is_written_a_few_steps_are_looked_into(written: int, looked_at: CallSample) -> None:
    assert part_of(CallSample(8, written), int(1.5e9 * (1 + written) / 65), 60_000_000_000) == looked_at


@pytest.mark.parametrize(("step_s", "looked_at"), [(0.02, 12), (0.1, 2), (0.06, 5), (3.0, 2)])
def test_where_steps_are_long_fewer_are_looked_into(step_s: float, looked_at: int) -> None:
    """A tenth of a minute is enough for sixteen calls of 0.375 s."""
    assert part_of(CallSample(1, 64), int(step_s * 65e9), 60_000_000_000) == CallSample(1, looked_at)
    assert part_of(CallSample(1, 1), int(step_s * 2e9), 60_000_000_000) == CallSample(1, 1)
