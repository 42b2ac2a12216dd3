"""Idle cores: large products leave cores unused, by plan or in fact."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from cyclescope.core.plan import Plan
from cyclescope.core.units import AnyArray
from cyclescope.explaining.findings.facts import Facts
from cyclescope.explaining.findings.finding import Evidence, EvidenceName, Finding, FindingCode, Quantity

# More than half of the cycle must be products that could be split; else more cores help with the smaller half at best.
_LEAST = 0.5
# Below this part of its threads busy, threads wait: two threads on two quiet cores keep 0.9 and more of them busy.
_LEAST_BUSY = 0.7
# With more of the cores than this in the hands of others, waiting threads say nothing about the cycle.
_OTHER_LOAD = 0.10


def idle_cores(facts: Facts) -> Iterator[Finding]:
    """Found where large products run on fewer threads than there are cores, or keep fewer cores busy than they have threads.

    The gain at most is the products' share, split over all cores without loss.
    """
    plan, cores = facts.cycle.plan, facts.cycle.machine.cores
    mask = facts.products & ~facts.small
    time = facts.time_of(mask)
    threads = threads_in_force(plan)
    share = facts.share(time)
    if plan.device != "cpu" or threads < 1 or threads > cores or share < _LEAST:
        return
    busy = _busy_in(facts, mask)
    disturbed = (facts.cycle.samples.load.other_busy or 0.0) > _OTHER_LOAD
    used = threads if busy is None or disturbed or busy >= _LEAST_BUSY * threads else busy
    if used >= cores:
        return
    evidence = [
        Evidence(EvidenceName.THREADS, Quantity.COUNT, threads),
        Evidence(EvidenceName.CORES, Quantity.COUNT, cores),
    ]
    if busy is not None:
        evidence.append(Evidence(EvidenceName.BUSY, Quantity.NUMBER, busy))
    op = facts.costliest(mask)
    yield Finding(FindingCode.IDLE_CORES, share, share * (1 - used / cores), tuple(evidence), facts.place(op))


def threads_in_force(plan: Plan) -> int:
    """Threads of all processes together that the plan lets compute at a time."""
    return plan.threads * max(1, plan.threads_between) * max(1, plan.instances)


def busy_cores(facts: Facts) -> float | None:
    """Processor time over wall time of whole cycles; None where no uninstrumented cycle was taken."""
    return facts.cpu.value_ns / facts.wall.value_ns if facts.wall.value_ns and facts.cpu.n else None


def _busy_in(facts: Facts, mask: AnyArray) -> float | None:
    """Cores that the operations of `mask` kept busy; None where it was not measured.

    Without the processor time of operations it follows from that of the cycle: all else runs on one core.
    """
    parallelism = facts.arrangement.processor_share if facts.arrangement is not None else None
    if parallelism is not None:
        known = mask & np.isfinite(parallelism)
        time = facts.time_of(known)
        return float((parallelism[known] * facts.op_ns[known]).sum()) / time if time else None
    whole = busy_cores(facts)
    share = facts.share(facts.time_of(mask))
    return None if whole is None or not share else max(0.0, (whole - (1 - share)) / share)
