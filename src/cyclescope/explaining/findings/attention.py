"""Unfused attention: two products with the whole score matrix written out and read again between them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from cyclescope.core.graph.op import OpKind
from cyclescope.core.graph.tensor import TensorRole
from cyclescope.core.units import IntArray
from cyclescope.explaining.findings.facts import Facts
from cyclescope.explaining.findings.finding import Evidence, EvidenceName, Finding, FindingCode, Quantity

# Scale, mask, cap and cast lie between a softmax and its products; no implementation has more steps in a row.
_DEEPEST = 8
_BETWEEN = frozenset(
    (OpKind.ELEMENTWISE, OpKind.VIEW, OpKind.COPY, OpKind.ACTIVATION, OpKind.REDUCTION, OpKind.SOFTMAX)
)


def unfused_attention(facts: Facts) -> Iterator[Finding]:
    """Found where a softmax stands between two products without weights.

    What fusing can bring at most is every pass over the scores between the products; where ceilings are known, also what
    the products take beyond their arithmetic, since a fused one keeps the scores in cache.
    """
    neighbours = _Neighbours.of(facts)
    between: set[int] = set()
    products: set[int] = set()
    scores = 0
    for s in np.flatnonzero(facts.of_kind(OpKind.SOFTMAX)).tolist():
        first, above = neighbours.walk(s, -1)
        second, below = neighbours.walk(s, +1)
        if first >= 0 and second >= 0:
            between |= {s, *above, *below}
            products |= {first, second}
            scores += int(facts.graph.written_bytes[first])
    if not between:
        return
    inner, outer = (np.asarray(sorted(ops), dtype=np.int64) for ops in (between, products))
    passes, time = float(facts.op_ns[inner].sum()), float(facts.op_ns[outer].sum())
    op = facts.costliest(inner)
    gain = passes
    if facts.roofline is not None:
        arithmetic = facts.roofline.compute_ns[outer]
        if (
            facts.roofline.at_ceilings
        ):  # its share of the predicted time, which is longer by the error of such predictions
            arithmetic = facts.op_ns[outer] * arithmetic / np.maximum(facts.roofline.floor_ns[outer], 1e-9)
        gain += float(np.maximum(facts.op_ns[outer] - arithmetic, 0.0).sum())
    evidence = (
        Evidence(EvidenceName.BETWEEN, Quantity.SHARE, facts.share(passes), op),
        Evidence(EvidenceName.SCORES, Quantity.BYTES, scores),
        Evidence(EvidenceName.OPERATIONS, Quantity.COUNT, len(inner) + len(outer)),
        Evidence(EvidenceName.TIME, Quantity.TIME, passes + time),
    )
    yield Finding(
        FindingCode.UNFUSED_ATTENTION, facts.share(passes + time), facts.share(gain), evidence, facts.place(op)
    )


@dataclass(frozen=True, eq=False)
class _Neighbours:
    """Data edges in compressed rows, by their target (`direction` −1) and by their source (+1)."""

    facts: Facts
    rows: dict[int, tuple[IntArray, IntArray]]

    @staticmethod
    def of(facts: Facts) -> _Neighbours:
        edges = facts.graph.dependencies
        data = edges.carries_data == 1
        source, target = edges.source[data], edges.target[data]
        rows = {}
        for direction, (key, value) in {-1: (target, source), +1: (source, target)}.items():
            order = np.argsort(key, kind="stable")
            offsets = np.searchsorted(key[order], np.arange(len(facts.graph) + 1))
            rows[direction] = (offsets, value[order])
        return _Neighbours(facts, rows)

    def walk(self, softmax: int, direction: int) -> tuple[int, set[int]]:
        """The nearest product without weights on that side (−1: none), and the operations on the way to it."""
        offsets, values = self.rows[direction]
        kinds = self.facts.graph.kinds
        came_from: dict[int, int] = {softmax: softmax}
        front = [softmax]
        for _ in range(_DEEPEST):
            reached = []
            for at in front:
                for other in values[offsets[at] : offsets[at + 1]].tolist():
                    if other in came_from:
                        continue
                    came_from[other] = at
                    if kinds[other] is OpKind.MATMUL and self._without_weights(other):
                        return other, self._way(came_from, at, softmax)
                    if kinds[other] in _BETWEEN:
                        reached.append(other)
            front = reached
        return -1, set()

    @staticmethod
    def _way(came_from: dict[int, int], last: int, softmax: int) -> set[int]:
        way = set()
        while last != softmax:
            way.add(last)
            last = came_from[last]
        return way

    def _without_weights(self, op: int) -> bool:
        graph = self.facts.graph
        return all(graph.tensors[t].role is not TensorRole.PARAMETER for t in graph.reads(op))
