"""Events in order of time, and what the clock did: where it ran backwards, and what lies far from everything else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from cyclescope.core.units import NS_PER_S, AnyArray, BoolArray, IntArray
from cyclescope.importing.counts import Defect

# No profile of inference is silent for so long; a clock that was set, or a time of 0, is further off than this.
_SILENCE_NS = 3600 * NS_PER_S
# Of what lies beyond such a silence, less than this share of the events is taken for wrong times, and more for a clock that was set.
_STRAY = 0.01


@dataclass(frozen=True)
class Clock:
    """Which events are `kept` [n], their durations as mended, and what was counted."""

    kept: BoolArray
    duration_ns: IntArray
    counts: Mapping[Defect, int]


def on_clock(begin_ns: IntArray, duration_ns: IntArray) -> Clock:
    """Few events that lie an hour or more from all others are not kept; a duration that ends an hour after all else is cut."""
    kept = np.ones(len(begin_ns), np.bool_)
    if not len(begin_ns):
        return Clock(kept, duration_ns, {})
    counts: dict[Defect, int] = {}
    if begin_ns.max() - begin_ns.min() > _SILENCE_NS:
        ordered = np.sort(begin_ns)
        borders = np.flatnonzero(np.diff(ordered) > _SILENCE_NS) + 1
        cluster = np.searchsorted(ordered[borders], begin_ns, side="right")
        sizes = np.bincount(cluster)
        stray = (sizes < _STRAY * len(begin_ns)) & (sizes < sizes.max())
        kept = ~stray[cluster]
        counts = {Defect.OFF_CLOCK: int((~kept).sum()), Defect.JUMP: int((~stray).sum()) - 1}
    last = int(begin_ns[kept].max()) + _SILENCE_NS
    long = kept & (duration_ns > last - begin_ns)
    if long.any():
        ends = (begin_ns + duration_ns)[kept & ~long]
        duration_ns = np.where(long, max(int(ends.max(initial=0)), last - _SILENCE_NS) - begin_ns, duration_ns)
        counts[Defect.TOO_LONG] = int(long.sum())
    return Clock(kept, duration_ns, counts)


def order(begin_ns: IntArray, duration_ns: IntArray, kept: BoolArray) -> IntArray:
    """Positions of the kept events by beginning; of equal ones the longer first, then as in the file."""
    rows = np.argsort(begin_ns, kind="stable")
    begin = begin_ns[rows]
    tied = np.r_[False, begin[1:] == begin[:-1]]
    tied[:-1] |= tied[1:]
    if tied.any():
        at = np.flatnonzero(tied)
        rows[at] = rows[at][np.lexsort((-duration_ns[rows[at]], begin[at]))]
    return rows[kept[rows]] if not kept.all() else rows


def unsorted(lane: AnyArray, begin_ns: IntArray) -> int:
    """How many events begin before the one that stands before them in their lane, in the order of the file."""
    few = lane.astype(np.uint16) if len(lane) and lane.max() < 1 << 16 else lane  # 16 bits are sorted in one pass
    rows = np.argsort(few, kind="stable")
    same = np.diff(lane[rows]) == 0
    return int((same & (np.diff(begin_ns[rows]) < 0)).sum())
