"""`calibrate --learn`: from a budget to fitted timing models, on this machine."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from cyclescope.backends.registry import keeping, machine_for
from cyclescope.calibrating.learning.design import VERSION as DESIGN
from cyclescope.calibrating.learning.design import TrainingCase, training_cases
from cyclescope.calibrating.learning.fitting import fit_model, kept_out
from cyclescope.calibrating.learning.harvesting import SUFFIX, harvest
from cyclescope.calibrating.learning.training import Observed, halves_apart, mean_apart, observed, roofline_ns
from cyclescope.core.ceilings import Ceilings
from cyclescope.core.clock import Clock, SystemClock
from cyclescope.core.cycle import Cycle
from cyclescope.core.errors import CyclescopeError, OutputError, UsageError
from cyclescope.core.message import m
from cyclescope.core.plan import REFERENCE_ENGINE
from cyclescope.core.progress import Notify, silent
from cyclescope.core.units import NS_PER_S
from cyclescope.core.version import __version__
from cyclescope.machines.fingerprint import fingerprint
from cyclescope.predicting.fitted import FittedModels, LearnedCase, keep, required_place
from cyclescope.predicting.learned import HYBRID, LEARNED
from cyclescope.store.run_file import load

DEFAULT_BUDGET_S = 60.0
LEAST_BUDGET_S, MOST_BUDGET_S = 5.0, 24 * 3600.0
LEAST_FAMILIES = 3  # of fewer none can be kept out and leave something to learn from
ON = m("families of models that were kept out")


@dataclass(frozen=True, slots=True)
class Learned:
    """Fitted models and their file; `path` is None where they could not be kept, and `failed` says why."""

    models: FittedModels
    path: Path | None
    failed: OutputError | None = None


def learn(
    ceilings: Ceilings, budget_s: float = DEFAULT_BUDGET_S, *, clock: Clock | None = None, progress: Notify = silent
) -> Learned:
    """Measure small whole models for `budget_s` seconds (loading apart), fit both timing models and keep them.

    What an interrupted learning has measured is kept and is not measured again. After Ctrl-C, `KeyboardInterrupt` goes on up.
    Raises `UsageError` for a budget that is too small, else like `measure`.
    """
    check_budget(budget_s)
    engine = ceilings.engine or REFERENCE_ENGINE
    folder = training_folder(required_place(ceilings.fingerprint, engine))
    cases = training_cases()
    missing = [case for case in cases if not (folder / f"{case.name}{SUFFIX}").exists()]
    if missing:
        folder.mkdir(parents=True, exist_ok=True)
        with keeping():
            share = len(missing) / len(cases)
            harvest(missing, folder, int(budget_s * share * NS_PER_S), clock or SystemClock(), progress)
    progress("fit", 0.0)
    models = fit(measured(folder, cases), ceilings, len(cases))
    try:
        kept = keep(models)
    except OutputError as error:
        return Learned(models, None, error)
    _finish(folder)
    return Learned(models, kept)


def check_budget(budget_s: float) -> None:
    """Raise `UsageError` for a budget that learning cannot keep or nobody can mean."""
    if not LEAST_BUDGET_S <= budget_s <= MOST_BUDGET_S:
        raise UsageError(
            m(
                "--budget must be from {least} s to {most} s (got {given} s).",
                least=format(LEAST_BUDGET_S, "g"),
                most=format(MOST_BUDGET_S, "g"),
                given=format(budget_s, "g"),
            ),
            m("Fewer seconds do not fit a run of every workload."),
            m("Give 60s, or more on a busy machine."),
        )


def training_folder(path: Path, design: int = DESIGN) -> Path:
    """Where what was measured of the version `design` of a design stands until the models fitted on it are kept in `path`."""
    return path.with_suffix(f".training-{design}")


def measured(folder: Path, cases: Sequence[TrainingCase]) -> list[tuple[TrainingCase, Cycle]]:
    """The cycles of `cases` in `folder`; what cannot be read was not measured."""
    found = []
    for case in cases:
        try:
            found.append((case, load(folder / f"{case.name}{SUFFIX}")))
        except CyclescopeError:
            continue
    return found


def fit(taken: Sequence[tuple[TrainingCase, Cycle]], ceilings: Ceilings, planned: int) -> FittedModels:
    """Both timing models fitted on what was `taken`, with their errors on families that were kept out."""
    seen = [observed(case.name, case.family, cycle, ceilings) for case, cycle in taken]
    if len({one.family for one in seen}) < LEAST_FAMILIES:
        raise UsageError(
            m(
                "Learning needs workloads of at least {least} families (got {given}).",
                least=LEAST_FAMILIES,
                given=len({one.family for one in seen}),
            ),
            m("It was interrupted, or the budget was too small."),
            m("Run `cyclescope calibrate --learn` again: it goes on where it stopped."),
        )
    repeat = repeat_error([cycle for _, cycle in taken])
    made = {}
    for name in (LEARNED, HYBRID):
        whole = fit_model(seen, ceilings, name)
        made[name] = kept_out(seen, ceilings, whole, ON, "cyclescope calibrate --learn", repeat)
    busy = [cycle.samples.load.other_busy for _, cycle in taken if cycle.samples.load.other_busy is not None]
    machine = machine_for(ceilings.engine or REFERENCE_ENGINE)
    return FittedModels(
        fingerprint=ceilings.fingerprint or fingerprint(machine, ceilings.engine),
        engine=ceilings.engine or REFERENCE_ENGINE,
        taken_at=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        version=__version__,
        design=DESIGN,
        ceilings=ceilings,
        learned=made[LEARNED],
        hybrid=made[HYBRID],
        cases=tuple(_case(one, i, taken[i][1], ceilings, made[LEARNED], made[HYBRID]) for i, one in enumerate(seen)),
        planned=planned,
        repeat_error=repeat,
        other_busy=max(busy, default=None),
    )


def _case(one: Observed, place: int, cycle: Cycle, ceilings: Ceilings, learned: object, hybrid: object) -> LearnedCase:
    errors = [model.errors.cycles[place] for model in (learned, hybrid)]  # type: ignore[attr-defined]
    return LearnedCase(
        one.name,
        one.family,
        one.wall_ns,
        len(cycle.samples.uninstrumented) + len(cycle.samples.instrumented),
        float(np.log(one.wall_ns / roofline_ns(cycle.graph, ceilings, cycle.plan.threads))),
        *errors,
    )


def repeat_error(cycles: Sequence[Cycle]) -> float | None:
    """Mean relative difference between the medians of the earlier and of the later uninstrumented runs of the same workload.

    Rounds go through all workloads, so that the two halves lie apart in time. None where nothing was run twice.
    """
    runs = (cycle.samples.uninstrumented for cycle in cycles)
    return mean_apart(halves_apart(each.wall_ns[np.argsort(each.started_ns)]) for each in runs)


def _finish(folder: Path) -> None:
    """Take away the training data of a fit that is kept: the next learning measures anew."""
    shutil.rmtree(folder, ignore_errors=True)
