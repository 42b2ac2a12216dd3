"""`verify`: does a recipe still hold, on this machine, with what is installed on it?"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from cyclescope.backends.engines import engine_packages
from cyclescope.core.clock import Clock, SystemClock
from cyclescope.core.errors import UsageError
from cyclescope.core.machine import Machine
from cyclescope.core.message import Text, m
from cyclescope.core.progress import Notify
from cyclescope.core.ratios import LEAST_ROUNDS_FOR_VERDICT
from cyclescope.core.samples import Load
from cyclescope.core.statistics import Ratio
from cyclescope.core.units import NS_PER_S, Nanoseconds
from cyclescope.core.workload import Workload
from cyclescope.machines.load import LoadMeter
from cyclescope.optimizing.processes.process_pool import ProcessPool
from cyclescope.optimizing.processes.worker_group import PoolPreparer
from cyclescope.optimizing.recipes.recipe import MeasurementRecord, Recipe, load_recipe
from cyclescope.optimizing.recipes.recipe_job import files_beside, job_of, refuse_other_model
from cyclescope.optimizing.search.drift import Drift, drift
from cyclescope.optimizing.search.trial import InterleavedRuns

DEFAULT_BUDGET_S = 60.0
_READY_S = 900.0  # loading and compiling included
_THRESHOLD = 0.01  # as when it was proved


class RecipeStatus(StrEnum):
    """Whether a recipe holds here."""

    HOLDS = "holds"  # the whole interval says faster, and the outputs keep to the recipe's limit
    FAILS = "no longer holds"  # the whole interval says not faster, or the outputs are too far away
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True, slots=True)
class ContextDifference:
    """What is not as it was where the recipe was proved: work, machine, packages. An empty side is unknown or absent."""

    what: str
    then: str
    now: str


@dataclass(frozen=True, slots=True)
class Verification:
    """`ratio` is the time of the recipe's plan ÷ that of its baseline here, with a 99 % interval from `rounds`
    interleaved rounds; `before_ns` and `after_ns` are their median times. `partial`: interrupted. `load` is what else the machine did in
    these rounds.
    """

    recipe: Recipe
    ratio: Ratio
    rounds: int
    drift: Drift
    before_ns: float
    after_ns: float
    workload: Workload
    machine: Machine
    differences: tuple[ContextDifference, ...]
    notes: tuple[Text, ...] = ()
    partial: bool = False
    load: Load = field(default_factory=Load)

    @property
    def drifted(self) -> bool:
        """Whether the outputs are farther from the baseline's than the recipe allowed."""
        return not self.drift.within(self.recipe.proof.max_drift)

    @property
    def brings_less(self) -> bool:
        """Whether it is surely less of a gain here than where it was proved: the whole interval lies below that one."""
        promised = self.recipe.proof.low
        return self.rounds >= LEAST_ROUNDS_FOR_VERDICT and promised > 0 and self.ratio.low > 1 / promised

    @property
    def status(self) -> RecipeStatus:
        """What outputs and interval allow to say; of the time nothing before there are rounds enough."""
        if self.drifted:
            return RecipeStatus.FAILS
        least = 1 / (1 + _THRESHOLD)
        if self.rounds >= LEAST_ROUNDS_FOR_VERDICT and self.ratio.high < least:
            return RecipeStatus.HOLDS
        return (
            RecipeStatus.FAILS
            if self.rounds >= LEAST_ROUNDS_FOR_VERDICT and self.ratio.low > least
            else RecipeStatus.INCONCLUSIVE
        )


