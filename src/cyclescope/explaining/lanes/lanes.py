"""Everything that the lanes of an imported cycle say."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cyclescope.core.cycle import Cycle
from cyclescope.core.lanes import LaneSamples
from cyclescope.core.units import IntArray
from cyclescope.explaining.lanes.accounts import COMPUTE, DeviceAccount, LaneRow, device_accounts, lane_rows
from cyclescope.explaining.lanes.intervals import union
from cyclescope.explaining.lanes.path import CriticalPath, critical_path
from cyclescope.explaining.lanes.ranks import Ranks, compare_ranks


@dataclass(frozen=True, slots=True)
class WholeTrace:
    """What devices do in all of the trace, beyond the windows too, those of all ranks added up. `launched` is about the work whose launch is in the trace:
    its busy time, and the time from the first to the last of it; other tools take these for all there is.
    """

    span_ns: int
    busy_ns: int
    works: int
    launched_busy_ns: int
    launched_span_ns: int
    launched_compute_ns: int
    launched: int


@dataclass(frozen=True, eq=False)
class Lanes:
    """`devices` and `rows` are over the windows of each rank. `path` is that of the typical run; None without an event."""

    samples: LaneSamples
    devices: tuple[DeviceAccount, ...]
    rows: tuple[LaneRow, ...]
    path: CriticalPath | None
    ranks: Ranks | None
    whole: WholeTrace


def lanes_of(cycle: Cycle) -> Lanes | None:
    """The lanes of `cycle`; None where it was not imported."""
    lanes = cycle.samples.lanes
    if lanes is None:
        return None
    windows = [(rank, _windows(lanes, rank)) for rank in sorted(set(lanes.lane_rank.tolist()))]
    accounts = tuple(account for rank, bounds in windows for account in device_accounts(lanes, rank, bounds))
    rows = tuple(row for rank, bounds in windows for row in lane_rows(lanes, rank, bounds))
    path = None
    if len(lanes.windows_ns):
        lengths = lanes.windows_ns[:, 1] - lanes.windows_ns[:, 0]
        low, high = lanes.windows_ns[int(np.argsort(lengths, kind="stable")[len(lengths) // 2])].tolist()
        path = critical_path(lanes, low, high) if high > low else None
    return Lanes(lanes, accounts, rows, path, compare_ranks(lanes, windows, accounts), _whole(lanes))


def _windows(lanes: LaneSamples, rank: int) -> IntArray:
    """The windows of `rank`: of the samples, or of its own steps; all of its events where it has none."""
    if rank == lanes.rank:
        return lanes.windows_ns
    steps = [(step.begin_ns, step.end_ns) for step in lanes.steps if step.rank == rank]
    if steps:
        return np.asarray(steps, dtype=np.int64)
    mine = np.flatnonzero(lanes.lane_rank[lanes.lane] == rank)
    if not len(mine):
        return np.zeros((0, 2), dtype=np.int64)
    return np.asarray([(lanes.begin_ns[mine].min(), lanes.end_ns[mine].max())], dtype=np.int64)


def _whole(lanes: LaneSamples) -> WholeTrace:
    work = np.flatnonzero(lanes.on_device)
    launched = work[lanes.launch[work] >= 0]
    begin, end = lanes.begin_ns, lanes.end_ns
    there = lanes.lasts
    computing = launched[np.isin(lanes.kind[launched], COMPUTE)]
    return WholeTrace(
        span_ns=int(end[there].max()) - int(begin[there].min()) if there.any() else 0,
        busy_ns=_busy(lanes, work),
        works=len(work),
        launched_busy_ns=_busy(lanes, launched),
        launched_span_ns=int(end[launched].max()) - int(begin[launched].min()) if len(launched) else 0,
        launched_compute_ns=_busy(lanes, computing),
        launched=len(launched),
    )


def _busy(lanes: LaneSamples, rows: IntArray) -> int:
    """How long each device works for `rows`, over all devices."""
    numbers: dict[tuple[int, str], int] = {}
    of_lane = [numbers.setdefault((lane.rank, lane.process), len(numbers)) for lane in lanes.lanes]
    device = np.asarray(of_lane, dtype=np.int64)[lanes.lane[rows]]
    return sum(
        union(lanes.begin_ns[mine], lanes.end_ns[mine]).total_ns
        for mine in (rows[device == number] for number in np.unique(device).tolist())
    )
