"""`cyclescope doctor`."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import typer

from cyclescope.cli.forms import Language
from cyclescope.cli.options import AsJson, LanguageOption
from cyclescope.core.errors import CyclescopeError

if TYPE_CHECKING:
    from cyclescope.core.ceilings import Figure

_TRIAL_NS = 2_000_000_000  # not by a name of `core.units`, which loads numpy: help must not wait for it
_LOOK_S = 0.5  # where nothing can be tried: long enough for the kernel's counters of load


def doctor(
    as_json: AsJson = False,
    lang: LanguageOption = Language.ENGLISH,
) -> None:
    """Say whether this machine can be trusted for measuring now, and what to do about it. Takes a few seconds."""
    from cyclescope.backends.engines import installed_companions, installed_engines
    from cyclescope.backends.registry import machine_for
    from cyclescope.cli.calibrate import kept_of
    from cyclescope.core.ceilings import Origin
    from cyclescope.core.plan import REFERENCE_ENGINE
    from cyclescope.machines.doctor import Calibrated, Facts, examine
    from cyclescope.machines.load import LoadMeter
    from cyclescope.machines.state import read_state
    from cyclescope.report.documents.doctor import doctor_document
    from cyclescope.report.documents.figures import dump
    from cyclescope.report.media.terminal import print_page
    from cyclescope.report.pages.doctor import doctor_page

    machine = machine_for()
    state = read_state(engines=installed_engines(), extras=installed_companions())
    meter = LoadMeter()
    noise = _noise()
    load = meter.read()
    found = kept_of(machine, REFERENCE_ENGINE)
    measured = found.ceilings if found.ceilings is not None and found.ceilings.origin is Origin.MEASURED else None
    calibrated = Calibrated(measured, found.freshness, len(found.broken))
    examination = examine(Facts(machine, state, load, calibrated, noise))
    if as_json:
        typer.echo(dump(doctor_document(examination)), nl=False)
    else:
        print_page(doctor_page(examination), language=lang.value)


def _noise() -> Figure | None:
    """The noise of a short trial; None where it cannot be made, which is a finding and no failure."""
    from cyclescope.calibrating.calibrate import noise_here
    from cyclescope.cli.progress import progress

    try:
        with progress() as notify:
            return noise_here(_TRIAL_NS, progress=notify)
    except CyclescopeError:
        time.sleep(_LOOK_S)
        return None
