"""Long generations: tried on a few tokens, estimated by prefill and steps, proved whole."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cyclescope.backends.base import UninstrumentedRun
from cyclescope.backends.paper import FakeClock
from cyclescope.core.errors import UsageError
from cyclescope.core.message import Text
from cyclescope.core.plan import Plan
from cyclescope.core.progress import Notify, silent
from cyclescope.core.ratios import LEAST_ROUNDS_FOR_VERDICT
from cyclescope.core.results import Results
from cyclescope.core.units import NS_PER_S
from cyclescope.explaining.comparison import Verdict
from cyclescope.measuring.pace import Pace
from cyclescope.optimizing.baseline import examined
from cyclescope.optimizing.optimization import Found, Outcome, Phase
from cyclescope.optimizing.processes.messages import Job, Opened
from cyclescope.optimizing.processes.worker_group import CallSample, WorkerGroup
from cyclescope.optimizing.scope import Scope, longer, probe_of, scope_of
from cyclescope.optimizing.search.confirmation import same_outputs
from cyclescope.optimizing.search.drift import Drift
from cyclescope.optimizing.search.plan_cache import PlanCache, PreparedPlan
from cyclescope.optimizing.search.schedule import BudgetSchedule
from cyclescope.optimizing.search.search import Limits, Search
from cyclescope.optimizing.search.trials import Trials
from cyclescope.optimizing.search.whole_cycle import WholeCycle
from cyclescope.optimizing.strategies.strategies import STRATEGIES

from .plans_on_paper import BASELINE, situation, workload

MS = 1_000_000


def emitted(prefill: float, step: float, growth: float, cache: int, tokens: int) -> tuple[int, ...]:
    """When tokens come out whose steps take `step` + `growth` for each token in the cache."""
    times = [prefill]
    for k in range(1, tokens):
        times.append(times[-1] + step + growth * (cache + k - 1))
    return tuple(round(at) for at in times)


def run_of(*calls: tuple[int, ...]) -> UninstrumentedRun:
    wall = sum(call[-1] for call in calls)
    if len(calls) == 1:
        return UninstrumentedRun(0, wall, wall, emitted_ns=calls[0])
    return UninstrumentedRun(0, wall, wall, emitted_by_call=calls)


# The time of a whole generation --------------------------------------------------------------------------------------


@given(
    prefill=st.integers(1, 500),
    step=st.integers(1, 100),
    growth=st.floats(0, 0.05),
    tokens=st.integers(30, 500),
    texts=st.integers(1, 5),
)
def test_steps_at_both_ends_of_the_cache_give_the_whole_generation(
    prefill: int, step: int, growth: float, tokens: int, texts: int
) -> None:
    prompt, n = 10, 12
    apart = tokens - n
    near, far = (emitted(prefill * MS, step * MS, growth * MS, cache, n) for cache in (prompt, prompt + apart))
    whole = emitted(prefill * MS, step * MS, growth * MS, prompt, tokens)[-1]
    grown = growth * apart
    told = WholeCycle(texts, tokens, apart).time_ns(run_of(near, far))
    if grown <= step:
        assert told == pytest.approx(texts * whole, rel=1e-5, abs=texts * tokens * n)


def test_a_long_prompt_that_is_guessed_well_makes_no_step_cheaper() -> None:
    near, far = emitted(50 * MS, 10 * MS, 0, 0, 12), emitted(60 * MS, 2 * MS, 0, 0, 12)
    assert WholeCycle(1, 101, 90).time_ns(run_of(near, far)) == 50 * MS + 100 * 10 * MS


def test_calls_of_several_texts_stand_for_all_texts() -> None:
    run = run_of(emitted(20 * MS, 5 * MS, 0, 0, 6), emitted(30 * MS, 6 * MS, 0, 0, 6))
    assert WholeCycle(texts=8, tokens=11, sampled=4).time_ns(run) == 2 * (20 + 50 + 30 + 60) * MS


def test_without_times_of_tokens_a_run_counts_as_the_baselines_does() -> None:
    assert WholeCycle(2, 64, 50, factor=7.5).time_ns(UninstrumentedRun(0, 100, 100)) == 750
    assert WholeCycle().time_ns(run_of((5, 9))) == 9


# What is run ---------------------------------------------------------------------------------------------------------

TEXTS = ("aa " * 10, "bbb " * 10, "c", "dd " * 9)


def scope(
    step_ms: float, texts: Sequence[str] = TEXTS, tokens: int = 64, budget_s: float = 300.0, **more: bool
) -> Scope:
    pace = Pace.of_tokens(emitted(2 * step_ms * MS, step_ms * MS, 0, 0, 8))
    job = Job("paper", texts=tuple(texts), new_tokens=tokens)
    options = {"batches": False, "grows": True} | more
    return scope_of(job, pace, tokens_in=10, tokens_out=tokens, budget_ns=int(budget_s * NS_PER_S), **options)


def test_short_generations_are_run_whole() -> None:
    found = scope(1.0)
    assert not found.sampled
    assert found.trial.texts == TEXTS
    assert not list(found.notes(Job("paper", texts=TEXTS), 64, confirmed=True))


def test_long_generations_are_tried_on_one_text_at_both_ends_of_the_cache() -> None:
    found = scope(60.0)
    assert found.proof.texts == (TEXTS[0], TEXTS[3])
    assert found.proof.new_tokens == 64
    near, far = found.trial.texts
    assert near == TEXTS[0]
    assert far.startswith(TEXTS[0])
    assert len(far) == pytest.approx(len(TEXTS[0]) * (1 + 56 / 10), abs=1)
    assert found.trial.new_tokens == 8
    assert found.whole == WholeCycle(2, 64, 56)
    assert found.one_each
    asked = Job("paper", texts=TEXTS, new_tokens=64)
    assert len(list(found.notes(asked, 64, confirmed=True))) == 2
    assert len(list(found.notes(asked, 64, confirmed=False))) == 1


def test_of_a_very_long_generation_the_proof_runs_what_fits() -> None:
    found = scope(400.0)
    assert len(found.proof.texts) == 1
    assert 8 <= (found.proof.new_tokens or 0) < 64
    assert scope(1e6).proof.new_tokens == 8


@pytest.mark.parametrize("more", [{"batches": True}, {"grows": False}])
def test_where_prompts_cannot_be_made_longer_a_trial_has_those_that_there_are(more: dict[str, bool]) -> None:
    found = scope(60.0, **more)
    assert found.trial.texts == found.proof.texts[: 2 if more.get("batches") else 1]
    assert found.whole.apart == 0
    assert not found.one_each


def test_a_model_that_tells_no_times_is_run_whole() -> None:
    job = Job("paper", texts=TEXTS)
    made = scope_of(job, None, tokens_in=9, tokens_out=0, budget_ns=NS_PER_S, batches=False, grows=True)
    assert made == Scope(job, job)


def test_a_probe_is_one_usual_text_and_few_tokens() -> None:
    assert probe_of(Job("paper", texts=TEXTS, new_tokens=64)) == Job("paper", texts=TEXTS[:1], new_tokens=8)
    assert probe_of(Job("paper", tokens=128, batch=4)) == Job("paper", tokens=128, batch=4)


@given(st.text(min_size=1, max_size=40), st.integers(1, 50), st.integers(0, 500))
def test_a_longer_text_goes_on_as_it_began(text: str, tokens: int, more: int) -> None:
    made = longer(text, tokens, more)
    assert made.startswith(text)
    assert len(made) == round(len(text) * (1 + more / tokens))


@dataclass
class SlowWorker:
    """Keeps what it may take to give its outputs."""

    limits: list[float] = field(default_factory=list)
    opened: Opened = field(
        default_factory=lambda: Opened(workload(), BASELINE, situation().machine, (), (), NS_PER_S, NS_PER_S)
    )

    def outputs(self, limit_s: float) -> Results:
        self.limits.append(limit_s)
        return Results(np.ones((1, 4), dtype=np.int64), tokens=np.arange(8)[None, :])


def test_the_first_outputs_belong_to_making_ready_and_keep_its_limit() -> None:
    """A static cache is compiled in the first run, which took a minute of a budget that had three seconds left."""
    worker = SlowWorker()
    group = WorkerGroup([worker], NS_PER_S, first_s=3.0)  # type: ignore[list-item]
    group.results()
    assert worker.limits == [3.0]
    group.results()
    assert worker.limits[1] > 30


@dataclass
class Looked:
    """A group of one worker that measures nothing within `least_ns`."""

    least_ns: int
    budgets: list[int] = field(default_factory=list)
    closed: bool = False

    def one_call(self, plan: Plan, limit_s: float, sample: CallSample) -> Looked:
        return self

    def cycle(self, budget_ns: int) -> str:
        self.budgets.append(budget_ns)
        if budget_ns < self.least_ns:
            raise UsageError("The budget must be larger.")
        return "cycle"

    def close(self) -> None:
        self.closed = True


@pytest.mark.parametrize(("least_s", "budgets_s"), [(1, [2]), (30, [2, 36])])
def test_a_look_that_a_load_has_made_too_long_is_given_more_time(least_s: int, budgets_s: list[int]) -> None:
    looked = Looked(least_s * NS_PER_S)
    found = examined(looked, BASELINE, 300 * NS_PER_S, CallSample(1, 3), left_ns=0)  # type: ignore[arg-type]
    assert found == "cycle"
    assert [ns / NS_PER_S for ns in looked.budgets] == budgets_s
    assert looked.closed


# The search ----------------------------------------------------------------------------------------------------------

TOKENS, TRIAL = 64, 8
STEP_NS = 100 * MS


@dataclass
class Writer:
    """Writes `tokens` tokens in each of `calls` calls; token `wrong_at` (None: none) is another than the baseline's."""

    clock: FakeClock
    step_ns: float
    tokens: int
    calls: int
    wrong_at: int | None = None
    closed: bool = False
    written: int = 0

    def run(self, cycles: int) -> Sequence[UninstrumentedRun]:
        assert not self.closed
        runs = []
        for _ in range(cycles):
            run = run_of(*[emitted(2 * self.step_ns, self.step_ns, 0, 0, self.tokens)] * self.calls)
            self.clock.advance(run.wall_ns)
            self.written += self.tokens * self.calls
            runs.append(run)
        return runs

    def results(self) -> Results:
        self.run(1)
        tokens = np.arange(self.tokens)[None, :].repeat(self.calls, 0)
        if self.wrong_at is not None and self.wrong_at < self.tokens:
            tokens[:, self.wrong_at :] += 1
        return Results(np.ones((self.calls, 4), dtype=np.int64), tokens=tokens)

    def held_bytes(self) -> int:
        return 100

    def close(self) -> None:
        self.closed = True


