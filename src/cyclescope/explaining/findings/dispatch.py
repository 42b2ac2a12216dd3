"""Dispatch-bound: Python between operations, and operations too small for their work to count."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from cyclescope.explaining.findings.facts import TEXT_STAGES, Facts
from cyclescope.explaining.findings.finding import Evidence, EvidenceName, Finding, FindingCode, Location, Quantity

# From a quarter on the whole cycle could become a third faster without any work being done faster.
_LEAST = 0.25


def dispatch_bound(facts: Facts) -> Iterator[Finding]:
    """Found where both together take a quarter of the cycle. Native code between operations is neither. The gain at most is all of it: a compiled graph has neither.

    On a device it is the launches that tell (`launch_bound`).
    """
    if facts.device is not None:
        return
    slots, slot_ns, small = facts.graph.slots, facts.attribution.slot_ns, facts.small
    between = (slots.op < 0) & ~facts.in_text & ~facts.attribution.native
    overhead = between | (np.append(small, False)[slots.op] & (slots.op >= 0))
    share = facts.share(float(slot_ns[overhead].sum()))
    working = int(np.count_nonzero(slots.op >= 0) - np.count_nonzero(facts.in_text & (slots.op >= 0)))
    if share < _LEAST or not working:
        return
    python_ns, small_ns, count = float(slot_ns[between].sum()), facts.time_of(small), int(np.count_nonzero(small))
    evidence = [
        Evidence(EvidenceName.PYTHON, Quantity.SHARE, facts.share(python_ns)),
        Evidence(EvidenceName.MEAN_GAP, Quantity.TIME, python_ns / working),
    ]
    if count:
        evidence += [
            Evidence(EvidenceName.SMALL, Quantity.SHARE, facts.share(small_ns)),
            Evidence(EvidenceName.OPERATIONS, Quantity.COUNT, count),
            Evidence(EvidenceName.MEAN_TIME, Quantity.TIME, small_ns / count),
        ]
    yield Finding(FindingCode.DISPATCH_BOUND, share, share, tuple(evidence), Location(_heaviest_stage(facts)))


def _heaviest_stage(facts: Facts) -> str:
    """The stage with the most Python time; text is not a matter of dispatch."""
    rows = [row for row in facts.stages if row.name not in TEXT_STAGES]
    return max(rows, key=lambda row: row.python_ns).name
