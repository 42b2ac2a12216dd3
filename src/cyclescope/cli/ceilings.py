"""The ceilings that are stored for a machine, as `calibrate --show` and `doctor` ask for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cyclescope.core.machine import Machine
    from cyclescope.report.pages.calibration import Calibration


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
    from cyclescope.backends.engines import engine_names
    from cyclescope.machines.catalog import find_machine
    from cyclescope.machines.fingerprint import fingerprint, freshness
    from cyclescope.predicting.fitted import nearest_models, staleness, stored_models
    from cyclescope.predicting.fused.fitted import stored_engine
    from cyclescope.report.pages.calibration import Calibration
    from cyclescope.store.calibration_file import nearest, stored_calibrations

    found = stored_calibrations(engine, machine.device)
    kept = nearest(found, machine, engine)
    if kept is None:
        return Calibration(machine.processor, find_machine(machine.processor), broken=found.broken)
    fresh = freshness(kept.ceilings, machine, engine)
    learned, unread = stored_models(engine)
    models = nearest_models(learned, kept.ceilings)
    of_engines = [stored_engine(each, kept.ceilings) for each in engine_names() if each != engine]
    return Calibration(
        machine.processor,
        kept.ceilings,
        kept.path,
        fresh,
        broken=found.broken,
        learned=models.models if models is not None else None,
        learned_path=models.path if models is not None else None,
        learned_stale=models is not None and staleness(models.models, kept.ceilings, fingerprint(machine, engine)),
        engines=tuple(stored for stored, _ in of_engines if stored is not None),
        unread=(*unread, *(error for _, errors in of_engines for error in errors)),
    )