@dataclass
class Preparer:
    """Makes plans ready to write in trials (`whole` false: one cycle while it is made ready) or in the proof."""

    clock: FakeClock
    speed_up: Callable[[Plan], float]
    wrong_at: Callable[[Plan], int | None]
    whole: bool
    slower: float = 1.0
    made: list[tuple[Plan, Writer]] = field(default_factory=list)

    def make(self, plan: Plan, limit_s: float) -> PreparedPlan:
        tokens, calls = (TOKENS, 1) if self.whole else (TRIAL, 2)
        writer = Writer(self.clock, self.slower * STEP_NS / self.speed_up(plan), tokens, calls, self.wrong_at(plan))
        begin = self.clock.now_ns()
        self.clock.advance(NS_PER_S)
        if not self.whole:
            writer.run(1)
        self.made.append((plan, writer))
        return PreparedPlan(writer, plan, self.clock.now_ns() - begin)


@dataclass
class Shown:
    """Keeps what a search says of itself."""

    told: list[tuple[str, Text, Text | None, int]] = field(default_factory=list)
    last: tuple[Text, Text | None, int | None] = ("", None, None)

    def __call__(self, phase: str, done: float) -> None:
        now, best, left_ns = self.last
        self.told.append((phase, now, best, left_ns or 0))

    def detail(self, now: Text, best: Text | None, left_ns: int | None) -> None:
        self.last = (now, best, left_ns)


