"""Cache reallocation: keys and values that grow by one token are copied whole in every decode step."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from cyclescope.core.graph.op import OpKind
from cyclescope.core.units import IntArray
from cyclescope.explaining.findings.facts import Facts
from cyclescope.explaining.findings.finding import Evidence, EvidenceName, Finding, FindingCode, Quantity


def cache_reallocation(facts: Facts) -> Iterator[Finding]:
    """Found where the copies take more than the noise; a buffer of full length that is written into has none of them."""
    ops = reallocations(facts)
    if not len(ops):
        return
    moved, step = facts.moved_bytes[ops], facts.step[ops]
    time = float(facts.op_ns[ops].sum())
    op = facts.costliest(ops)
    decode_ns = float(facts.attribution.slot_ns[facts.graph.slots.step > 0].sum())
    evidence = (
        Evidence(EvidenceName.OF_DECODE, Quantity.SHARE, time / decode_ns if decode_ns else 0.0),
        Evidence(EvidenceName.BYTES_A_STEP, Quantity.BYTES, float(moved.sum()) / len(np.unique(step)), op),
        Evidence(EvidenceName.LAST_STEP, Quantity.BYTES, int(moved[step == step.max()].sum())),
        Evidence(EvidenceName.TIME, Quantity.TIME, time),
    )
    share = facts.share(time)
    yield Finding(FindingCode.CACHE_REALLOCATION, share, share, evidence, facts.place(op))


def reallocations(facts: Facts) -> IntArray:
    """The operations that put what an earlier step left in a layer, and something new, into fresh memory [found].

    Known by the graph alone: a copy in a layer and in a decode step, not in place, that reads what an operation of an
    earlier step made and writes a tensor larger than it.
    """
    graph, edges, step = facts.graph, facts.graph.dependencies, facts.step
    growing = facts.of_kind(OpKind.COPY) & (facts.layer >= 0) & (step > 0) & (graph.in_place == 0)
    source, target = edges.source, edges.target
    earlier = growing[target] & (edges.carries_data == 1) & (step[source] >= 0) & (step[source] < step[target])
    chosen = np.flatnonzero(earlier)
    kept = np.fromiter((graph.tensors[t].bytes for t in edges.tensor[chosen].tolist()), np.int64, len(chosen))
    found: IntArray = np.unique(target[chosen][(kept > 0) & (graph.written_bytes[target[chosen]] > kept)])
    return found
