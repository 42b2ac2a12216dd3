"""The unmodified model on the asked job: what its cycle costs, what it gives, and what it looks like inside."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from cyclescope.backends.base import UninstrumentedRun
from cyclescope.core.clock import Clock
from cyclescope.core.cycle import Cycle
from cyclescope.core.errors import UsageError
from cyclescope.core.graph.structure import DECODE, ENCODE
from cyclescope.core.message import Text, m
from cyclescope.core.plan import Plan
from cyclescope.core.results import Results
from cyclescope.core.units import NS_PER_S, Nanoseconds
from cyclescope.core.workload import Workload
from cyclescope.measuring.pace import Pace
from cyclescope.optimizing.processes.messages import Job
from cyclescope.optimizing.processes.process_pool import ProcessPool
from cyclescope.optimizing.processes.worker_group import CallSample, PoolPreparer, WorkerGroup
from cyclescope.optimizing.scope import Scope, probe_of, scope_of
from cyclescope.optimizing.search.plan_cache import PreparedPlan
from cyclescope.optimizing.search.whole_cycle import WholeCycle
from cyclescope.optimizing.strategies.strategy import Goal

_EXAMINE = 0.04  # of the budget for each of the two cycles that explain
_LEAST_EXAMINE_NS, _MOST_EXAMINE = 2 * NS_PER_S, 0.12
_MOST_BASELINE = 0.2  # of the budget, for all that is done with the unmodified model before the search
# A measured cycle takes as long as so many, tracing and looks at memory included; so much of the budget it may take.
_CYCLES_TO_LOOK, _MOST_LOOKING = 16, 0.1
# Tokens that are written in it; tracing every step of a long text would take most of a budget. Two show how steps differ.
_STEPS_TO_LOOK, _LEAST_STEPS = 12, 2


@dataclass(frozen=True, eq=False)
class Baseline:
    """`prepared` runs the trial of `scope` in `group`, with the outputs `reference`; a whole cycle of the proof takes `cycle_ns`
    and is `workload`. `before` is a measured cycle of `sample`, a part of the `call`; measuring it took `examined_ns`.
    `probe` is the short run that the scope was decided by.
    """

    prepared: PreparedPlan
    group: WorkerGroup
    reference: Results
    scope: Scope
    whole: WholeCycle
    cycle_ns: Nanoseconds
    workload: Workload
    before: Cycle
    sample: CallSample
    call: CallSample
    examined_ns: Nanoseconds
    probe: UninstrumentedRun | None = None


def open_baseline(
    pool: ProcessPool,
    plan: Plan,
    goal: Goal,
    budget_ns: Nanoseconds,
    clock: Clock,
    check: Callable[[Results], object] | None = None,
) -> Baseline:
    """Open `plan` on the job of `pool`, decide by one short run of it what trials and the proof run, and explain a cycle.

    `check` is given the first outputs, and raises where they are not what the user takes them for.
    """
    limit_s = budget_ns / NS_PER_S
    started = clock.now_ns()
    preparer, probe_job = PoolPreparer(pool), probe_of(pool.job)
    probe = PoolPreparer(pool, probe_job).group(plan, limit_s)
    if not probe.opened.workload.tokens_out:
        return _of_one_pass(pool, plan, probe, probe_job, budget_ns, clock, check)
    if check is not None:
        check(probe.results())
    asked, opened, run = pool.job, probe.opened, probe.opened.first
    assert run is not None
    probe.close()
    tokens_out = asked.new_tokens or opened.workload.tokens_out
    call = preparer.whole_call(opened.plan, tokens_out)
    pace = next((Pace.of_tokens(emitted) for emitted in run.calls_emitted_ns if len(emitted) > 1), None)
    call_ns = call.texts * (pace.cycle_ns(tokens_out) if pace is not None else max(1, tokens_out - 1) * run.wall_ns)
    begin = clock.now_ns()
    sample = looked_at(call, call_ns, budget_ns)
    # A trial is opened, gives its outputs and runs once: two runs of two texts.
    left_ns = int(_MOST_BASELINE * budget_ns) - (begin - started) - 4 * run.wall_ns
    before = examined(preparer, opened.plan, budget_ns, sample, left_ns)
    examined_ns = clock.now_ns() - begin
    scope = scope_of(
        asked,
        pace,
        tokens_in=opened.workload.tokens_in,
        tokens_out=tokens_out,
        budget_ns=budget_ns,
        batches=goal is Goal.THROUGHPUT,
        grows=not {ENCODE, DECODE} <= set(before.graph.stages),
    )
    prepared = trial_preparer(pool, scope, run).make(plan, limit_s)
    group = prepared.variant
    assert isinstance(group, WorkerGroup)
    reference = group.results()
    whole = scope.whole
    if whole.apart:  # as the tokenizer has it
        whole = replace(whole, apart=max(1, group.opened.workload.tokens_in - opened.workload.tokens_in))
    first = group.run(1)[0]
    cycle_ns = whole.time_ns(first)
    return Baseline(
        replace(prepared, first=first),
        group,
        reference,
        scope,
        replace(whole, factor=cycle_ns / max(1, first.wall_ns)),
        int(cycle_ns),
        _whole_workload(opened.workload, scope.proof, tokens_out) if scope.sampled else group.opened.workload,
        before,
        sample,
        call,
        examined_ns,
        run,
    )


def trial_preparer(pool: ProcessPool, scope: Scope, probe: UninstrumentedRun | None) -> PoolPreparer:
    """Makes plans ready for the trials of `scope`. Of a part of a long cycle the first run gives the outputs."""
    expected_ns = len(scope.trial.texts) * probe.wall_ns if scope.sampled and probe is not None else 0
    return PoolPreparer(pool, scope.trial, one_each=scope.one_each, cycle_ns=expected_ns)


def _of_one_pass(
    pool: ProcessPool,
    plan: Plan,
    probe: WorkerGroup,
    probe_job: Job,
    budget_ns: Nanoseconds,
    clock: Clock,
    check: Callable[[Results], object] | None,
) -> Baseline:
    """The same for a model that writes nothing: whole cycles are short."""
    preparer = PoolPreparer(pool)
    if probe_job == pool.job:
        group = probe
    else:
        probe.close()
        group = preparer.group(plan, budget_ns / NS_PER_S)
    opened = group.opened
    prepared = PreparedPlan(group, opened.plan, opened.ready_ns, opened.edits, opened.again_ns)
    computing = clock.now_ns()
    reference = group.results()
    if check is not None:
        check(reference)
    examining = clock.now_ns()
    call = preparer.whole_call(opened.plan, opened.workload.tokens_out)
    sample = looked_at(call, (examining - computing) * call.texts // opened.workload.batch, budget_ns)
    before = examined(preparer, opened.plan, budget_ns, sample)
    scope = Scope(pool.job, pool.job)
    took_ns, examined_ns = examining - computing, clock.now_ns() - examining
    return Baseline(
        prepared, group, reference, scope, scope.whole, took_ns, opened.workload, before, sample, call, examined_ns
    )


def _whole_workload(probe: Workload, proof: Job, tokens_out: int) -> Workload:
    """The work of a cycle of the proof, by that of its probe."""
    texts = len(proof.texts)
    found = replace(probe, tokens_out=proof.new_tokens or tokens_out)
    if not texts:
        return found
    return replace(
        found,
        batch=texts,
        real_tokens=probe.real_tokens * texts,
        characters=sum(map(len, proof.texts)),
        text_bytes=sum(len(text.encode("utf-8", "replace")) for text in proof.texts),
    )


def looked_at(whole: CallSample, call_ns: Nanoseconds, budget_ns: Nanoseconds) -> CallSample:
    """How much of a `whole` call that takes `call_ns` is looked at. Of what is written a few steps, since one is like the
    next; of the texts all, where that leaves time for anything else.
    """
    most_ns = _MOST_LOOKING * budget_ns / _CYCLES_TO_LOOK
    step_ns = max(1.0, call_ns / (1 + whole.tokens_out))  # of all texts
    written = min(whole.tokens_out, _STEPS_TO_LOOK)
    texts = max(1, min(whole.texts, int(whole.texts * most_ns / (step_ns * (1 + written)))))
    steps = int(most_ns * whole.texts / (step_ns * texts)) - 1
    return CallSample(texts, min(written, max(_LEAST_STEPS, steps)))


def examined(
    preparer: PoolPreparer, plan: Plan, budget_ns: Nanoseconds, sample: CallSample, left_ns: Nanoseconds | None = None
) -> Cycle:
    """A measured cycle of `plan`, one call of it and no more than `sample`, in another process, within `left_ns` if that can be."""
    most_ns = examine_ns(budget_ns)
    group = preparer.one_call(plan, budget_ns / NS_PER_S, sample)
    try:
        try:
            return group.cycle(most_ns if left_ns is None else min(most_ns, max(_LEAST_EXAMINE_NS, left_ns)))
        except UsageError:
            # Not even the prompt and one token fit, as beside a load that comes and goes: without a look there is no search.
            return group.cycle(int(_MOST_EXAMINE * budget_ns))
    finally:
        group.close()


def examine_ns(budget_ns: Nanoseconds) -> Nanoseconds:
    """What a measured cycle that explains may take."""
    return max(_LEAST_EXAMINE_NS, int(budget_ns * _EXAMINE))


def sample_notes(sample: CallSample, whole: CallSample) -> Iterator[Text]:
    """What the measured cycles leave out of a whole call."""
    if sample.texts < whole.texts:
        yield m(
            "The explanation covers one call with {some} of {texts} texts: all of them would take too long.",
            some=sample.texts,
            texts=whole.texts,
        )
    if sample.tokens_out < whole.tokens_out:
        yield m(
            "The explanation covers {some} of {tokens} output tokens: all decode steps are alike.",
            some=sample.tokens_out,
            tokens=whole.tokens_out,
        )
