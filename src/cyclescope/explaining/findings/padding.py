"""Padding: work on tokens that are none."""

from __future__ import annotations

from collections.abc import Iterator

from cyclescope.backends.engines import works_on_padding
from cyclescope.core.graph.op import OpKind
from cyclescope.explaining.explanation import PaddingCost
from cyclescope.explaining.findings.facts import Facts
from cyclescope.explaining.findings.finding import Evidence, EvidenceName, Finding, FindingCode, Quantity

# A tenth of the tokens: batches of texts of one length class stay below that.
_LEAST = 0.10


def padding_cost(facts: Facts) -> PaddingCost | None:
    """What the work on padding costs; None without instrumented runs, or where the plan does not work on it.

    Only operations whose work grows with the tokens count: no text, nothing small, and of a generation what runs before
    the first decode step. Their share times the padding's is what is wasted.
    """
    work = facts.cycle.workload
    padded = work.padding
    if not facts.total_ns or not works_on_padding(facts.cycle.plan):
        return None
    mask = ~facts.of_kind(OpKind.TEXT) & ~facts.small & (facts.step < 1)
    ns = padded * facts.time_of(mask)
    return PaddingCost(padded, ns, facts.share(ns), facts.costliest(mask) if mask.any() else -1)


def padding(facts: Facts) -> Iterator[Finding]:
    """Found where a tenth of the input's tokens is padding, and the plan works on it: that work can be gained at most."""
    work, cost = facts.cycle.workload, padding_cost(facts)
    if cost is None or cost.padded < _LEAST or cost.costliest < 0:
        return
    evidence = (
        Evidence(EvidenceName.PADDED, Quantity.SHARE, cost.padded),
        Evidence(EvidenceName.REAL_TOKENS, Quantity.COUNT, work.real_tokens),
        Evidence(EvidenceName.LONGEST, Quantity.COUNT, work.tokens_in),
    )
    yield Finding(FindingCode.PADDING, cost.share, cost.share, evidence, facts.place(cost.costliest))
