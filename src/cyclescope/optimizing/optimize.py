"""`optimize`: the fastest honest way to run a model on this machine, found within a budget, with its proof."""

from __future__ import annotations

import functools
import os
import shutil
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from cyclescope.backends import engines
from cyclescope.backends.registry import keeping
from cyclescope.core.clock import Clock, SystemClock
from cyclescope.core.cycle import Cycle
from cyclescope.core.edits import Edit, files_of
from cyclescope.core.errors import CyclescopeError, OutputError, UsageError
from cyclescope.core.machine import Machine
from cyclescope.core.message import listed, m
from cyclescope.core.plan import Plan
from cyclescope.core.progress import Notify, silent, tell
from cyclescope.core.units import NS_PER_S, Nanoseconds
from cyclescope.core.workload import Workload
from cyclescope.explaining.explain import explain
from cyclescope.explaining.head_weights import head_share
from cyclescope.machines.host import available_memory_bytes, usable_cores
from cyclescope.machines.load import LoadMeter
from cyclescope.models.reference import resolve
from cyclescope.models.weights import refuse_unread
from cyclescope.optimizing.baseline import Baseline, examine_ns, examined, open_baseline, sample_notes, trial_preparer
from cyclescope.optimizing.optimization import (
    Found,
    NotTried,
    Optimization,
    Phase,
    Row,
    Skip,
    Spent,
    Unfinished,
    front,
)
from cyclescope.optimizing.processes.messages import Job
from cyclescope.optimizing.processes.process_pool import ProcessPool
from cyclescope.optimizing.processes.worker_group import CallSample, PoolPreparer, WorkerGroup
from cyclescope.optimizing.search.guessing import tokens_a_call
from cyclescope.optimizing.search.labels import scorer
from cyclescope.optimizing.search.plan_cache import PlanCache
from cyclescope.optimizing.search.schedule import BudgetSchedule
from cyclescope.optimizing.search.search import Limits, Search
from cyclescope.optimizing.search.trials import Trials
from cyclescope.optimizing.strategies.strategies import STRATEGIES
from cyclescope.optimizing.strategies.strategy import Goal, Situation

DEFAULT_BUDGET_S = 300.0
LEAST_BUDGET_S = 10.0
# Of what the first took, for the second, which runs a faster plan; and of the budget at most.
_AFTER, _MOST_AFTER = 0.6, 0.1
_MOST_LOADING = 0.1  # of the budget that loading counts for; what it takes beyond that comes on top
_KEPT_MEMORY = 0.35  # of the memory that is free; what is being tried must find enough


