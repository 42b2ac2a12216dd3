"""Memory-bound decode: each token waits until the weights and the cache were read once more."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from cyclescope.core.graph.tensor import TensorRole, bits_of
from cyclescope.core.units import NS_PER_S
from cyclescope.explaining.findings.facts import Facts
from cyclescope.explaining.findings.finding import Evidence, EvidenceName, Finding, FindingCode, Quantity

# More than half: then no other single cause can hold as much of a decode step.
_LEAST_OF_DECODE = 0.5
# The remedy named is weights of 8 bits (of 4 where they have 8), which moves that part of the bytes.
_FEWER_BITS, _FEWEST_BITS = 8, 4


def memory_bound_decode(facts: Facts) -> Iterator[Finding]:
    """Found where products that wait for memory take half of the decode steps.

    The gain at most is what narrower weights leave out: of the time taken, or, where ceilings are known, down to the time
    that the narrower bytes take at the measured bandwidth.
    """
    decoding = facts.graph.slots.step > 0
    decode_ns = float(facts.attribution.slot_ns[decoding].sum())
    mask = facts.starved & (facts.step > 0)
    time = facts.time_of(mask)
    if not decode_ns or time < _LEAST_OF_DECODE * decode_ns:
        return
    op = facts.costliest(mask)
    kept = _kept_part(facts, op)
    moved = int(facts.moved_bytes[mask].sum())
    evidence = [
        Evidence(EvidenceName.OF_DECODE, Quantity.SHARE, time / decode_ns),
        Evidence(EvidenceName.BYTES_A_STEP, Quantity.BYTES, moved / int(facts.step.max())),
        Evidence(EvidenceName.REACHED_BANDWIDTH, Quantity.BANDWIDTH, moved / time * NS_PER_S, op),
    ]
    floor = kept * time
    if facts.roofline is not None:
        memory_ns = float(facts.roofline.memory_ns[mask].sum())
        if not facts.roofline.at_ceilings:  # else that is the time itself, but for the error of such predictions
            floor = min(floor, kept * memory_ns)
        evidence.append(Evidence(EvidenceName.BANDWIDTH_CEILING, Quantity.BANDWIDTH, moved / memory_ns * NS_PER_S))
    share = facts.share(time)
    yield Finding(FindingCode.MEMORY_BOUND_DECODE, share, facts.share(time - floor), tuple(evidence), facts.place(op))


def _kept_part(facts: Facts, op: int) -> float:
    """Part of its bytes that `op` still reads with narrower weights; 1 where it reads none."""
    graph = facts.graph
    weights = [graph.tensors[t] for t in graph.reads(op) if graph.tensors[t].role is TensorRole.PARAMETER]
    if not weights:
        return 1.0
    largest = weights[int(np.argmax([spec.elements for spec in weights]))]
    bits = bits_of(largest.dtype)
    return min(1.0, (_FEWER_BITS if bits > _FEWER_BITS else _FEWEST_BITS) / bits)
