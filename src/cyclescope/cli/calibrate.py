"""`cyclescope calibrate`."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from cyclescope.cli.ceilings import kept_of, machine_of
from cyclescope.cli.deliver import Forms, Result, deliver, notify
from cyclescope.cli.files import require_places
from cyclescope.cli.options import ENGINE, DeviceOption, budget_option, known_engine, optional
from cyclescope.core.errors import Interrupted, OutputError, UsageError
from cyclescope.core.message import N_, m
from cyclescope.core.plan import REFERENCE_ENGINE

if TYPE_CHECKING:
    from cyclescope.report.page import Page
    from cyclescope.report.pages.calibration import Calibration


def calibrate(
    *,
    quick: Annotated[
        bool, typer.Option("--quick", help=N_("Use coarser probes: less than fifteen seconds instead of 90"))
    ] = False,
    device: DeviceOption = "cpu",
    threads: Annotated[
        str | None, optional(N_("Thread counts to probe, such as 1,2,4 (default: powers of two, and all cores)"))
    ] = None,
    force: Annotated[
        bool,
        typer.Option("--force", help=N_("Replace the stored calibration even if it was taken on a quieter machine")),
    ] = False,
    show: Annotated[
        bool, typer.Option("--show", help=N_("Show the stored calibration and whether it is stale"))
    ] = False,
    learns: Annotated[
        bool, typer.Option("--learn", help=N_("Measure small models and fit the timing models of predict"))
    ] = False,
    engine: Annotated[
        str, typer.Option(ENGINE, parser=known_engine, metavar="ENGINE", help=N_("Engine that --learn is about"))
    ] = REFERENCE_ENGINE,
    budget: Annotated[
        float | None, budget_option(N_("Measuring time of --learn after loading, such as 60s or 3m (default: 60s)"))
    ] = None,
    ray: Annotated[
        str | None,
        typer.Option(
            "--ray", metavar="ADDRESS", help=N_("Learn on all machines of the Ray cluster at this address, or auto")
        ),
    ] = None,
    forms: Forms,
) -> None:
    """Measure the ceilings of this machine, learn its timing models, or show what is stored."""
    counts = _counts(threads)
    _check(learns=learns, show=show, budget=budget, device=device, engine=engine, ray=ray)
    require_places(forms.files)
    if ray is not None:
        _learn_on_cluster(ray, quick, counts, budget, forms)
        return
    failed: OutputError | None = None
    if show:
        found = kept_of(machine_of(device), REFERENCE_ENGINE)
    elif learns:
        found, failed = _learn(engine, quick, device, counts, force, budget, forms.language)
    else:
        found, failed = _measure(quick, device, counts, force, forms.language)

    def page() -> Page:
        from cyclescope.report.pages.calibration import calibration_page

        return calibration_page(found)

    def document() -> str:
        from cyclescope.report.documents.calibration import calibration_document
        from cyclescope.report.documents.figures import dump

        return dump(calibration_document(found))

    deliver(Result(page, document), forms)
    if failed is not None:
        raise failed


def _measure(
    quick: bool, device: str, threads: tuple[int, ...], force: bool, language: str
) -> tuple[Calibration, OutputError | None]:
    """Fresh ceilings. That they cannot be kept must not cost what was measured: it is shown first."""
    from cyclescope.calibrating.calibrate import calibrate as measure
    from cyclescope.cli.progress import progress
    from cyclescope.machines.load import LoadMeter
    from cyclescope.report.pages.calibration import Calibration
    from cyclescope.store.calibration_file import clearly_quieter, keep

    meter = LoadMeter()
    try:
        with progress(language) as shown:
            ceilings = measure(quick=quick, device=device, threads=threads, keep=False, progress=shown)
        load = meter.read()
        quieter = None if force else clearly_quieter(ceilings)
        path, failed = None if quieter else keep(ceilings), None
    except KeyboardInterrupt as exc:
        raise Interrupted(m("Interrupted."), m("An incomplete calibration is not stored.")) from exc
    except OutputError as error:
        path, failed = None, error
    return Calibration(
        ceilings.machine, ceilings, path, load=load, quieter=quieter.ceilings if quieter else None
    ), failed


def _check(*, learns: bool, show: bool, budget: float | None, device: str, engine: str, ray: str | None) -> None:
    """Raise `UsageError` for options that contradict each other."""
    if engine != REFERENCE_ENGINE and not learns:
        raise UsageError(
            m("--engine goes with --learn."),
            m("Ceilings are those of the machine, and are measured with {engine}.", engine=REFERENCE_ENGINE),
            m("Add --learn."),
        )
    if engine != REFERENCE_ENGINE and ray is not None:
        raise UsageError(
            m("--ray takes no --engine (got {engine}).", engine=engine),
            m("A cluster learns {engine} only.", engine=REFERENCE_ENGINE),
            m("Learn {engine} on each machine by itself.", engine=engine),
        )
    if ray is not None and not learns:
        raise UsageError(
            m("--ray goes with --learn."),
            m("Ceilings are measured on this machine, or by learning on those of the cluster."),
            m("Add --learn."),
        )
    if learns and show:
        raise UsageError(
            m("Only one of --learn and --show can be given."),
            m("One measures, the other only reads."),
            m("Give only one."),
        )
    if budget is not None and not learns:
        raise UsageError(
            m("--budget goes with --learn."),
            m("The ceilings take 90 seconds, or seconds with --quick."),
            m("Add --learn."),
        )
    if learns and device != "cpu":
        raise UsageError(
            m("--learn runs on the CPU (got --device {device}).", device=device),
            m("On a device the host only launches the operations, so that their times say little."),
            m("Leave out --device."),
        )


def _learn(
    engine: str,
    quick: bool,
    device: str,
    threads: tuple[int, ...],
    force: bool,
    budget: float | None,
    language: str,
) -> tuple[Calibration, OutputError | None]:
    """Timing models fitted under the stored ceilings; these are measured first where there are no fresh ones."""
    from cyclescope.backends.engines import engine_named
    from cyclescope.calibrating.learning.engines.learn import announced, learn_engine
    from cyclescope.calibrating.learning.learn import DEFAULT_BUDGET_S, check_budget, learn
    from cyclescope.cli.progress import progress

    engine_named(engine).require()
    wanted = DEFAULT_BUDGET_S if budget is None else budget
    check_budget(wanted)
    found = kept_of(machine_of(device), REFERENCE_ENGINE)
    failed: OutputError | None = None
    if found.path is None or found.freshness is None or not found.freshness.fresh:
        found, failed = _measure(quick, device, threads, force, language)
        if found.quieter is not None:
            found = kept_of(machine_of(device), REFERENCE_ENGINE)
    assert found.ceilings is not None
    try:
        if engine != REFERENCE_ENGINE:
            notify(announced(engine, wanted), language)
            with progress(language) as shown:
                of_engine = learn_engine(engine, found.ceilings, wanted, progress=shown)
            return replace(found, engines=(of_engine.stored,)), failed or of_engine.failed
        with progress(language) as shown:
            learned = learn(found.ceilings, wanted, progress=shown)
    except KeyboardInterrupt as exc:
        command = "cyclescope calibrate --learn" + (f" --engine {engine}" if engine != REFERENCE_ENGINE else "")
        kept = m("What was measured is kept: the next `{command}` goes on there.", command=command)
        if engine != REFERENCE_ENGINE:
            kept = m(
                "Models that were made ready and times that were measured are kept: the next `{command}` goes on there.",
                command=command,
            )
        raise Interrupted(m("Interrupted."), kept) from exc
    return replace(found, learned=learned.models, learned_path=learned.path), failed or learned.failed


def _learn_on_cluster(address: str, quick: bool, threads: tuple[int, ...], budget: float | None, forms: Forms) -> None:
    """Timing models of every kind of machine in a Ray cluster: shown, then what is missing is raised."""
    from cyclescope.calibrating.learning.cluster.learn import learn_on
    from cyclescope.calibrating.learning.cluster.on_ray import RayPool
    from cyclescope.calibrating.learning.learn import DEFAULT_BUDGET_S, check_budget
    from cyclescope.cli.progress import progress

    wanted = DEFAULT_BUDGET_S if budget is None else budget
    check_budget(wanted)
    try:
        with RayPool(address) as pool, progress(forms.language) as shown:
            found = learn_on(pool, wanted, quick=quick, threads=threads, progress=shown)
    except KeyboardInterrupt as exc:
        raise Interrupted(
            m("Interrupted."), m("What was measured is kept: the next `cyclescope calibrate --learn` goes on there.")
        ) from exc

    def page() -> Page:
        from cyclescope.report.pages.cluster_learning import cluster_learning_page

        return cluster_learning_page(found)

    def document() -> str:
        from cyclescope.report.documents.cluster_learning import cluster_learning_document
        from cyclescope.report.documents.figures import dump

        return dump(cluster_learning_document(found))

    deliver(Result(page, document), forms)
    for failed in (*(kind.failed for kind in found.kinds), found.unfinished()):
        if failed is not None:
            raise failed


def _counts(text: str | None) -> tuple[int, ...]:
    parts = [part.strip() for part in text.split(",")] if text is not None else []
    if not all(part.isascii() and part.isdigit() for part in parts):
        raise UsageError(
            m("--threads must be a list of whole numbers (got {text}).", text=str(text)),
            "",
            m("Separate the numbers by commas: --threads 1,2,4."),
        )
    return tuple(int(part) for part in parts)