def optimize(
    model: str | os.PathLike[str],
    text: str | Sequence[str] | None = None,
    *,
    tokens: int | None = None,
    batch: int | None = None,
    task: str = "auto",
    new_tokens: int | None = None,
    weights: str = "auto",
    goal: str = "latency",
    threads: int | None = None,
    max_drift: float = 0.0,
    labels: Sequence[str] | None = None,
    max_loss: float = 0.0,
    strategies: Sequence[str] = (),
    without: Sequence[str] = (),
    draft: str = "",
    budget: float = DEFAULT_BUDGET_S,
    seed: int = 0,
    files_to: str | None = None,
    progress: Notify = silent,
) -> Optimization:
    """Find the fastest way to run `model` on these texts here whose outputs stay within `max_drift`.

    With the goal `latency` every text is a call of its own, with `throughput` all of them are to be done as soon as can
    be. `max_drift` is 1 − the mean cosine of the outputs (for written text the share of tokens that differ); 0 asks for
    the same outputs but for rounding (1e-4). `threads` is the most that may be used. `labels` are the right answers of
    the task classify, one a text; `max_loss` the share of them that may be lost. `strategies` names slow ones to be
    tried as well, `without` those that are not to be tried. `draft` is a smaller model that may guess
    tokens. `files_to` is a folder that gets the files that go with the best plan's edits (a student's weights). `budget`
    is in seconds; loading counts for a tenth of it at most.

    Interrupted by Ctrl-C, it gives the best so far, marked partial. Raises like `measure`.
    """
    texts = (text,) if isinstance(text, str) else tuple(text or ())
    wanted = _goal(goal)
    _check(budget, threads, max_drift, max_loss, strategies, without, texts, labels)
    job = Job(
        model=os.fspath(model),
        texts=texts,
        tokens=tokens,
        batch=batch,
        task=task,
        weights=weights,
        seed=seed,
        new_tokens=new_tokens,
    )
    per_call = 1 if wanted is Goal.LATENCY and len(texts) > 1 else 0
    # More threads than cores would make a strawman of the baseline.
    most_threads = min(threads, usable_cores()) if threads else 0
    plan = Plan(threads=most_threads, seed=seed, batch=per_call, attention="")  # the model's default
    score = scorer(tuple(labels)) if labels is not None else None
    if max_drift > 0 and weights == "auto":
        refuse_unread(resolve(os.fspath(model)))
    progress(Phase.LOAD, 0.0)
    clock: Clock = SystemClock()
    started = clock.now_ns()
    budget_ns = int(budget * NS_PER_S)
    with keeping(), ProcessPool(job) as pool:
        begin = max(started, clock.now_ns() - int(budget_ns * _MOST_LOADING))
        limits = Limits(BudgetSchedule(begin, budget_ns), max_drift, score, max_loss)
        search_request = _SearchRequest(plan, wanted, threads, tuple(strategies), tuple(without), draft)
        found = _optimize_in(pool, search_request, limits, clock, {Phase.LOAD: clock.now_ns() - started}, progress)
        if files_to is not None:
            keep_files(found.edits, pool.files, Path(files_to))
        return found


@dataclass(frozen=True, slots=True)
class _SearchRequest:
    """What is to be optimized, and with what."""

    plan: Plan
    goal: Goal
    threads: int | None
    opted: tuple[str, ...]
    without: tuple[str, ...]
    draft: str


