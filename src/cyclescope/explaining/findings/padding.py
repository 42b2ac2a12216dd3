"""Padding: work on tokens that are none."""

from __future__ import annotations

from collections.abc import Iterator

from cyclescope.core.op import OpKind
from cyclescope.core.plan import works_on_padding
from cyclescope.explaining.findings.facts import Facts
from cyclescope.explaining.findings.finding import Evidence, EvidenceName, Finding, FindingCode, Quantity

# A tenth of the tokens: batches of texts of one length class stay below that.
_LEAST = 0.10


def padding(facts: Facts) -> Iterator[Finding]:
    """Found where a tenth of the input's tokens is padding, and the plan works on it.

    Only operations whose work grows with the tokens count: no text, nothing small, and of a generation what runs before
    the first decode step. Their share times the padding's is what is wasted, and what can be gained at most.
    """
    work = facts.cycle.workload
    tokens = work.batch * work.tokens_in
    padded = 1 - work.real_tokens / tokens if tokens else 0.0
    if padded < _LEAST or not works_on_padding(facts.cycle.plan):
        return
    mask = ~facts.of_kind(OpKind.TEXT) & ~facts.small & (facts.step < 1)
    if not mask.any():
        return
    share = padded * facts.share(facts.time_of(mask))
    evidence = (
        Evidence(EvidenceName.PADDED, Quantity.SHARE, padded),
        Evidence(EvidenceName.REAL_TOKENS, Quantity.COUNT, work.real_tokens),
        Evidence(EvidenceName.LONGEST, Quantity.COUNT, work.tokens_in),
    )
    yield Finding(FindingCode.PADDING, share, share, evidence, facts.place(facts.costliest(mask)))
