"""Launch-bound: the device waits for the host to launch its work."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from cyclescope.core.graph.op import OpKind
from cyclescope.explaining.findings.facts import TEXT_STAGES, Facts
from cyclescope.explaining.findings.finding import Evidence, EvidenceName, Finding, FindingCode, Location, Quantity

# As for dispatch: from a quarter on the whole cycle could become a third faster without any work being done faster.
_LEAST = 0.25


def launch_bound(facts: Facts) -> Iterator[Finding]:
    """Found where a device waits for launches for a quarter of its line of time, stages of text left out.

    The gain at most is all of it: a graph that is launched as one leaves the device nothing to wait for.
    """
    device = facts.device
    if device is None or not device.working:
        return
    waiting = device.idle_total_ns - float(device.idle_ns[facts.of_kind(OpKind.TEXT)].sum())
    share = facts.share(waiting)
    if share < _LEAST:
        return
    evidence = (
        Evidence(EvidenceName.OPERATIONS, Quantity.COUNT, device.working),
        Evidence(EvidenceName.STARVED, Quantity.COUNT, device.starved),
        Evidence(EvidenceName.MEAN_WAIT, Quantity.TIME, waiting / device.working),
        Evidence(EvidenceName.MEAN_TIME, Quantity.TIME, device.work_ns / device.working),
        Evidence(EvidenceName.HOST_WAITS, Quantity.COUNT, int(np.count_nonzero(device.waits))),
    )
    stage = max((row for row in device.stages if row.name not in TEXT_STAGES), key=lambda row: row.idle_ns).name
    yield Finding(FindingCode.LAUNCH_BOUND, share, share, evidence, Location(stage))
