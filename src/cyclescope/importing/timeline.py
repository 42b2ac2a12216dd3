"""When the devices worked and when they did not, and for which operation: the sums by which a reading is checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from cyclescope.core.units import BoolArray, IntArray, Nanoseconds
from cyclescope.importing.trace import WORK, Kind, Trace


@dataclass(frozen=True, slots=True)
class Timeline:
    """Of some work on devices: `total_ns` from the first beginning to the last end, `busy_ns` where any of it ran, `idle_ns` the rest.

    `copying_ns` is where memory was copied and nothing else ran.
    """

    total_ns: Nanoseconds
    busy_ns: Nanoseconds
    copying_ns: Nanoseconds

    @property
    def idle_ns(self) -> Nanoseconds:
        return self.total_ns - self.busy_ns


@dataclass(frozen=True, slots=True)
class Sum:
    """Operations of one name that launched work, and how long that work ran: together where an operation's own pieces overlap."""

    operations: int
    busy_ns: Nanoseconds


def work(trace: Trace) -> BoolArray:
    """[n] whether an event keeps a device busy."""
    return np.isin(trace.events.kind, WORK)


def launched(trace: Trace) -> BoolArray:
    """[n] whether an event is work on a device whose launch is in the trace."""
    events = trace.events
    at_work = work(trace) & (events.correlation >= 0)
    calls = (events.kind == Kind.RUNTIME) & (events.correlation >= 0)
    rank = np.array([lane.rank for lane in trace.lanes], np.int64)[events.lane] if trace.lanes else events.lane
    key = events.correlation * (int(rank.max(initial=0)) + 1) + rank
    return at_work & np.isin(key, key[calls])


def timeline(trace: Trace, rows: BoolArray) -> Timeline:
    """The timeline of the events where `rows` [n] is true."""
    begin, end = trace.events.begin_ns[rows], trace.events.end_ns[rows]
    if not len(begin):
        return Timeline(0, 0, 0)
    busy = union_ns(begin, end)
    other = trace.events.kind[rows] != Kind.COPY
    return Timeline(int(end.max() - begin.min()), busy, busy - union_ns(begin[other], end[other]))


def union_ns(begin_ns: IntArray, end_ns: IntArray) -> Nanoseconds:
    """How long at least one of the spans lasts; the order is any."""
    order = np.argsort(begin_ns, kind="stable")
    begin, reached = begin_ns[order], np.maximum.accumulate(end_ns[order])
    # What a span adds is what reaches beyond all before it.
    before = np.r_[begin[:1], np.maximum(reached[:-1], begin[1:])] if len(begin) else begin
    return int(np.maximum(reached - before, 0).sum())


def sums_by_operation(trace: Trace) -> Mapping[str, Sum]:
    """Work on devices by the name of the operation that launched it: that with the external id which the work has too."""
    events = trace.events
    operations = np.flatnonzero((events.kind == Kind.OPERATION) & (events.external >= 0))
    rows = np.flatnonzero(launched(trace) & (events.external >= 0))
    order = np.argsort(events.external[operations], kind="stable")
    known = events.external[operations][order]
    at = np.minimum(np.searchsorted(known, events.external[rows]), max(len(known) - 1, 0))
    found = known[at] == events.external[rows] if len(known) else np.zeros(len(rows), np.bool_)
    caller, rows = operations[order][at[found]] if len(known) else operations, rows[found]
    sums: dict[str, Sum] = {}
    by_caller = np.argsort(caller, kind="stable")
    borders = np.flatnonzero(np.diff(caller[by_caller])) + 1
    for group in np.split(by_caller, borders) if len(caller) else ():
        name = trace.name_of(int(caller[group[0]]))
        busy = union_ns(events.begin_ns[rows[group]], events.end_ns[rows[group]])
        before = sums.get(name, Sum(0, 0))
        sums[name] = Sum(before.operations + 1, before.busy_ns + busy)
    return sums
