"""The account of each device and each thread over the windows of a cycle: what it does, and why it does nothing."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from cyclescope.core.lanes import EventKind, LaneSamples
from cyclescope.core.units import BoolArray, IntArray
from cyclescope.explaining.lanes.intervals import Intervals, union

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
    """The account of every device of `rank` over `windows` [windows, 2], which are disjoint and in order of time."""
    found = []
    numbers = [k for k, lane in enumerate(lanes.lanes) if lane.device and lane.rank == rank]
    for device in dict.fromkeys(lanes.lanes[k].process for k in numbers):
        mine = [k for k in numbers if lanes.lanes[k].process == device]
        rows = np.flatnonzero(lanes.on_device & np.isin(lanes.lane, mine))
        if len(rows) and len(windows):
            found.append(_device_account(lanes, rank, device, rows, windows))
    return tuple(found)


def _device_account(lanes: LaneSamples, rank: int, device: str, rows: IntArray, windows: IntArray) -> DeviceAccount:
    rows = rows[np.argsort(lanes.begin_ns[rows], kind="stable")]
    kind = lanes.kind[rows]
    is_communication, is_copy = kind == EventKind.COMMUNICATION, kind == EventKind.COPY

    def of(mask: BoolArray) -> Intervals:
        return union(lanes.begin_ns[rows[mask]], lanes.end_ns[rows[mask]])

    busy = of(np.ones(len(rows), dtype=bool))
    computing, with_communication, communication, copies = (
        _within(of(mask), windows) for mask in (~is_communication & ~is_copy, ~is_copy, is_communication, is_copy)
    )
    total_busy = _within(busy, windows)
    causes = _idle(lanes, rows, _outside(busy, windows), windows)
    return DeviceAccount(
        rank,
        device,
        int((windows[:, 1] - windows[:, 0]).sum()),
        computing,
        with_communication - computing,
        total_busy - with_communication,
        tuple((cause, ns) for cause, ns in causes.items() if ns),
        communication,
        copies,
        _events_in(lanes, rows, windows),
    )


def _within(intervals: Intervals, windows: IntArray) -> int:
    """How much of `intervals` lies in `windows`."""
    return int(intervals.covered_ns(windows[:, 0], windows[:, 1]).sum())


def _outside(intervals: Intervals, windows: IntArray) -> Intervals:
    """What of `windows` lies in none of `intervals`."""
    low, high = int(windows[0, 0]), int(windows[-1, 1])
    between = union(windows[:, 0], windows[:, 1]).gaps(low, high)
    begin = np.clip(np.concatenate([intervals.begin_ns, between.begin_ns]), low, high)
    end = np.clip(np.concatenate([intervals.end_ns, between.end_ns]), low, high)
    gaps = union(begin, end).gaps(low, high)
    # Where one window begins as another ends a gap may lie in both.
    cuts = windows[1:, 0]
    at = np.searchsorted(gaps.begin_ns, cuts, side="right") - 1
    split = (at >= 0) & (gaps.begin_ns[np.maximum(at, 0)] < cuts) & (gaps.end_ns[np.maximum(at, 0)] > cuts)
    begin = np.sort(np.concatenate([gaps.begin_ns, cuts[split]]))
    return Intervals(begin, np.sort(np.concatenate([gaps.end_ns, cuts[split]])))


def _idle(lanes: LaneSamples, work: IntArray, gaps: Intervals, windows: IntArray) -> dict[Idle, int]:
    """The time of `gaps` by cause; `work` is in order of its beginning. A gap that ends with its window ends with no work."""
    begin, end = gaps.begin_ns, gaps.end_ns
    last = np.isin(end, windows[:, 1])
    at = np.minimum(np.searchsorted(lanes.begin_ns[work], end), len(work) - 1)
    asked = np.where(last, -1, lanes.launch[work[at]]).astype(np.int64)
    length = end - begin
    known = asked >= 0
    until = np.where(known, np.clip(lanes.end_ns[np.maximum(asked, 0)], begin, end), begin)
    late = until - begin
    waiting = np.zeros(len(end), dtype=np.int64)
    for lane in np.unique(lanes.lane[asked[known]]).tolist():
        mine = known & (lanes.lane[np.maximum(asked, 0)] == lane)
        sync = np.flatnonzero((lanes.lane == lane) & (lanes.kind == EventKind.SYNC))
        waits = union(lanes.begin_ns[sync], lanes.end_ns[sync])
        waiting[mine] = waits.covered_ns(begin[mine], until[mine])
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
    """Every lane of `rank` that has an event in `windows`, which are disjoint and in order of time."""
    bounds = np.searchsorted(lanes.lane, np.arange(len(lanes.lanes) + 1))
    found = []
    for k, lane in enumerate(lanes.lanes):
        if lane.rank != rank or not len(windows):
            continue
        rows = np.arange(bounds[k], bounds[k + 1])
        rows = rows[lanes.lasts[rows]]
        row = _stream(lanes, k, rows, windows) if lane.device else _thread(lanes, k, rows, windows)
        if row.events:
            found.append(row)
    return tuple(found)


def _events_in(lanes: LaneSamples, rows: IntArray, windows: IntArray) -> int:
    """How many of `rows` reach into one of `windows`."""
    k = np.searchsorted(windows[:, 0], lanes.end_ns[rows]) - 1
    reaches = (k >= 0) & (lanes.begin_ns[rows] < windows[np.maximum(k, 0), 1])
    return int(reaches.sum())


def _stream(lanes: LaneSamples, lane: int, rows: IntArray, windows: IntArray) -> LaneRow:
    process, rank = lanes.lanes[lane].process, lanes.lanes[lane].rank
    same = [k for k, other in enumerate(lanes.lanes) if other.device and (other.process, other.rank) == (process, rank)]
    rows = rows[lanes.on_device[rows]]
    others = np.flatnonzero(lanes.on_device & np.isin(lanes.lane, same))
    busy, either = (_within(union(lanes.begin_ns[each], lanes.end_ns[each]), windows) for each in (rows, others))
    total = int((windows[:, 1] - windows[:, 0]).sum())
    return LaneRow(lane, _events_in(lanes, rows, windows), total, busy, 0, 0, either - busy, total - either)


_CALLS = (EventKind.OPERATION, EventKind.RUNTIME)
_AROUND = (EventKind.PYTHON, EventKind.MODULE, EventKind.ANNOTATION, EventKind.OTHER)


def _thread(lanes: LaneSamples, lane: int, rows: IntArray, windows: IntArray) -> LaneRow:
    kinds = lanes.kind[rows]
    waits = kinds == EventKind.SYNC
    calls = waits | np.isin(kinds, _CALLS)
    either = calls | np.isin(kinds, _AROUND)
    wait, called, covered = (
        _within(union(lanes.begin_ns[rows[mask]], lanes.end_ns[rows[mask]]), windows) for mask in (waits, calls, either)
    )
    total = int((windows[:, 1] - windows[:, 0]).sum())
    return LaneRow(
        lane, _events_in(lanes, rows, windows), total, called - wait, covered - called, wait, 0, total - covered
    )
