"""The critical path across host and device: what the end of a window waited for, step by step back to its beginning."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from cyclescope.core.lanes import EventKind, LaneSamples
from cyclescope.core.units import IntArray
from cyclescope.explaining.lanes.intervals import union

_WAITED_NS = 20_000  # a shorter call that may wait did not


class Edge(StrEnum):
    """Why what lies on the path begins no earlier."""

    THREAD = "thread"  # a thread does one thing after the other
    LAUNCH = "launch"  # a device begins after it was asked
    STREAM = "stream"  # a stream does one thing after the other
    STREAMS = "streams"  # a stream waits for another one
    SYNC = "synchronisation"  # the host waits for the device


class Part(StrEnum):
    """What the time on the path is."""

    OPERATION = "operation"  # of the host
    PYTHON = "python"  # of the host, between operations
    KERNEL = "kernel"
    COMMUNICATION = "communication"
    COPY = "copy"
    LAUNCH = "launch-gap"  # asked for and not begun
    QUEUE = "kernel-gap"  # between two works of a device of which the second was asked for in time
    SYNC = "synchronisation"  # from the end of the work to the return of the call that waited for it
    UNKNOWN = "unknown"  # before work whose launch is not in the trace


@dataclass(frozen=True, slots=True)
class PathPart:
    """All pieces of one sort and one name on the path."""

    part: Part
    name: str
    count: int
    ns: int


@dataclass(frozen=True, eq=False)
class CriticalPath:
    """The path of one window of `total_ns`, which is the sum of `parts`, the longest first. `events` [p] are the works of
    devices on it, in order; `edges` counts its edges by their type. `begin_ns` is that of the window.
    """

    begin_ns: int
    total_ns: int
    parts: tuple[PathPart, ...]
    edges: tuple[tuple[Edge, int], ...]
    events: IntArray

    def of(self, *wanted: Part) -> int:
        """Nanoseconds of these sorts."""
        return sum(each.ns for each in self.parts if each.part in wanted)


def critical_path(lanes: LaneSamples, low: int, high: int) -> CriticalPath:
    """The path from `low` to `high` on the lanes of `lanes.rank`."""
    return _Walk(lanes, low, high).path()


class _Walk:
    def __init__(self, lanes: LaneSamples, low: int, high: int) -> None:
        self._lanes, self._low, self._high = lanes, low, high
        ranks = lanes.lane_rank[lanes.lane]
        work = np.flatnonzero(lanes.on_device & (ranks == lanes.rank) & (lanes.end_ns > low) & (lanes.begin_ns < high))
        self._by_end = work[np.argsort(lanes.end_ns[work], kind="stable")]
        self._ends = lanes.end_ns[self._by_end]
        sync = (lanes.lane == lanes.main) & (lanes.kind == EventKind.SYNC) & (lanes.duration_ns >= _WAITED_NS)
        self._syncs = np.flatnonzero(sync)
        self._edges: Counter[Edge] = Counter()
        self._taken: Counter[tuple[Part, str]] = Counter()
        self._counts: Counter[tuple[Part, str]] = Counter()
        self._host: list[tuple[int, int]] = []
        self._works: list[int] = []

    def path(self) -> CriticalPath:
        at, work = self._high, self._last_work(self._high, self._low)
        done = int(self._lanes.end_ns[work]) if work >= 0 else self._low
        if self._waited_for(done):
            work = -1  # the host saw its end, and went on
        elif work >= 0 and done >= self._host_end():
            self._add(Part.SYNC, "", self._high - int(min(self._lanes.end_ns[work], self._high)))
        else:
            work = -1
        while at > self._low:
            at, work = self._from_work(work) if work >= 0 else self._from_host(at)
        self._book_host()
        parts = [PathPart(*key, self._counts[key], ns) for key, ns in self._taken.items() if ns]
        return CriticalPath(
            self._low,
            self._high - self._low,
            tuple(sorted(parts, key=lambda part: -part.ns)),
            tuple((edge, self._edges[edge]) for edge in Edge if self._edges[edge]),
            np.asarray(self._works[::-1], dtype=np.int64),
        )

    def _waited_for(self, done: int) -> bool:
        """Whether a call that waits ends after `done`, in the window, and began before."""
        begins, ends = self._lanes.begin_ns[self._syncs], self._lanes.end_ns[self._syncs]
        return bool(np.any((begins < done) & (ends >= done) & (ends <= self._high)))

    def _host_end(self) -> int:
        """When the host has done its last operation in the window, one that waits aside."""
        lanes = self._lanes
        rows = (lanes.lane == lanes.main) & (lanes.op >= 0) & (lanes.kind != EventKind.SYNC)
        rows &= (lanes.begin_ns >= self._low) & (lanes.begin_ns < self._high)
        return int(lanes.end_ns[rows].max(initial=self._low))

    def _last_work(self, until: int, after: int) -> int:
        """The work that ends last by `until`, if after `after`; −1: none does."""
        k = int(np.searchsorted(self._ends, until, side="right")) - 1
        return int(self._by_end[k]) if k >= 0 and int(self._ends[k]) > after else -1

    def _from_host(self, at: int) -> tuple[int, int]:
        """Back along the thread from `at` to the last call that waited for the device."""
        lanes = self._lanes
        k = int(np.searchsorted(lanes.begin_ns[self._syncs], at)) - 1
        while k >= 0 and int(lanes.end_ns[self._syncs[k]]) > self._low:
            sync = int(self._syncs[k])
            begin, end = int(lanes.begin_ns[sync]), min(int(lanes.end_ns[sync]), at)
            work = self._last_work(end, max(begin, self._low))
            if work >= 0:
                self._host.append((end, at))
                self._add(Part.SYNC, "", end - int(lanes.end_ns[work]))
                self._edges[Edge.SYNC] += 1
                return int(lanes.end_ns[work]), work
            k -= 1
        self._host.append((self._low, at))
        return self._low, -1

    def _from_work(self, work: int) -> tuple[int, int]:
        """Back from a work of the device to what it waited for."""
        lanes = self._lanes
        begin, end = int(lanes.begin_ns[work]), min(int(lanes.end_ns[work]), self._high)
        self._works.append(work)
        kind = EventKind(int(lanes.kind[work]))
        part = {EventKind.COMMUNICATION: Part.COMMUNICATION, EventKind.COPY: Part.COPY}.get(kind, Part.KERNEL)
        self._add(part, lanes.names[int(lanes.name[work])], end - max(begin, self._low))
        if begin <= self._low:
            return self._low, -1
        asked = int(lanes.launch[work])
        ready = min(int(lanes.end_ns[asked]), begin) if asked >= 0 else self._low
        before = self._last_work(begin, max(ready, self._low))
        if before >= 0 and before != work:
            same = int(lanes.lane[before]) == int(lanes.lane[work])
            self._edges[Edge.STREAM if same else Edge.STREAMS] += 1
            self._add(Part.QUEUE, "", begin - int(lanes.end_ns[before]))
            return int(lanes.end_ns[before]), before
        if asked < 0:
            self._add(Part.UNKNOWN, "", begin - self._low)
            return self._low, -1
        ready = max(ready, self._low)
        self._edges[Edge.LAUNCH] += 1
        self._add(Part.LAUNCH, "", begin - ready)
        return ready, -1

    def _add(self, part: Part, name: str, ns: int) -> None:
        self._taken[part, name] += ns
        self._counts[part, name] += 1

    def _book_host(self) -> None:
        """The host's pieces by operation, and Python between them."""
        if not self._host:
            return
        lanes = self._lanes
        begins, ends = (np.asarray(column, dtype=np.int64) for column in zip(*self._host, strict=True))
        pieces = union(begins, ends)
        self._edges[Edge.THREAD] += len(pieces)
        rows = np.flatnonzero((lanes.lane == lanes.main) & (lanes.op >= 0))
        rows = rows[(lanes.begin_ns[rows] >= self._low) & (lanes.begin_ns[rows] < self._high)]
        if len(rows):
            reached = np.maximum.accumulate(lanes.end_ns[rows])
            outer = np.concatenate([[True], lanes.begin_ns[rows][1:] >= reached[:-1]])
            rows = rows[outer]
        taken = pieces.covered_ns(lanes.begin_ns[rows], lanes.end_ns[rows])
        names, number = np.unique(lanes.name[rows], return_inverse=True)
        counts = np.bincount(number[taken > 0], minlength=len(names))
        for name, count, ns in zip(
            names.tolist(), counts.tolist(), np.bincount(number, taken, len(names)), strict=True
        ):
            if ns:
                self._taken[Part.OPERATION, lanes.names[name]] += int(ns)
                self._counts[Part.OPERATION, lanes.names[name]] += count
        rest = pieces.total_ns - int(taken.sum())
        if rest:
            self._taken[Part.PYTHON, ""] += rest
            self._counts[Part.PYTHON, ""] += len(pieces)
