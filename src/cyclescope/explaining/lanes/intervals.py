"""Intervals of time in columns: their union, and how much of one set lies in another."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cyclescope.core.units import IntArray


@dataclass(frozen=True, eq=False)
class Intervals:
    """Disjoint intervals in order of time, `begin_ns` and `end_ns` [n]."""

    begin_ns: IntArray
    end_ns: IntArray

    def __len__(self) -> int:
        return len(self.begin_ns)

    @property
    def total_ns(self) -> int:
        return int((self.end_ns - self.begin_ns).sum())

    def gaps(self, begin_ns: int, end_ns: int) -> Intervals:
        """What lies between them, from `begin_ns` to `end_ns`, around which they must not reach."""
        starts = np.concatenate([[begin_ns], self.end_ns])
        ends = np.concatenate([self.begin_ns, [end_ns]])
        there = ends > starts
        return Intervals(starts[there], ends[there])

    def covered_ns(self, begin_ns: IntArray, end_ns: IntArray) -> IntArray:
        """How much of each of the intervals `begin_ns` … `end_ns` [m] lies in these."""
        return self._before(end_ns) - self._before(begin_ns)

    def _before(self, at: IntArray) -> IntArray:
        """How much of these lies before each time."""
        if not len(self):
            return np.zeros(len(at), dtype=np.int64)
        done = np.concatenate([[0], np.cumsum(self.end_ns - self.begin_ns)])
        k = np.searchsorted(self.begin_ns, at, side="right")
        inside = np.minimum(at, self.end_ns[np.maximum(k - 1, 0)]) - self.begin_ns[np.maximum(k - 1, 0)]
        found: IntArray = np.where(k > 0, done[np.maximum(k - 1, 0)] + inside, 0)
        return found


def union(begin_ns: IntArray, end_ns: IntArray) -> Intervals:
    """The union of intervals in any order; those without a length are left out."""
    there = end_ns > begin_ns
    begin, end = begin_ns[there], end_ns[there]
    order = np.argsort(begin, kind="stable")
    begin, end = begin[order], end[order]
    if not len(begin):
        return Intervals(begin, end)
    reached = np.maximum.accumulate(end)
    first = np.concatenate([[True], begin[1:] > reached[:-1]])
    last = np.concatenate([first[1:], [True]])
    return Intervals(begin[first], reached[last])


@dataclass(frozen=True, eq=False)
class Sorted:
    """Events in order of their beginning: `rows` [n] are their positions, `reached_ns` [n] the latest end so far."""

    rows: IntArray
    begin_ns: IntArray
    reached_ns: IntArray

    @staticmethod
    def of(rows: IntArray, begin_ns: IntArray, end_ns: IntArray) -> Sorted:
        """`rows` of all events, whose times these columns are."""
        order = rows[np.argsort(begin_ns[rows], kind="stable")]
        return Sorted(order, begin_ns[order], np.maximum.accumulate(end_ns[order]))

    def touching(self, low_ns: int, high_ns: int) -> IntArray:
        """Those of the rows that may reach into `low_ns` … `high_ns`, and all that do."""
        first = int(np.searchsorted(self.reached_ns, low_ns, side="right"))
        return self.rows[first : max(first, int(np.searchsorted(self.begin_ns, high_ns)))]


def clipped(begin_ns: IntArray, end_ns: IntArray, low_ns: int, high_ns: int) -> tuple[IntArray, IntArray]:
    """The parts of intervals within `low_ns` … `high_ns`; of what lies outside nothing is left."""
    begin = np.clip(begin_ns, low_ns, high_ns)
    return begin, np.maximum(np.clip(end_ns, low_ns, high_ns), begin)
