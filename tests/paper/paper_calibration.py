"""A calibration on paper as `calibrate` tells it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from paper_ceilings import TAKEN, ceilings_of

from cyclescope.backends.paper import PAPER_MACHINE
from cyclescope.machines.fingerprint import freshness
from cyclescope.report.pages.calibration import Calibration

MACHINE = replace(PAPER_MACHINE, packages=(("torch", "2.13.0"),))
CEILINGS = ceilings_of(MACHINE)
NOW = datetime.fromisoformat(TAKEN) + timedelta(days=1)


def told(**changes: object) -> Calibration:
    kept = Calibration(
        MACHINE.processor, CEILINGS, Path("/kept/torch.json"), freshness(CEILINGS, MACHINE, "torch", NOW)
    )
    return replace(kept, **changes)  # type: ignore[arg-type]
