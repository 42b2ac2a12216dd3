"""A slow tokenizer: the model waits for its tokens."""

from __future__ import annotations

from collections.abc import Iterator

from cyclescope.core.graph.structure import TOKENIZE
from cyclescope.explaining.findings.facts import Facts
from cyclescope.explaining.findings.finding import Evidence, EvidenceName, Finding, FindingCode, Location, Quantity

# A tenth of the cycle: a compiled tokenizer takes a few per cent of the smallest models that are served.
_LEAST = 0.10


def slow_tokenizer(facts: Facts) -> Iterator[Finding]:
    """Found where text to tokens takes a tenth of the cycle; all of it can go, by tokenizing ahead of time."""
    time = sum(row.time.value_ns for row in facts.stages if row.name == TOKENIZE)
    share = facts.share(time)
    if share < _LEAST:
        return
    work = facts.cycle.workload
    evidence = [Evidence(EvidenceName.TIME, Quantity.TIME, time)]
    if work.real_tokens:
        evidence.append(Evidence(EvidenceName.A_TOKEN, Quantity.TIME, time / work.real_tokens))
    yield Finding(
        FindingCode.SLOW_TOKENIZER, share, share, tuple(evidence), Location(TOKENIZE), subject=work.model.tokenizer
    )