def searched(
    speed_up: Callable[[Plan], float],
    wrong_at: Callable[[Plan], int | None],
    budget_s: float,
    max_drift: float = 0.2,
    busy_cores: float = 0.0,
    notify: Notify = silent,
    proof_slower: float = 1.0,
    head_share: float = 0.0,
) -> tuple[Found, Preparer, Preparer, float]:
    """What a search finds, with the preparers of trials and proof and the seconds that it took."""
    clock, found = FakeClock(), Found()
    trial, proof = (Preparer(clock, speed_up, wrong_at, whole) for whole in (False, True))
    proof.slower = proof_slower
    where = situation(busy_cores=busy_cores, workload=workload(tokens_out=TOKENS, batch=1), head_share=head_share)
    begin = clock.now_ns()
    with PlanCache(trial) as trial_cache, PlanCache(proof) as proof_cache:
        baseline = trial_cache.make(BASELINE, 60.0)

        def proved() -> Trials:
            prepared = proof_cache.make(BASELINE, 60.0)
            return Trials(proof_cache, prepared, prepared.variant.results())

        trials = Trials(trial_cache, baseline, baseline.variant.results(), WholeCycle(1, TOKENS, TOKENS - TRIAL))
        limits = Limits(BudgetSchedule(begin, int(budget_s * 1e9)), max_drift)
        Search(trials, proved, where, STRATEGIES, limits, clock, notify, found).run()
    return found, trial, proof, (clock.now_ns() - begin) / 1e9