def verify(
    recipe: Recipe | str | os.PathLike[str],
    text: str | Sequence[str] | None = None,
    *,
    model: str | None = None,
    tokens: int | None = None,
    batch: int | None = None,
    budget: float = DEFAULT_BUDGET_S,
    progress: Notify = lambda phase, done: None,
) -> Verification:
    """Run `recipe`'s plan (or that of the recipe in this file) interleaved with its baseline, here, for `budget` seconds.

    On these texts, or `tokens` made-up ones, or made-up ones of the shape that it was proved on. `model` is a folder or
    name in place of the recipe's. Loading is not counted, and six rounds are run however long they take. Interrupted by
    Ctrl-C after that it gives what there is, marked partial. Raises like `measure`; `Unsupported` or `MissingExtra`
    where the plan cannot be made real here.
    """
    found = recipe if isinstance(recipe, Recipe) else load_recipe(recipe)
    texts = (text,) if isinstance(text, str) else tuple(text or ())
    if not budget > 0:
        raise UsageError(
            m("The budget must be above 0 s (got {given}).", given=format(budget, "g")),
            "",
            m("Give seconds, such as 60."),
        )
    if texts and tokens is not None:
        raise UsageError(m("Texts and a number of tokens exclude each other."), "", m("Give one of them."))
    job = replace(job_of(found, model, texts, tokens, batch), files=files_beside(found, recipe))
    progress("load", 0.0)
    with ProcessPool(job) as pool:
        baseline = PoolPreparer(pool).group(found.baseline, _READY_S)
        opened = baseline.opened
        refuse_other_model(found, opened.workload)
        progress("ready", 0.0)
        plan = PoolPreparer(pool, replace(pool.job, edits=found.edits)).group(found.plan, _READY_S)
        moved = drift(baseline.results(), plan.results())
        interleaved = InterleavedRuns([baseline, plan])
        meter = LoadMeter(with_children=True)
        partial = _take(interleaved, int(budget * NS_PER_S), SystemClock(), progress)
        load = meter.read()
        notes = tuple(dict.fromkeys((*opened.notes, *plan.opened.notes)))
    machine = replace(opened.machine, packages=opened.machine.packages + engine_packages(found.plan.engine))
    return Verification(
        found,
        interleaved.ratio(1, 0),
        interleaved.rounds,
        moved,
        interleaved.wall_ns(0),
        interleaved.wall_ns(1),
        opened.workload,
        machine,
        (*_other_work(found, opened.workload), *differences(found.proof, machine)),
        notes,
        partial,
        load,
    )


def _take(interleaved: InterleavedRuns, budget_ns: Nanoseconds, clock: Clock, progress: Notify) -> bool:
    """Rounds until the budget is spent, and no fewer than a verdict needs; whether it was interrupted after two."""
    begin = clock.now_ns()
    try:
        while interleaved.rounds < LEAST_ROUNDS_FOR_VERDICT or clock.now_ns() - begin < budget_ns:
            interleaved.round()
            progress("verify", min(1.0, (clock.now_ns() - begin) / budget_ns))
    except KeyboardInterrupt:
        if interleaved.rounds < 2:
            raise
        return True
    return False


def _other_work(recipe: Recipe, workload: Workload) -> tuple[ContextDifference, ...]:
    """That the recipe was proved on other texts than these, judged by their number and the length of the longest."""
    then, now = (
        f"{texts} × {tokens}"
        for texts, tokens in ((recipe.work.batch, recipe.work.tokens_in), (workload.batch, workload.tokens_in))
    )
    return (ContextDifference("work", then, now),) if then != now else ()


def differences(proof: MeasurementRecord, machine: Machine) -> tuple[ContextDifference, ...]:
    """What of processor, cores and packages is not as it was."""
    pairs = [("processor", proof.processor, machine.processor), ("cores", str(proof.cores), str(machine.cores))]
    then = dict(_package(text) for text in proof.packages)
    now = dict(machine.packages)
    pairs += [(name, then.get(name, ""), now.get(name, "")) for name in {**then, **now}]
    return tuple(ContextDifference(what, a, b) for what, a, b in pairs if a != b)


def _package(text: str) -> tuple[str, str]:
    name, _, version = text.partition(" ")
    return name, version
