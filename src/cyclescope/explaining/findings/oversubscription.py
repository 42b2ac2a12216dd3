"""Oversubscription: more threads than there are cores to run them."""

from __future__ import annotations

from collections.abc import Iterator

from cyclescope.core.graph.op import OpKind
from cyclescope.explaining.findings.cores import busy_cores, threads_in_force
from cyclescope.explaining.findings.facts import Facts
from cyclescope.explaining.findings.finding import Evidence, EvidenceName, Finding, FindingCode, Quantity


def oversubscription(facts: Facts) -> Iterator[Finding]:
    """Found where the plan has more threads than the machine has cores for this process.

    It concerns every operation that is large enough to be split. What fewer threads bring, no bound tells: it depends on how
    the engine's threads wait for each other.
    """
    cores, threads = facts.cycle.machine.cores, threads_in_force(facts.cycle.plan)
    mask = ~facts.small & ~facts.of_kind(OpKind.TEXT, OpKind.VIEW)
    if facts.cycle.plan.device != "cpu" or threads <= cores or not mask.any():
        return
    evidence = [
        Evidence(EvidenceName.THREADS, Quantity.COUNT, threads),
        Evidence(EvidenceName.CORES, Quantity.COUNT, cores),
    ]
    busy = busy_cores(facts)
    if busy is not None:
        evidence.append(Evidence(EvidenceName.BUSY, Quantity.NUMBER, busy))
    op = facts.costliest(mask)
    share = facts.share(facts.time_of(mask))
    yield Finding(FindingCode.OVERSUBSCRIPTION, share, 0.0, tuple(evidence), facts.place(op))