def _fast(plan: Plan) -> float:
    return {"int8-dynamic": 4.0, "int8-weights": 3.0}.get(plan.quantization, 1.0) * (2.0 if plan.threads == 2 else 1.0)


def test_trials_write_few_tokens_and_the_proof_whole_generations() -> None:
    found, trial, proof, took_s = searched(_fast, lambda plan: None, 180.0)
    best = found.rows[found.best]
    assert best.plan.quantization == "int8-dynamic"
    assert best.verdict is Verdict.FASTER
    assert best.confirmed
    assert best.wall_ns == pytest.approx(STEP_NS / best.speed_up * (TOKENS + 1), rel=0.02)
    assert took_s <= 180 * 1.1
    assert all(writer.tokens == TRIAL for _, writer in trial.made)
    assert {writer.tokens for _, writer in proof.made} == {TOKENS}
    # Every row estimates the whole generation, the proved ones measure it.
    rows = [row for row in found.rows[1:] if row.ratio is not None]
    assert len(rows) > 3
    assert all(row.ratio and row.speed_up == pytest.approx(_fast(row.plan), rel=1e-3) for row in rows)


def test_a_plan_that_drifts_only_later_is_refused_and_the_next_taken() -> None:
    """int8-dynamic of torch writes another token behind those of a trial."""

    def wrong_at(plan: Plan) -> int | None:
        return 20 if (plan.engine, plan.quantization) == ("torch", "int8-dynamic") else None

    found, _, proof, took_s = searched(_fast, wrong_at, 240.0)
    best = found.rows[found.best]
    assert (best.plan.engine, best.plan.quantization) == ("onnxruntime", "int8-dynamic")
    assert best.verdict is Verdict.FASTER
    refused = [row for row in found.rows if row.outcome is Outcome.DRIFTED]
    # One plan tells it of all that compute in the same numbers.
    assert [(row.plan.engine, row.plan.quantization) for row in refused] == [("torch", "int8-dynamic")]
    assert refused[0].drift is not None
    assert refused[0].drift.tokens == 20 / 64
    assert took_s <= 240 * 1.1
    assert all(writer.closed for _, writer in proof.made)


