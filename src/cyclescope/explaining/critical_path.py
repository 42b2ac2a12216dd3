"""Longest paths through the operations: who must wait for whom, and how much later one could end without harm.

Every function takes the durations of the operations [n] and edges `source` → `target` [m] in the order of their targets,
each from an earlier operation to a later one, as `Graph.dependencies` gives them. All are linear in n + m.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cyclescope.core.units import FloatArray, IntArray


@dataclass(frozen=True, eq=False)
class Longest:
    """`end_ns` [n] is the earliest that each operation can end; `before` [n] is the operation that it then waited for last (−1: none)."""

    end_ns: FloatArray
    before: IntArray

    @property
    def span_ns(self) -> float:
        """Length of the longest path: no number of workers is quicker."""
        return float(self.end_ns.max()) if len(self.end_ns) else 0.0

    def path(self) -> IntArray:
        """A longest path, in order; of several the one that ends at the earliest operation."""
        chain: list[int] = []
        at = int(self.end_ns.argmax()) if len(self.end_ns) else -1
        while at >= 0:
            chain.append(at)
            at = int(self.before[at])
        return np.asarray(chain[::-1], dtype=np.int64)


def longest(op_ns: FloatArray, source: IntArray, target: IntArray) -> Longest:
    """The longest path to the end of each operation."""
    took = op_ns.tolist()
    start = [0.0] * len(took)
    before = [-1] * len(took)
    # In the order of the targets all that leads to a source was seen before the source is used.
    for s, t in zip(source.tolist(), target.tolist(), strict=True):
        end = start[s] + took[s]
        if end > start[t]:
            start[t] = end
            before[t] = s
    return Longest(np.asarray(start) + op_ns, np.asarray(before, dtype=np.int64))


def tails(op_ns: FloatArray, source: IntArray, target: IntArray) -> FloatArray:
    """What must still follow after each operation [n]: the longest path from its end to the end of all."""
    took = op_ns.tolist()
    tail = [0.0] * len(took)
    for s, t in zip(reversed(source.tolist()), reversed(target.tolist()), strict=True):
        after = tail[t] + took[t]
        if after > tail[s]:
            tail[s] = after
    return np.asarray(tail)


def spans(op_ns: FloatArray, source: IntArray, target: IntArray, group: IntArray, groups: int) -> FloatArray:
    """Span of each group of operations [groups] by itself: only dependencies inside it count. −1 is in no group."""
    inside = (group[source] == group[target]) & (group[source] >= 0)
    ends = longest(op_ns, source[inside], target[inside]).end_ns
    result = np.zeros(groups)
    chosen = group >= 0
    np.maximum.at(result, group[chosen], ends[chosen])
    return result