def _optimize_in(
    pool: ProcessPool,
    search_request: _SearchRequest,
    limits: Limits,
    clock: Clock,
    spent: dict[Phase, int],
    progress: Notify,
) -> Optimization:
    preparer = PoolPreparer(pool)
    schedule = limits.schedule
    budget_ns = schedule.budget_ns
    begin = clock.now_ns()
    tell(progress, Phase.BASELINE, 0.0, left_ns=schedule.left_ns(begin))
    meter = LoadMeter(with_children=True)
    # Labels that do not fit are refused as soon as there are outputs, before the time is spent.
    base = open_baseline(pool, search_request.plan, search_request.goal, budget_ns, clock, limits.score)
    group, reference, scope = base.group, base.reference, base.scope
    baseline, opened, before = base.prepared, group.opened, base.before
    spent[Phase.BASELINE] = clock.now_ns() - begin
    after_ns = min(int(_AFTER * base.examined_ns), int(budget_ns * _MOST_AFTER))
    found = Found(spent=spent)
    partial = False
    texts = max(1, len(scope.proof.texts))
    others = (meter.read().other_busy or 0.0) * opened.machine.cores
    situation = _situation(
        before, base.workload, opened.machine, texts, search_request, tokens_a_call(reference), others
    )
    strategies = [strategy for strategy in STRATEGIES if strategy.name not in search_request.without]
    limits = replace(limits, schedule=replace(schedule, after_ns=after_ns))
    after = None
    memory = int((available_memory_bytes() or 0) * _KEPT_MEMORY)
    meter = LoadMeter(with_children=True)
    with ExitStack() as stack:
        plan_cache = stack.enter_context(PlanCache(trial_preparer(pool, scope, base.probe), memory_bytes=memory))
        trials = Trials(plan_cache, baseline, reference, base.whole)
        proof = functools.partial(_proof_trials, stack, pool, base, search_request.plan, budget_ns)
        try:
            Search(
                trials,
                proof if scope.sampled else None,
                situation,
                strategies,
                limits,
                clock,
                progress,
                found,
            ).run()
        except KeyboardInterrupt:
            partial = True
            found.best = found.best or _best_so_far(found)
        load = meter.read()
        found.not_tried += [NotTried(name, Skip.EXCLUDED) for name in search_request.without]
        found.not_tried += [
            NotTried(name, Skip.NOT_INSTALLED, detail=way) for name, way in situation.engines.items() if way
        ]
        if found.best and not partial:
            progress(Phase.EXPLANATION, 0.9)
            begin = clock.now_ns()
            try:
                explained = _explained(
                    preparer,
                    plan_cache,
                    found.rows[found.best],
                    limits.schedule,
                    base.examined_ns,
                    base.sample,
                    base.call.tokens_out,
                    clock,
                )
            except KeyboardInterrupt:
                partial, explained = True, None
            spent[Phase.EXPLANATION] = clock.now_ns() - begin
            if isinstance(explained, Unfinished):
                found.unfinished.append(explained)
            else:
                after = explained
    group.close()
    spent[Phase.TOTAL] = clock.now_ns() - schedule.begin_ns
    progress("done", 1.0)
    rows = tuple(found.rows)
    return Optimization(
        goal=search_request.goal,
        max_drift=limits.max_drift,
        budget_ns=budget_ns,
        texts=texts,
        rows=rows,
        best=found.best,
        front=front(rows),
        contributions=tuple(found.contributions),
        not_tried=tuple(found.not_tried),
        spent=tuple(Spent(phase, ns) for phase, ns in spent.items()),
        before=before,
        after=after,
        workload=base.workload,
        edits=rows[found.best].edits,
        partial=partial,
        notes=(
            *opened.notes,
            *sample_notes(base.sample, base.call),
            *scope.notes(pool.job, base.call.tokens_out, confirmed=rows[0].confirmed),
        ),
        choice=found.choice,
        load=load,
        unfinished=tuple(found.unfinished),
    )


def _proof_trials(stack: ExitStack, pool: ProcessPool, base: Baseline, plan: Plan, budget_ns: Nanoseconds) -> Trials:
    """The baseline on the job of the proof; `stack` closes it with the plans beside it."""
    preparer = PoolPreparer(pool, base.scope.proof, cycle_ns=max(1, base.cycle_ns))
    plan_cache = stack.enter_context(PlanCache(preparer))
    prepared = preparer.make(plan, budget_ns / NS_PER_S)
    stack.callback(prepared.variant.close)
    return Trials(plan_cache, prepared, prepared.variant.results())


def _explained(
    preparer: PoolPreparer,
    plan_cache: PlanCache,
    best: Row,
    schedule: BudgetSchedule,
    before_ns: Nanoseconds,
    sample: CallSample,
    tokens_out: int,
    clock: Clock,
) -> Cycle | Unfinished:
    """A measured cycle of the best plan, where that of the baseline took `before_ns`; what stood against it where there is
    no time for it, or its engine shows nothing of the inside of a cycle.
    """
    ratio = best.ratio.value if best.ratio is not None else 1.0
    left = schedule.over_ns + schedule.after_ns - clock.now_ns()
    if examine_ns(schedule.budget_ns) + before_ns * ratio > left:
        return Unfinished(Phase.EXPLANATION)
    try:
        if not preparer.is_one_call(best.plan, sample, tokens_out):
            sample = replace(sample, texts=min(sample.texts, preparer.whole_call(best.plan, tokens_out).texts))
            return examined(preparer, replace(best.plan, instances=1), schedule.budget_ns, sample)
        # What comes of looking inside matters no more: nothing is timed with this variant afterwards.
        variant = plan_cache.make(best.plan, left / NS_PER_S).variant
        assert isinstance(variant, WorkerGroup)
        return variant.cycle(examine_ns(schedule.budget_ns))
    except CyclescopeError as error:
        return Unfinished(Phase.EXPLANATION, reason=error.summary)