def test_what_is_to_be_had_without_drift_is_proved_too() -> None:
    found, *_ = searched(_fast, lambda plan: None if plan.quantization == "off" else 60, 240.0)
    best = found.rows[found.best]
    assert best.plan.quantization != "off"
    same = [row for row in found.rows[1:] if row.confirmed and row.drift is not None and row.drift.same]
    assert [row.plan.threads for row in same] == [2]
    assert all(row.verdict is Verdict.FASTER for row in same)


def test_a_head_in_eight_bits_counts_as_a_plan_without_drift() -> None:
    def fast(plan: Plan) -> float:
        return {"int8-head": 2.0, "int8-weights": 4.0}.get(plan.quantization, 1.2 if plan.threads == 2 else 1.0)

    def wrong_at(plan: Plan) -> int | None:
        return None if plan.quantization in ("off", "int8-head") else 60

    found, *_ = searched(fast, wrong_at, 300.0, max_drift=0.0, head_share=0.6)
    best = found.rows[found.best]
    assert (best.plan.quantization, best.confirmed) == ("int8-head", True)
    assert same_outputs(best, BASELINE)
    assert not same_outputs(replace(best, plan=replace(best.plan, quantization="int8-weights")), BASELINE)
    assert not same_outputs(replace(best, drift=Drift(tokens=63 / 64)), BASELINE)


def test_without_time_for_a_proof_the_fastest_is_handed_over_unproved_with_what_a_proof_needs() -> None:
    found, _, _, took_s = searched(_fast, lambda plan: None, 60.0)
    best = found.rows[found.best]
    assert best.speed_up > 2
    assert not best.confirmed
    assert best.verdict is Verdict.INCONCLUSIVE
    assert took_s <= 60 * 1.1
    needs_s = next(left.needs_ns for left in found.unfinished if left.phase is Phase.CONFIRMATION) / 1e9
    assert needs_s > 60
    again, _, _, again_s = searched(_fast, lambda plan: None, needs_s * 1.1)
    assert again.rows[again.best].verdict is Verdict.FASTER
    assert again_s <= needs_s * 1.1 * 1.1


def test_a_proof_that_is_broken_off_hands_over_what_it_saw() -> None:
    """Whole generations take four times as long as trials let expect."""
    found, _, proof, _ = searched(_fast, lambda plan: None, 180.0, proof_slower=4.0)
    (left,) = [left for left in found.unfinished if left.phase is Phase.CONFIRMATION]
    assert 2 <= left.rounds < LEAST_ROUNDS_FOR_VERDICT
    assert left.needs_ns > 180e9
    best = found.rows[found.best]
    assert best.speed_up == pytest.approx(_fast(best.plan), rel=1e-3)
    assert best.speed_up > 2
    assert best.verdict is Verdict.INCONCLUSIVE
    assert proof.made


def test_progress_names_the_plan_that_is_tried_the_best_and_the_time_left() -> None:
    shown = Shown()
    found, *_ = searched(_fast, lambda plan: None, 180.0, notify=shown)
    assert {phase for phase, *_ in shown.told} == {Phase.SEARCH, Phase.CONFIRMATION, Phase.ABLATION}
    tried = [str(now) for phase, now, *_ in shown.told if phase is Phase.SEARCH]
    assert "PyTorch with int8-dynamic" in tried
    assert len(tried) >= len(found.rows) - 1
    assert str(shown.told[-1][2]).endswith("8 times as fast")
    left = [left_ns for *_, left_ns in shown.told]
    assert left == sorted(left, reverse=True)
    assert 0 < left[0] <= 180 * NS_PER_S


def test_beside_busy_cores_fewer_threads_are_tried_first() -> None:
    where = situation(busy_cores=1.2, cores=4)
    threads = next(strategy for strategy in STRATEGIES if strategy.name == "threads")
    offer = threads.offer(replace(BASELINE, threads=4), where)
    assert [plan.threads for plan in offer.plans] == [2, 1]
    assert offer.expected_speedup == 2.0
    others = [strategy.offer(replace(BASELINE, threads=4), where) for strategy in STRATEGIES if strategy is not threads]
    usual = threads.offer(replace(BASELINE, threads=4), situation(cores=4))
    assert usual.expected_speedup < 1
    assert others
