"""The account of each device and each thread over the windows of a cycle: what it does, and why it does nothing."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from cyclescope.core.lanes import EventKind, LaneSamples
from cyclescope.core.units import IntArray
from cyclescope.explaining.lanes.intervals import Intervals, Sorted, clipped, union

COMPUTE = (EventKind.KERNEL, EventKind.SET)


class Idle(StrEnum):
    """Why a device does nothing, by the work that ends the gap."""

    HOST = "host-bound"  # the host had not asked for it yet
    HOST_WAITS = "host-waits"  # nor had it, since it waited for the device itself: for a copy or a synchronisation
    LAUNCH = "launch-gap"  # it was asked for after the device ran dry, and had not begun
    QUEUE = "kernel-gap"  # it was asked for in time
    UNKNOWN = "unknown"  # its launch is not in the trace
    END = "end"  # nothing follows


@dataclass(frozen=True, slots=True)
class DeviceAccount:
    """One device, over all windows: `compute_ns` + `communication_ns` + `copy_ns` + the sum of `idle` = `total_ns`.

    `communication_ns` and `copy_ns` are the exposed parts, in which nothing is computed: waiting for communication and for
    copies; `all_communication_ns` and `all_copy_ns` are what they take in all. `works` counts the work in the windows.
    """

    rank: int
    device: str
    total_ns: int
    compute_ns: int
    communication_ns: int
    copy_ns: int
    idle: tuple[tuple[Idle, int], ...]
    all_communication_ns: int
    all_copy_ns: int
    works: int

    @property
    def busy_ns(self) -> int:
        return self.compute_ns + self.communication_ns + self.copy_ns

    @property
    def idle_ns(self) -> int:
        return sum(ns for _, ns in self.idle)

    def of(self, cause: Idle) -> int:
        """Nanoseconds that are idle for this cause."""
        return dict(self.idle).get(cause, 0)


@dataclass(frozen=True, slots=True)
class LaneRow:
    """One lane over all windows. Of a stream: `busy_ns` + `beside_ns` (another stream of the device works) + `idle_ns` = total.

    Of a thread: `busy_ns` (operations and calls of the runtime) + `python_ns` (around them) + `wait_ns` (for the device) +
    `idle_ns` (no event) = total.
    """

    lane: int
    events: int
    total_ns: int
    busy_ns: int
    python_ns: int
    wait_ns: int
    beside_ns: int
    idle_ns: int


def device_accounts(lanes: LaneSamples, rank: int, windows: IntArray) -> tuple[DeviceAccount, ...]:
    """The account of every device of `rank` over `windows` [windows, 2]."""
    found = []
    numbers = [k for k, lane in enumerate(lanes.lanes) if lane.device and lane.rank == rank]
    for device in dict.fromkeys(lanes.lanes[k].process for k in numbers):
        mine = [k for k in numbers if lanes.lanes[k].process == device]
        rows = np.flatnonzero(lanes.on_device & np.isin(lanes.lane, mine))
        if len(rows):
            found.append(_device_account(lanes, rank, device, Sorted.of(rows, lanes.begin_ns, lanes.end_ns), windows))
    return tuple(found)


def _device_account(lanes: LaneSamples, rank: int, device: str, work: Sorted, windows: IntArray) -> DeviceAccount:
    sums = dict.fromkeys(Idle, 0)
    waits = _Waits(lanes)
    total = compute = communication = copies = all_communication = all_copies = works = 0
    for low, high in windows.tolist():
        mine = work.touching(low, high)
        mine = mine[lanes.end_ns[mine] > low]
        begin, end = clipped(lanes.begin_ns[mine], lanes.end_ns[mine], low, high)
        kind = lanes.kind[mine]
        is_communication, is_copy = kind == EventKind.COMMUNICATION, kind == EventKind.COPY
        computing = union(begin[~is_communication & ~is_copy], end[~is_communication & ~is_copy])
        with_communication = union(begin[~is_copy], end[~is_copy])
        busy = union(begin, end)
        compute += computing.total_ns
        communication += with_communication.total_ns - computing.total_ns
        copies += busy.total_ns - with_communication.total_ns
        all_communication += union(begin[is_communication], end[is_communication]).total_ns
        all_copies += union(begin[is_copy], end[is_copy]).total_ns
        total += high - low
        works += len(mine)
        for cause, ns in _idle(lanes, mine, busy.gaps(low, high), waits).items():
            sums[cause] += ns
    causes = tuple((cause, ns) for cause, ns in sums.items() if ns)
    return DeviceAccount(
        rank, device, total, compute, communication, copies, causes, all_communication, all_copies, works
    )


class _Waits:
    """When each thread waits for a device, found once for each."""

    def __init__(self, lanes: LaneSamples) -> None:
        self._lanes = lanes
        self._sync = np.flatnonzero(lanes.kind == EventKind.SYNC)
        self._known: dict[int, Intervals] = {}

    def of(self, lane: int) -> Intervals:
        """That of one lane."""
        if lane not in self._known:
            mine = self._sync[self._lanes.lane[self._sync] == lane]
            self._known[lane] = union(self._lanes.begin_ns[mine], self._lanes.end_ns[mine])
        return self._known[lane]


def _idle(lanes: LaneSamples, work: IntArray, gaps: Intervals, waits: _Waits) -> dict[Idle, int]:
    """The time of `gaps` by cause; `work` is in order of its beginning."""
    begin, end = gaps.begin_ns, gaps.end_ns
    at = np.searchsorted(lanes.begin_ns[work], end)
    last = at >= len(work)
    asked = np.full(len(end), -1, dtype=np.int64)
    asked[~last] = lanes.launch[work[at[~last]]]
    length = end - begin
    known = asked >= 0
    until = np.where(known, np.clip(lanes.end_ns[np.maximum(asked, 0)], begin, end), begin)
    late = until - begin
    waiting = np.zeros(len(end), dtype=np.int64)
    for lane in np.unique(lanes.lane[asked[known]]).tolist():
        mine = known & (lanes.lane[np.maximum(asked, 0)] == lane)
        waiting[mine] = waits.of(lane).covered_ns(begin[mine], until[mine])
    rest = length - late
    return {
        Idle.HOST: int((late - waiting)[known].sum()),
        Idle.HOST_WAITS: int(waiting[known].sum()),
        Idle.LAUNCH: int(rest[known & (late > 0)].sum()),
        Idle.QUEUE: int(rest[known & (late == 0)].sum()),
        Idle.UNKNOWN: int(length[~known & ~last].sum()),
        Idle.END: int(length[last].sum()),
    }


def lane_rows(lanes: LaneSamples, rank: int, windows: IntArray) -> tuple[LaneRow, ...]:
    """Every lane of `rank` that has an event in `windows`."""
    bounds = np.searchsorted(lanes.lane, np.arange(len(lanes.lanes) + 1))
    found = []
    for k, lane in enumerate(lanes.lanes):
        if lane.rank != rank:
            continue
        rows = np.arange(bounds[k], bounds[k + 1])
        rows = rows[lanes.lasts[rows]]
        row = _stream(lanes, k, rows, windows) if lane.device else _thread(lanes, k, rows, windows)
        if row.events:
            found.append(row)
    return tuple(found)


def _stream(lanes: LaneSamples, lane: int, rows: IntArray, windows: IntArray) -> LaneRow:
    process, rank = lanes.lanes[lane].process, lanes.lanes[lane].rank
    same = [k for k, other in enumerate(lanes.lanes) if other.device and (other.process, other.rank) == (process, rank)]
    rows = rows[lanes.on_device[rows]]
    others = np.flatnonzero(lanes.on_device & np.isin(lanes.lane, same))
    own, of_device = (Sorted.of(each, lanes.begin_ns, lanes.end_ns) for each in (rows, others))
    total = busy = either = events = 0
    for low, high in windows.tolist():
        inside, beside = own.touching(low, high), of_device.touching(low, high)
        inside = inside[lanes.end_ns[inside] > low]
        busy += union(*clipped(lanes.begin_ns[inside], lanes.end_ns[inside], low, high)).total_ns
        either += union(*clipped(lanes.begin_ns[beside], lanes.end_ns[beside], low, high)).total_ns
        total += high - low
        events += len(inside)
    return LaneRow(lane, events, total, busy, 0, 0, either - busy, total - either)


_CALLS = (EventKind.OPERATION, EventKind.RUNTIME)
_AROUND = (EventKind.PYTHON, EventKind.MODULE, EventKind.ANNOTATION, EventKind.OTHER)


def _thread(lanes: LaneSamples, lane: int, rows: IntArray, windows: IntArray) -> LaneRow:
    total = busy = around = wait = events = 0
    own = Sorted.of(rows, lanes.begin_ns, lanes.end_ns)
    for low, high in windows.tolist():
        mine = own.touching(low, high)
        kinds = lanes.kind[mine]
        inside = lanes.end_ns[mine] > low
        begin, end = clipped(lanes.begin_ns[mine], lanes.end_ns[mine], low, high)
        waits = inside & (kinds == EventKind.SYNC)
        calls = waits | (inside & np.isin(kinds, _CALLS))
        all_ = calls | (inside & np.isin(kinds, _AROUND))
        waited, called, any_ = (union(begin[mask], end[mask]).total_ns for mask in (waits, calls, all_))
        wait, busy, around = wait + waited, busy + called - waited, around + any_ - called
        total += high - low
        events += int(inside.sum())
    return LaneRow(lane, events, total, busy, around, wait, 0, total - busy - around - wait)