def _situation(
    before: Cycle,
    workload: Workload,
    machine: Machine,
    texts: int,
    search_request: _SearchRequest,
    tokens_a_call: float,
    busy_cores: float,
) -> Situation:
    explanation = explain(before)
    layers: dict[str, int] = {}
    for layer in explanation.layers:
        layers[layer.stage] = layers.get(layer.stage, 0) + 1
    return Situation(
        workload=workload,
        machine=replace(machine, cores=min(machine.cores, search_request.threads or machine.cores)),
        goal=search_request.goal,
        texts=texts,
        findings=explanation.findings,
        engines={
            each.name: each.install if each.missing else "" for each in engines.ENGINES if not each.capabilities.native
        },
        opted=search_request.opted,
        layers=max(layers.values(), default=0),
        draft=search_request.draft,
        tokens_a_call=tokens_a_call,
        busy_cores=busy_cores,
        head_share=head_share(before.graph),
    )


def keep_files(edits: Sequence[Edit], here: Path, there: Path) -> None:
    """Copy the files that go with `edits` from folder to folder. Raises `OutputError`."""
    try:
        for name in files_of(edits):
            shutil.copyfile(here / name, there / name)
    except OSError as exc:
        raise OutputError(
            m("{path} cannot be written.", path=str(there)),
            f"{exc.strerror or exc}.",
            m("Check the folder and its permissions."),
        ) from exc


def _best_so_far(found: Found) -> int:
    """The fastest row that ran, where there was no time to prove it."""
    ran = [k for k, row in enumerate(found.rows) if k and row.ratio is not None and row.ratio.high < 1.0]
    return max(ran, key=lambda k: found.rows[k].speed_up, default=0)


def _goal(name: str) -> Goal:
    try:
        return Goal(name)
    except ValueError:
        raise UsageError(m("The goal must be one of {known} (got {given}).", known=listed(Goal), given=name)) from None


def _check(
    budget: float,
    threads: int | None,
    max_drift: float,
    max_loss: float,
    strategies: Sequence[str],
    without: Sequence[str],
    texts: Sequence[str],
    labels: Sequence[str] | None,
) -> None:
    """Raise `UsageError` for what cannot be carried out, before anything is loaded."""
    if not budget >= LEAST_BUDGET_S:
        raise UsageError(
            m(
                "The budget must be at least {least} s (got {given}).",
                least=format(LEAST_BUDGET_S, "g"),
                given=format(budget, "g"),
            ),
            m("A smaller budget is too short to prepare and compare a single plan."),
            m("Give more time; minutes are usual."),
        )
    if threads is not None and threads < 1:
        raise UsageError(m("--threads must be at least 1 (got {given}).", given=threads))
    for name, value, what in (
        ("--max-drift", max_drift, m("It is a share: of generated tokens that differ, or 1 − the mean cosine.")),
        ("--max-loss", max_loss, m("It is the share of labelled texts that may be lost.")),
    ):
        if not 0 <= value <= 1:
            raise UsageError(
                m("{option} must be between 0 and 1 (got {given}).", option=name, given=format(value, "g")),
                what,
                m("Give a share such as 0.01; 0 allows none."),
            )
    if max_loss and labels is None:
        raise UsageError(
            m("--max-loss needs labels (got none)."),
            m("It limits the drop in accuracy on labelled texts."),
            m("Give --labels FILE."),
        )
    known = {strategy.name for strategy in STRATEGIES}
    for name in (*strategies, *without):
        if name not in known:
            raise UsageError(
                m("Unknown strategy {name}.", name=name),
                "",
                m("Known strategies: {known}.", known=listed(sorted(known))),
            )
    if labels is not None and len(labels) != len(texts):
        raise UsageError(
            m("Each text needs one label (got {labels} for {texts}).", labels=len(labels), texts=len(texts)),
            "",
            m("Give one label per text, in the same order."),
        )
