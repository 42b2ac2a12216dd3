"""Noise: how large a difference must be here before it means anything."""

from __future__ import annotations

import math
from collections.abc import Iterator

from cyclescope.core.cycle import Source
from cyclescope.explaining.findings.facts import Facts
from cyclescope.explaining.findings.finding import Evidence, EvidenceName, Finding, FindingCode, Quantity

# Wider than the interval that the project holds itself to; where other work on the cores exceeds it (explaining.stability).
_WIDE, _OTHER_LOAD = 0.03, 0.10


def noise(facts: Facts) -> Iterator[Finding]:
    """Found where the interval of the median, an A/A comparison, or the load of others is wide. It has no share and no gain."""
    if facts.cycle.source is not Source.MEASURED or not facts.wall.n:
        return
    ceilings, busy = facts.cycle.machine.ceilings, facts.cycle.samples.load.other_busy
    usable = ceilings.usable_noise if ceilings is not None else None
    noises = (
        (EvidenceName.HALF_WIDTH, facts.wall.half_width if facts.wall.has_interval else 0.0, _WIDE),
        (EvidenceName.NO_DIFFERENCE, usable.value if usable is not None else 0.0, _WIDE),
        (EvidenceName.OTHER_LOAD, busy or 0.0, _OTHER_LOAD),
    )
    evidence = tuple(
        Evidence(name, Quantity.SHARE, value) for name, value, most in noises if value > most and math.isfinite(value)
    )
    if evidence:
        yield Finding(FindingCode.NOISE, 0.0, 0.0, evidence)
