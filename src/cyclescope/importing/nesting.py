"""Which event lies in which, on one lane, in columns."""

from __future__ import annotations

import numpy as np

from cyclescope.core.units import BoolArray, IntArray


def order_of(lane: IntArray, begin: IntArray, end: IntArray) -> IntArray:
    """The order of events by lane, then by begin, an outer one before what lies in it [n]."""
    return np.lexsort((-end, begin, lane))


def parents(begin: IntArray, end: IntArray) -> IntArray:
    """The innermost earlier event that each event of one lane begins in [n], −1: none. Sorted as `order_of` does.

    An event that reaches out of the one that it begins in counts as lying in it all the same.
    """
    n = len(begin)
    parent = np.full(n, -1, dtype=np.int64)
    if not n:
        return parent
    if not _nests(begin, end):
        return _walked(begin, end)
    depth = _depths(begin, end)
    level = np.flatnonzero(depth == 0)
    for deeper in range(1, int(depth.max()) + 1):
        mine = np.flatnonzero(depth == deeper)
        above = np.searchsorted(level, mine) - 1
        parent[mine] = np.where(above >= 0, level[np.maximum(above, 0)], -1)
        level = mine
    return parent


def _nests(begin: IntArray, end: IntArray) -> bool:
    """Whether no event reaches out of one that it begins in: at every begin, what is open ends in reverse order."""
    depth = _depths(begin, end)
    for level in range(int(depth.max()) + 1):
        mine = np.flatnonzero(depth == level)
        if np.any(begin[mine[1:]] < end[mine[:-1]]):
            return False
        if level:
            above = np.flatnonzero(depth == level - 1)
            around = above[np.maximum(np.searchsorted(above, mine) - 1, 0)]
            if np.any(end[mine] > end[around]):
                return False
    return True


def _walked(begin: IntArray, end: IntArray) -> IntArray:
    """The same as `parents`, event by event, for a lane on which some overlap without nesting."""
    found: list[int] = []
    open_events: list[int] = []
    ends = end.tolist()
    for i, at in enumerate(begin.tolist()):
        while open_events and ends[open_events[-1]] <= at:
            open_events.pop()
        found.append(open_events[-1] if open_events else -1)
        open_events.append(i)
    return np.asarray(found, dtype=np.int64)


def _depths(begin: IntArray, end: IntArray) -> IntArray:
    """How many earlier events are still open when each begins [n]."""
    # In half nanoseconds, so that what takes no time is not over before it has begun.
    first = int(begin.min())
    starts = (begin - first) * 2
    ends = np.sort(np.maximum((end - first) * 2, starts + 1))
    depth: IntArray = np.arange(len(begin)) - np.searchsorted(ends, starts, side="right")
    return np.maximum(depth, 0)


def outermost(begin: IntArray, end: IntArray) -> BoolArray:
    """Mask of the events of one lane that begin in no earlier one [n]. Sorted as `order_of` does."""
    n = len(begin)
    mask = np.ones(n, dtype=bool)
    if n:
        reached = np.maximum.accumulate(np.maximum(end, begin + 1))
        mask[1:] = begin[1:] >= reached[:-1]
    return mask


def covered(mask: BoolArray, parent: IntArray) -> BoolArray:
    """Whether an event of `mask` lies around each event [n]."""
    found = np.zeros(len(mask), dtype=bool)
    at = parent.copy()
    while True:
        open_ = np.flatnonzero((at >= 0) & ~found)
        if not len(open_):
            return found
        found[open_] = mask[at[open_]]
        at[open_] = parent[at[open_]]
