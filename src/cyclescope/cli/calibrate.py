"""`cyclescope calibrate`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cyclescope.cli.forms import Language
from cyclescope.cli.options import AsJson, DeviceOption, LanguageOption
from cyclescope.core.errors import Interrupted, OutputError, UsageError
from cyclescope.core.plan import REFERENCE_ENGINE

if TYPE_CHECKING:
    from cyclescope.core.machine import Machine
    from cyclescope.report.pages.calibration import Calibration


def calibrate(
    quick: Annotated[
        bool, typer.Option("--quick", help="Seconds instead of a minute and a half, and coarser.")
    ] = False,
    device: DeviceOption = "cpu",
    threads: Annotated[
        str | None,
        typer.Option(help="Numbers of threads to probe, as 1,2,4; else powers of two and all.", show_default=False),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Keep it even where a quieter one of this machine is kept.")
    ] = False,
    show: Annotated[bool, typer.Option("--show", help="Tell what is kept, and whether it is fresh.")] = False,
    as_json: AsJson = False,
    lang: LanguageOption = Language.ENGLISH,
) -> None:
    """Measure what this machine reaches at best: matrix products, memory, the cost of a call, and its noise.

    The result is kept, and every cycle that is measured afterwards on the same machine carries it; but one that was taken
    in clearly more quiet stays unless --force is given. Ctrl-C keeps nothing.
    """
    counts = _counts(threads)
    failed: OutputError | None = None
    if show:
        found = kept_of(machine_of(device), REFERENCE_ENGINE)
    else:
        found, failed = _measure(quick, device, counts, force)
    _print(found, as_json, lang)
    if failed is not None:
        raise failed


def _measure(quick: bool, device: str, threads: tuple[int, ...], force: bool) -> tuple[Calibration, OutputError | None]:
    """Fresh ceilings. That they cannot be kept must not cost what was measured: it is shown first."""
    from cyclescope.calibrating.calibrate import calibrate as measure
    from cyclescope.cli.progress import progress
    from cyclescope.machines.load import LoadMeter
    from cyclescope.report.pages.calibration import Calibration
    from cyclescope.store.calibration_file import clearly_quieter, keep

    meter = LoadMeter()
    try:
        with progress() as notify:
            ceilings = measure(quick=quick, device=device, threads=threads, keep=False, progress=notify)
        load = meter.read()
        quieter = None if force else clearly_quieter(ceilings)
        path, failed = None if quieter else keep(ceilings), None
    except KeyboardInterrupt as exc:
        raise Interrupted("Interrupted.", "Nothing is kept of a calibration that did not end.") from exc
    except OutputError as error:
        path, failed = None, error
    return Calibration(
        ceilings.machine, ceilings, path, load=load, quieter=quieter.ceilings if quieter else None
    ), failed


def machine_of(device: str) -> Machine:
    """This machine as `measure` would name it; a framework is loaded only to ask a device for its name."""
    from cyclescope.backends.registry import machine_for, open_probes

    if device == "cpu":
        return machine_for()

    probes = open_probes(device)
    try:
        return probes.machine
    finally:
        probes.close()


def kept_of(machine: Machine, engine: str) -> Calibration:
    """What is kept of `machine`, else what its maker states."""
    from cyclescope.machines.catalog import find_machine
    from cyclescope.machines.fingerprint import freshness
    from cyclescope.report.pages.calibration import Calibration
    from cyclescope.store.calibration_file import nearest, shelf

    found = shelf(engine, machine.device)
    kept = nearest(found, machine, engine)
    if kept is None:
        return Calibration(machine.processor, find_machine(machine.processor), broken=found.broken)
    fresh = freshness(kept.ceilings, machine, engine)
    return Calibration(machine.processor, kept.ceilings, kept.path, fresh, broken=found.broken)


def _print(found: Calibration, as_json: bool, lang: Language) -> None:
    from cyclescope.report.documents.calibration import calibration_document
    from cyclescope.report.documents.figures import dump
    from cyclescope.report.media.terminal import print_page
    from cyclescope.report.pages.calibration import calibration_page

    if as_json:
        typer.echo(dump(calibration_document(found)), nl=False)
    else:
        print_page(calibration_page(found), language=lang.value)


def _counts(text: str | None) -> tuple[int, ...]:
    parts = [part.strip() for part in text.split(",")] if text is not None else []
    if not all(part.isascii() and part.isdigit() for part in parts):
        raise UsageError(
            f"--threads {text} is no list of numbers.", "", "Give whole numbers separated by commas: --threads 1,2,4."
        )
    return tuple(int(part) for part in parts)
