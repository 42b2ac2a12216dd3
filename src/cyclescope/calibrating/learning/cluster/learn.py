"""`calibrate --learn --ray`: timing models of every kind of machine in a cluster, each measured by all machines of its kind."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from cyclescope.calibrating.learning.cluster.coordinator import Coordinator
from cyclescope.calibrating.learning.cluster.kinds import Kind, MachineShare
from cyclescope.calibrating.learning.cluster.messages import Calibrate, Described, Failed
from cyclescope.calibrating.learning.cluster.pool import Pool
from cyclescope.calibrating.learning.design import VERSION as DESIGN
from cyclescope.calibrating.learning.design import TrainingCase, training_cases
from cyclescope.calibrating.learning.harvesting import SUFFIX
from cyclescope.calibrating.learning.learn import DEFAULT_BUDGET_S, check_budget, fit
from cyclescope.core.cycle import Cycle
from cyclescope.core.errors import EngineError, OutputError, UsageError
from cyclescope.core.message import Text, listed, m, sentences
from cyclescope.core.plan import REFERENCE_ENGINE
from cyclescope.core.progress import Notify, silent, tell
from cyclescope.core.version import __version__
from cyclescope.predicting.fitted import FittedModels, keep

_LOOK_S = 1.0  # so often progress is told while nothing comes


@dataclass(frozen=True, slots=True)
class LearnedKind:
    """What was learned of one kind of machine. `models` is None where too little was measured, which `why` says; `path` is None
    where they could not be kept (`failed`). `missing` are workloads that nobody measured, `left_out` those that fail everywhere.
    """

    fingerprint: str
    machines: tuple[MachineShare, ...]
    planned: int
    models: FittedModels | None = None
    path: Path | None = None
    why: Text = ""
    failed: OutputError | None = None
    missing: tuple[str, ...] = ()
    left_out: tuple[tuple[str, Text], ...] = ()

    @property
    def measured(self) -> int:
        return sum(machine.workloads for machine in self.machines)


@dataclass(frozen=True, slots=True)
class ClusterLearning:
    """All kinds of machines of a cluster, those of which nothing could be asked with the reason, and what was taken apart."""

    kinds: tuple[LearnedKind, ...]
    unable: tuple[tuple[str, Text], ...]
    apart: tuple[Text, ...]

    def unfinished(self) -> EngineError | None:
        """What is to be raised after the result was shown, where something is missing."""
        if all(kind.models is not None and not kind.missing for kind in self.kinds):
            return None
        return EngineError(
            m(
                "Learning is not complete: {measured} of {planned} workloads were measured.",
                measured=sum(kind.measured for kind in self.kinds),
                planned=sum(kind.planned for kind in self.kinds),
            ),
            m("Machines were lost, and no other of their kind is left."),
            m("Run the same command again when they are back: it goes on where it stopped."),
        )


def learn_on(
    pool: Pool,
    budget_s: float = DEFAULT_BUDGET_S,
    *,
    engine: str = REFERENCE_ENGINE,
    quick: bool = False,
    threads: Sequence[int] = (),
    progress: Notify = silent,
) -> ClusterLearning:
    """Measure the design on every kind of machine in `pool` and fit its timing models, which are kept on this machine.

    `budget_s` is the measuring time for a kind, all of its machines together. What was measured is kept as it comes: after
    Ctrl-C, or where no machine of a kind is left, the next learning goes on there. Raises `UsageError` where no machine
    can help.
    """
    check_budget(budget_s)
    progress("load", 0.0)
    cases = training_cases()
    described, unable = _able(pool.describe(engine))
    if not described:
        reasons = listed(sentences(f"{name}:", why) for name, why in unable)
        raise UsageError(
            m("No machine of the cluster can measure."),
            reasons,
            m("Start Ray on machines with free processors, with the same cyclescope {version}.", version=__version__),
        )
    coordinator = Coordinator(pool, cases, budget_s, described, Calibrate(engine, quick, tuple(threads)))
    coordinator.begin()
    while coordinator.busy:
        tell(progress, "measure", coordinator.done, now=coordinator.now())
        event = pool.next(_LOOK_S)
        if event is not None:
            coordinator.take(event)
    tell(progress, "fit", 0.0)  # nothing measures any more
    kinds = [_fitted(kind, engine, cases) for kind in coordinator.kinds]
    tell(progress, "done", 1.0)
    return ClusterLearning(tuple(kinds), (*unable, *coordinator.unable.items()), tuple(coordinator.apart))


def _able(described: Mapping[str, Described | Failed]) -> tuple[dict[str, str], list[tuple[str, Text]]]:
    """Machines that can help with their fingerprints, and the others with the reason."""
    able: dict[str, str] = {}
    unable: list[tuple[str, Text]] = []
    for name, said in described.items():
        if isinstance(said, Failed):
            unable.append((name, sentences(said.fact, said.cause)))
        elif (said.version, said.design) != (__version__, DESIGN):
            text = m("cyclescope {theirs} is installed there, {ours} here.", theirs=said.version, ours=__version__)
            unable.append((name, text))
        else:
            able[name] = said.fingerprint
    return able, unable


def _fitted(kind: Kind, engine: str, cases: Sequence[TrainingCase]) -> LearnedKind:
    """Fit what was measured of `kind`, and keep it; the rows go once it is whole."""
    taken: list[tuple[TrainingCase, Cycle]] = []
    for case in cases:
        cycle = kind.rows.cycle(kind.taken[case.name], case.name) if case.name in kind.taken else None
        if cycle is not None:
            taken.append((case, cycle))
    missing = tuple(case.name for case in cases if case.name not in kind.taken and case.name not in kind.queue.left_out)
    found = LearnedKind(
        kind.fingerprint,
        kind.shares(),
        len(cases),
        missing=missing,
        left_out=tuple(kind.queue.left_out.items()),
    )
    try:
        models = fit(taken, kind.reference, len(cases))
    except UsageError as error:
        return replace(found, why=sentences(error.fact, error.cause))
    names = tuple(machine.name for machine in found.machines if machine.workloads)
    models = replace(models, fingerprint=kind.fingerprint, engine=engine, machines=names)
    try:
        path = keep(models, kind.apart)
    except OutputError as error:
        return replace(found, models=models, failed=error)
    if not missing:
        _finish(kind)
    return replace(found, models=models, path=path)


def _finish(kind: Kind) -> None:
    """Take away the rows of a fit that is kept: the next learning measures anew."""
    for machine in kind.members:
        place = kind.rows.place(machine)
        if place != kind.rows.folder:
            shutil.rmtree(place, ignore_errors=True)
            continue
        for path in place.glob(f"*{SUFFIX}"):
            path.unlink(missing_ok=True)
        shutil.rmtree(place / "models", ignore_errors=True)
    if not any(kind.rows.folder.glob("*")):
        shutil.rmtree(kind.rows.folder, ignore_errors=True)
