"""What is off with the events of a trace, counted before anything is concluded from them: a mask each, then numbers."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from cyclescope.core.units import BoolArray, IntArray
from cyclescope.importing.counts import Count, Defect
from cyclescope.importing.timeline import work
from cyclescope.importing.trace import Kind, Place, Trace

# Calls that ask a device for work, of CUDA, HIP, Level Zero and OpenCL.
_LAUNCH = re.compile(r"Launch|(?:Memcpy|Memset)\w*Async|zeCommandListAppend|clEnqueue", re.IGNORECASE)
_GRAPH = re.compile(r"GraphLaunch", re.IGNORECASE)


def counted(trace: Trace, rank: int, launches: bool) -> tuple[Count, ...]:
    """What is off with the events of `trace`, which are of one file; `launches`: calls and the work that they launched share an id."""
    masks = [*_masks(trace), *(_masks_of_launches(trace) if launches else ())]
    return tuple(_count(trace, defect, mask, rank) for defect, mask in masks if mask.any())


def _count(trace: Trace, defect: Defect, mask: BoolArray, rank: int) -> Count:
    return Count(
        defect, int(mask.sum()), int(trace.events.duration_ns[mask].sum()), trace.name_of(int(mask.argmax())), rank
    )


def _masks(trace: Trace) -> Iterator[tuple[Defect, BoolArray]]:
    yield Defect.CROSSING, crossing(trace)
    yield Defect.OVERLAPPING, overlapping(trace)
    yield Defect.NO_SHAPES, (trace.events.kind == Kind.OPERATION) & (trace.events.detail < 0)


def _masks_of_launches(trace: Trace) -> Iterator[tuple[Defect, BoolArray]]:
    calls = _calls(trace)
    at_work = work(trace)
    yield Defect.ORPHAN, at_work & (calls.of < 0)
    yield Defect.IN_GRAPH, at_work & calls.named(trace, _GRAPH)
    yield Defect.EARLY, at_work & (calls.of >= 0) & (trace.events.begin_ns < trace.events.begin_ns[calls.of])
    yield Defect.NO_WORK, calls.launches & ~np.isin(trace.events.correlation, trace.events.correlation[at_work])
    yield Defect.DUPLICATE, calls.duplicate


@dataclass(frozen=True)
class _Calls:
    """`of` [n] is the call with the same correlation id as each event, −1: none; `launches` and `duplicate` are masks of calls."""

    of: IntArray
    launches: BoolArray
    duplicate: BoolArray

    def named(self, trace: Trace, pattern: re.Pattern[str]) -> BoolArray:
        fits = _fitting(trace, pattern)
        return (self.of >= 0) & fits[trace.events.name[self.of]]


def _fitting(trace: Trace, pattern: re.Pattern[str]) -> BoolArray:
    """[names] whether a name has `pattern` in it."""
    return np.fromiter((bool(pattern.search(name)) for name in trace.names), np.bool_, len(trace.names))


def _calls(trace: Trace) -> _Calls:
    events = trace.events
    found = np.full(len(events), -1, np.int64)
    calls = np.flatnonzero((events.kind == Kind.RUNTIME) & (events.correlation >= 0))
    launches = (events.kind == Kind.RUNTIME) & _fitting(trace, _LAUNCH)[events.name]
    duplicate = np.zeros(len(events), np.bool_)
    if len(calls):
        # A call that asks for work comes before one that does not, and of several the first.
        order = calls[np.lexsort((calls, ~launches[calls], events.correlation[calls]))]
        known = events.correlation[order]
        rows = np.flatnonzero(events.correlation >= 0)
        at = np.minimum(np.searchsorted(known, events.correlation[rows]), len(known) - 1)
        hit = known[at] == events.correlation[rows]
        found[rows[hit]] = order[at[hit]]
        same = np.r_[False, known[1:] == known[:-1]]
        duplicate[order[same & launches[order]]] = True
    return _Calls(found, launches & (events.correlation >= 0), duplicate)


def crossing(trace: Trace) -> BoolArray:
    """[n] events on the host that end after the innermost one that was open when they began."""
    return _per_lane(trace, Place.HOST, _ends_outside)


def overlapping(trace: Trace) -> BoolArray:
    """[n] work on a device that begins before what ran before it on its stream has ended."""
    return _per_lane(trace, Place.DEVICE, _begins_inside)


def _per_lane(trace: Trace, place: Place, of_lane: Callable[[IntArray, IntArray], BoolArray]) -> BoolArray:
    events = trace.events
    lanes = np.array([lane.place is place and not lane.asynchronous for lane in trace.lanes], np.bool_)
    chosen = work(trace) if place is Place.DEVICE else events.kind != Kind.INSTANT
    rows = np.flatnonzero(chosen & lanes[events.lane]) if len(lanes) else np.empty(0, np.int64)
    rows = rows[np.argsort(events.lane[rows], kind="stable")]
    mask = np.zeros(len(events), np.bool_)
    for lane in np.split(rows, np.flatnonzero(np.diff(events.lane[rows])) + 1):
        if len(lane):
            mask[lane[of_lane(events.begin_ns[lane], events.end_ns[lane])]] = True
    return mask


def _begins_inside(begin: IntArray, end: IntArray) -> BoolArray:
    reached = np.maximum.accumulate(end)
    inside: BoolArray = np.r_[False, begin[1:] < reached[:-1]]
    return inside


def _ends_outside(begin: IntArray, end: IntArray) -> BoolArray:
    around = innermost(begin, end)
    # Whole microseconds: a beginning and a duration that were cut off place an end up to 1 µs too late beside another.
    rounding = 0 if (begin % 1000).any() or (end % 1000).any() else 1000
    outside: BoolArray = (around >= 0) & (end > end[around] + rounding)
    return outside


def innermost(begin: IntArray, end: IntArray) -> IntArray:
    """[n] the latest earlier event that is open when each begins, −1: none. In order of beginning, the longer first.

    Between an event and its candidate all have ended; so where the candidate has ended too, its own candidate is the next. All events
    step at once, and the steps double.
    """
    around = np.arange(-1, len(begin) - 1)
    reached = np.maximum.accumulate(end)
    around[1:][begin[1:] >= reached[:-1]] = -1
    open_ = np.flatnonzero(around >= 0)
    while len(open_ := open_[end[around[open_]] <= begin[open_]]):
        around[open_] = around[around[open_]]
        open_ = open_[around[open_] >= 0]
    return around
