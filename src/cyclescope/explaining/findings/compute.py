"""Compute-bound: the cycle is matrix products that no memory holds up; how near they are to their ceiling."""

from __future__ import annotations

from collections.abc import Iterator

from cyclescope.core.units import NS_PER_S
from cyclescope.explaining.findings.facts import Facts
from cyclescope.explaining.findings.finding import Evidence, EvidenceName, Finding, FindingCode, Quantity

# More than half of the cycle: then nothing else can be the bottleneck.
_LEAST = 0.5


def compute_bound(facts: Facts) -> Iterator[Finding]:
    """Found where products limited by compute take half of the cycle.

    The gain at most is what running all of them at their ceiling would bring; 0 without ceilings, and where they are as near
    to it as can be told: what lower precision or a smaller model bring then is no matter of these ceilings. A prediction that
    takes them at their ceiling says nothing of how near they would come.
    """
    mask = facts.computing
    time = facts.time_of(mask)
    share = facts.share(time)
    if share < _LEAST:
        return
    op = facts.costliest(mask)
    flops = int(facts.graph.flops[mask].sum())
    reached = Evidence(EvidenceName.REACHED_FLOPS, Quantity.FLOP_RATE, flops / time * NS_PER_S, op)
    evidence, gain = [reached], 0.0
    if facts.roofline is not None and facts.roofline.compute_ns[mask].any():  # else no peak of the dtype is known
        ceiling = flops / float(facts.roofline.compute_ns[mask].sum()) * NS_PER_S
        gap = float(facts.roofline.gap_ns[mask].sum())  # none where a ceiling turns out to be too low
        limit = Evidence(EvidenceName.FLOPS_CEILING, Quantity.FLOP_RATE, ceiling)
        near = Evidence(EvidenceName.OF_CEILING, Quantity.SHARE, 1 - gap / time)
        evidence = [limit] if facts.roofline.at_ceilings else [reached, limit, near]
        gain = facts.share(gap) if facts.share(gap) >= facts.noise_floor else 0.0
    yield Finding(FindingCode.COMPUTE_BOUND, share, gain, tuple(evidence), facts.place(op))
