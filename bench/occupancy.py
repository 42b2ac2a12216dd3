"""What runs at the same time: intervals on several lanes (streams, threads, processes) swept once, in columns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cyclescope.core.units import IntArray, Nanoseconds


@dataclass(frozen=True, eq=False)
class Occupancy:
    """How lanes were busy between `begin_ns` and `end_ns`.

    `lanes` [k] are their numbers, ascending; `busy_ns` [k] is when at least one interval of the lane ran.
    `overlap_ns` [k + 1] is the time during which exactly so many lanes were busy; it adds up to the whole.
    """

    begin_ns: Nanoseconds
    end_ns: Nanoseconds
    lanes: IntArray
    busy_ns: IntArray
    overlap_ns: IntArray

    @property
    def wall_ns(self) -> Nanoseconds:
        return self.end_ns - self.begin_ns

    @property
    def idle_ns(self) -> Nanoseconds:
        """Time in which no lane was busy."""
        return int(self.overlap_ns[0])

    @property
    def union_ns(self) -> Nanoseconds:
        """Time in which at least one lane was busy."""
        return self.wall_ns - self.idle_ns

    @property
    def parallelism(self) -> float:
        """Lanes busy on average while any was; 0 where nothing ran."""
        return int(self.busy_ns.sum()) / self.union_ns if self.union_ns else 0.0


def occupancy(
    start_ns: IntArray, end_ns: IntArray, lane: IntArray, *, within: tuple[Nanoseconds, Nanoseconds] | None = None
) -> Occupancy:
    """Sweep the intervals `start_ns` … `end_ns` [n] on their lanes [n]; O(n log n).

    Intervals of one lane may overlap or nest: a lane is busy or not. `within` cuts off what lies outside of it; without,
    the sweep goes from the first beginning to the last end. Raises `ValueError` for columns that do not fit each other
    and for an interval that ends before it begins.
    """
    if not start_ns.shape == end_ns.shape == lane.shape or start_ns.ndim != 1:
        raise ValueError("starts, ends and lanes are columns of one length")
    if np.any(end_ns < start_ns):
        raise ValueError("an interval ends before it begins")
    lanes, number = np.unique(lane, return_inverse=True)
    if within is None:
        within = (int(start_ns.min()), int(end_ns.max())) if len(start_ns) else (0, 0)
    begin, end = within
    if end < begin:
        raise ValueError("the stretch ends before it begins")
    starts, ends = np.clip(start_ns, begin, end), np.clip(end_ns, begin, end)
    starts, ends, number = _union(starts, ends, number)
    busy = np.zeros(len(lanes), dtype=np.int64)
    np.add.at(busy, number, ends - starts)
    return Occupancy(begin, end, lanes, busy, _overlap(starts, ends, begin, end, len(lanes)))


def _union(starts: IntArray, ends: IntArray, number: IntArray) -> tuple[IntArray, IntArray, IntArray]:
    """The intervals of each lane merged, so that those of one lane neither touch nor overlap."""
    if not len(starts):
        return starts, ends, number
    order = np.lexsort((starts, number))
    starts, ends, number = starts[order], ends[order], number[order]
    # Furthest end so far within the lane: lanes are kept apart by lifting each above all ends of the one before.
    width = int(ends.max()) - int(starts.min()) + 1
    base = int(starts.min())
    reach = np.maximum.accumulate(ends - base + number * width)
    fresh = np.ones(len(starts), dtype=bool)
    fresh[1:] = (number[1:] != number[:-1]) | (starts[1:] - base + number[1:] * width > reach[:-1])
    first = np.flatnonzero(fresh)
    last = np.append(first[1:], len(starts)) - 1
    return starts[first], reach[last] - number[last] * width + base, number[first]


def _overlap(starts: IntArray, ends: IntArray, begin: int, end: int, lanes: int) -> IntArray:
    """Time with exactly 0 … `lanes` intervals running, of merged ones, between `begin` and `end`."""
    times = np.concatenate([[begin], starts, ends, [end]])
    step = np.concatenate([[0], np.ones(len(starts)), -np.ones(len(ends)), [0]]).astype(np.int64)
    order = np.argsort(times, kind="stable")
    running = np.cumsum(step[order])[:-1]
    lasted = np.diff(times[order])
    result = np.zeros(lanes + 1, dtype=np.int64)
    counted = lasted > 0  # within one moment the count may pass through any value
    np.add.at(result, running[counted], lasted[counted])
    return result
