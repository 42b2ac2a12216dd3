"""`calibrate --learn --engine ENGINE`: from a budget to the timing models of an engine that fuses, on this machine."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from cyclescope.backends.engines import engine_named
from cyclescope.backends.registry import keeping, machine_for
from cyclescope.calibrating.learning.engines.ablation import Ablation, ablated
from cyclescope.calibrating.learning.engines.design import VERSION as DESIGN
from cyclescope.calibrating.learning.engines.design import engine_cases
from cyclescope.calibrating.learning.engines.harvesting import Harvest, harvest, harvested, place_of_case
from cyclescope.calibrating.learning.engines.observing import SeenCycle, observed
from cyclescope.calibrating.learning.learn import LEAST_FAMILIES, ON, training_folder
from cyclescope.calibrating.learning.training import mean_apart
from cyclescope.core.ceilings import Ceilings
from cyclescope.core.clock import Clock, SystemClock
from cyclescope.core.errors import OutputError, UsageError
from cyclescope.core.message import Message, m
from cyclescope.core.progress import Notify, silent
from cyclescope.core.units import NS_PER_S
from cyclescope.core.version import __version__
from cyclescope.machines.fingerprint import fingerprint
from cyclescope.predicting.fitted import required_place
from cyclescope.predicting.fused.fitted import EngineCycle, FittedEngine, Refused, StoredEngine, keep
from cyclescope.predicting.fused.models import Seen
from cyclescope.predicting.timing_model import KeptOutErrors


@dataclass(frozen=True, slots=True)
class LearnedEngine:
    """Fitted models with their file; it has none where they could not be kept, and `failed` says why."""

    stored: StoredEngine
    failed: OutputError | None = None


def announced(engine: str, budget_s: float) -> Message:
    """What learning is going to do, said before it begins."""
    return m(
        "Learning {title}: {n} small models are made ready for it, and then measured for {budget} s.",
        title=engine_named(engine).title,
        n=len(engine_cases()),
        budget=format(budget_s, "g"),
    )


def learn_engine(
    engine: str,
    ceilings: Ceilings,
    budget_s: float,
    *,
    clock: Clock | None = None,
    progress: Notify = silent,
) -> LearnedEngine:
    """Make small models ready for `engine`, measure them for `budget_s` seconds, fit its timing models and keep them.

    What an interrupted learning has exported and measured is kept and not done again. After Ctrl-C, `KeyboardInterrupt`
    goes on up. Raises `UsageError` where the engine takes too few of the models, else like `open_session`.
    """
    engine_named(engine).require()
    now = fingerprint(machine_for(engine), engine)
    folder = training_folder(required_place(now, engine), DESIGN)
    folder.mkdir(parents=True, exist_ok=True)
    cases = engine_cases()
    missing = [case for case in cases if not place_of_case(folder, case).exists()]
    busy = None
    if missing:
        with keeping():
            budget_ns = int(budget_s * len(missing) / len(cases) * NS_PER_S)
            busy = harvest(missing, folder, engine, budget_ns, clock or SystemClock(), progress)
    taken = harvested(folder, cases)
    seen = observed(taken, folder, engine, ceilings, progress)
    fitted = fit_engine(engine, now, [kept for _, kept in taken], seen, ceilings, len(cases), progress)
    fitted = replace(fitted, other_busy=busy)
    try:
        kept_at = keep(fitted)
    except OutputError as error:
        return LearnedEngine(StoredEngine(None, fitted), error)
    shutil.rmtree(folder, ignore_errors=True)  # the next learning measures anew
    return LearnedEngine(StoredEngine(kept_at, fitted))


def fit_engine(
    engine: str,
    now: str,
    taken: Sequence[Harvest],
    seen: Sequence[SeenCycle],
    ceilings: Ceilings,
    planned: int,
    progress: Notify = silent,
) -> FittedEngine:
    """The timing models of `engine` fitted on `seen`, with their errors on families that were kept out."""
    families = dict.fromkeys(one.family for one in seen)
    refused = tuple(Refused(kept.name, kept.refused) for kept in taken if kept.refused)
    if len(families) < LEAST_FAMILIES:
        raise UsageError(
            m(
                "Learning {engine} needs models of at least {least} families (got {given}).",
                engine=engine,
                least=LEAST_FAMILIES,
                given=len(families),
            ),
            refused[0].why if refused else m("It was interrupted, or the budget was too small."),
            m(
                "Run `cyclescope calibrate --learn --engine {engine}` again: it goes on where it stopped.",
                engine=engine,
            ),
        )
    repeat = repeat_error(seen)
    threads = tuple(sorted({kept.threads for kept in taken if kept.timed}))
    dtypes = tuple(sorted({kept.dtype for kept in taken if kept.timed}))
    found = ablated(seen, Seen(threads, dtypes), progress)
    return FittedEngine(
        fingerprint=now,
        engine=engine,
        taken_at=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        version=__version__,
        design=DESIGN,
        ceilings=ceilings,
        analytic=replace(found.analytic, errors=_errors(found, found.analytic.name, engine, repeat)),
        learned=replace(found.learned, errors=_errors(found, found.learned.name, engine, repeat)),
        network=replace(found.network, errors=_errors(found, found.network.name, engine, repeat))
        if found.network
        else None,
        hybrid=replace(found.hybrid, errors=_errors(found, found.hybrid.name, engine, repeat))
        if found.hybrid
        else None,
        kinds=tuple(found.errors),
        cycles=tuple(
            EngineCycle(
                one.name, one.family, one.wall_ns, one.runs, tuple(float(each[i]) for each in found.errors.values())
            )
            for i, one in enumerate(seen)
        ),
        planned=planned,
        refused=refused,
        repeat_error=repeat,
    )


def _errors(found: Ablation, kind: str, engine: str, repeat: float | None) -> KeptOutErrors:
    source = f"cyclescope calibrate --learn --engine {engine}"
    return KeptOutErrors(tuple(float(off) for off in found.errors[kind]), (), ON, source, repeat)


def repeat_error(seen: Sequence[SeenCycle]) -> float | None:
    """Mean relative difference between the medians of the earlier and of the later runs of the same workload."""
    return mean_apart(one.repeat for one in seen)
