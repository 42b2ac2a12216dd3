"""First call: what the first cycle cost more than the ones after it."""

from __future__ import annotations

from collections.abc import Iterator

from cyclescope.explaining.findings.facts import Facts
from cyclescope.explaining.findings.finding import Evidence, EvidenceName, Finding, FindingCode, Quantity

# Twice: no repeat of a steady cycle on a machine at rest takes that long.
_LEAST = 2.0


def first_call(facts: Facts) -> Iterator[Finding]:
    """Found where the first cycle took twice the median. No part of the steady cycle, so its share is 0."""
    first = facts.cycle.samples.set_up.first_cycle_ns
    if first is None or not facts.wall.value_ns or first < _LEAST * facts.wall.value_ns:
        return
    evidence = (
        Evidence(EvidenceName.FIRST, Quantity.TIME, first),
        Evidence(EvidenceName.STEADY, Quantity.TIME, facts.wall.value_ns),
        Evidence(EvidenceName.TIMES_STEADY, Quantity.RATIO, first / facts.wall.value_ns),
    )
    yield Finding(FindingCode.FIRST_CALL, 0.0, 0.0, evidence)
