"""`cyclescope doctor`."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from cyclescope.cli.ceilings import kept_of
from cyclescope.cli.deliver import Forms, Result, deliver
from cyclescope.cli.files import require_places
from cyclescope.core.errors import CyclescopeError

if TYPE_CHECKING:
    from cyclescope.core.ceilings import Figure
    from cyclescope.machines.doctor import Learning
    from cyclescope.report.page import Page
    from cyclescope.report.pages.calibration import Calibration

_TRIAL_NS = 2_000_000_000  # not by a name of `core.units`, which loads numpy: help must not wait for it
_LOOK_S = 0.5  # where nothing can be tried: long enough for the kernel's counters of load


def doctor(*, forms: Forms) -> None:
    """Check whether this machine is fit for measuring now."""
    require_places(forms.files)
    from cyclescope.backends.engines import installed_companions, installed_engines
    from cyclescope.backends.registry import machine_for
    from cyclescope.core.ceilings import Origin
    from cyclescope.core.plan import REFERENCE_ENGINE
    from cyclescope.machines.doctor import Calibrated, MachineFacts, examine
    from cyclescope.machines.load import LoadMeter
    from cyclescope.machines.state import read_state

    machine = machine_for()
    state = read_state(engines=installed_engines(), extras=installed_companions())
    meter = LoadMeter()
    noise = _noise(forms.language)
    load = meter.read()
    kept = kept_of(machine, REFERENCE_ENGINE)
    measured = kept.ceilings if kept.ceilings is not None and kept.ceilings.origin is Origin.MEASURED else None
    calibrated = Calibrated(measured, kept.freshness, len(kept.broken), _learning(kept))
    examination = examine(MachineFacts(machine, state, load, calibrated, noise))

    def page() -> Page:
        from cyclescope.report.pages.doctor import doctor_page

        return doctor_page(examination)

    def document() -> str:
        from cyclescope.report.documents.doctor import doctor_document
        from cyclescope.report.documents.figures import dump

        return dump(doctor_document(examination))

    deliver(Result(page, document), forms)


def _learning(kept: Calibration) -> Learning | None:
    from cyclescope.machines.doctor import Learning

    if kept.learned is not None:
        return Learning.STALE if kept.learned_stale else Learning.FRESH
    return Learning.BROKEN if kept.unread else None


def _noise(language: str) -> Figure | None:
    """The noise of a short trial; None where it cannot be made, which is a finding and no failure."""
    from cyclescope.calibrating.calibrate import noise_here
    from cyclescope.cli.progress import progress

    try:
        with progress(language) as notify:
            return noise_here(_TRIAL_NS, progress=notify)
    except CyclescopeError:
        time.sleep(_LOOK_S)
        return None
