"""The device's line of time of an imported cycle: what it works for each operation, and when it waits, as the trace has it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cyclescope.core.cycle import Cycle
from cyclescope.core.graph.columns import Labels
from cyclescope.core.lanes import EventKind, LaneSamples
from cyclescope.core.statistics import Ratio, median_ratio
from cyclescope.core.units import FloatArray, IntArray
from cyclescope.explaining.attribution import Attribution, middle_one
from cyclescope.explaining.device import DeviceLine, device_rows
from cyclescope.explaining.lanes.intervals import Sorted
from cyclescope.explaining.places import Place

_WAITED_NS = 20_000  # a shorter call that may wait did not


def imported_line(cycle: Cycle, places: Sequence[Place]) -> DeviceLine | None:
    """The device's line of time of `cycle`; None where its trace has no work of a device, or it is all that it has.

    Streams that overlap count once: what begins while something runs is booked from where that ends.
    """
    lanes, graph = cycle.samples.lanes, cycle.graph
    if lanes is None or not len(graph) or lanes.lanes[lanes.main].device:
        return None
    work = np.flatnonzero(lanes.on_device & (lanes.lane_rank[lanes.lane] == lanes.rank))
    if not len(work) or not len(lanes.windows_ns):
        return None
    done = Sorted.of(work, lanes.begin_ns, lanes.end_ns)
    cuts = [_cut(lanes, done.touching(low, high), low, high, len(graph)) for low, high in lanes.windows_ns.tolist()]
    runs = len(cuts)
    slot = graph.slots.of_op
    times = np.zeros((runs, len(graph.slots)))
    for run, cut in enumerate(cuts):
        times[run, slot] = cut.busy
        times[run, slot - 1] += cut.idle
        times[run, -1] += cut.tail + cut.other
    walls = cycle.samples.uninstrumented.wall_ns
    kept = middle_one(walls)
    busy, idle, queue = (np.mean([getattr(cuts[k], name) for k in kept], axis=0) for name in ("busy", "idle", "queue"))
    attribution = Attribution(graph, times, kept, np.zeros(len(graph.slots)), np.zeros(len(graph.slots), dtype=bool))
    waits = _waits(lanes, len(graph))
    unclear = np.zeros(len(graph))
    return DeviceLine(
        busy_ns=busy,
        unclear_ns=unclear,
        idle_ns=idle,
        queue_ns=queue,
        tail_ns=float(np.mean([cuts[k].tail for k in kept])),
        waits=waits > 0,
        waited_ns=float(waits.sum()) / runs,
        end_wait_ns=0.0,
        marks_ns=0.0,
        runs=runs,
        held=0,
        of_wall=median_ratio(times.sum(axis=1), walls) if len(walls) else Ratio(0.0, 0.0, 0.0, 0),
        attribution=attribution,
        stages=device_rows(
            busy, unclear, idle, queue, Labels(graph.op_stage.numbers, tuple(map(Place, graph.op_stage.names)))
        ),
        places=tuple(sorted(device_rows(busy, unclear, idle, queue, Labels.of(places)), key=lambda row: -row.total_ns)),
        other_ns=float(np.mean([cuts[k].other for k in kept])),
    )


@dataclass(frozen=True, eq=False)
class _Cut:
    """One window: columns [ops], and what belongs to no operation."""

    busy: FloatArray
    idle: FloatArray
    queue: FloatArray
    other: float
    tail: float


def _cut(lanes: LaneSamples, work: IntArray, low: int, high: int, operations: int) -> _Cut:
    begin, end = lanes.begin_ns[work], lanes.end_ns[work]
    mine = (end > low) & (begin < high)
    work = work[mine]
    begin, end = np.clip(begin[mine], low, high), np.clip(end[mine], low, high)
    reached = np.maximum.accumulate(end) if len(end) else end
    before = np.concatenate([[low], reached[:-1]]) if len(end) else end
    taken = np.maximum(reached - np.maximum(begin, before), 0)
    gap = np.maximum(begin - before, 0)
    op = lanes.op[work].astype(np.int64)
    known = op >= 0
    # Waiting before work that belongs to no operation is booked to the next that does, for which the host was late.
    upcoming = np.concatenate([np.flatnonzero(known), [len(op)]])
    following = upcoming[np.searchsorted(upcoming, np.arange(len(op)))]
    late = following >= len(op)
    target = np.append(op, -1)[np.minimum(following, len(op))]
    idle = np.bincount(target[~late], gap[~late], operations)
    tail = float(gap[late].sum()) + (high - int(reached[-1]) if len(reached) else high - low)
    queue = np.zeros(operations)
    asked = lanes.launch[work]
    first = np.flatnonzero(known & (asked >= 0))[::-1]
    queue[op[first]] = np.maximum(begin[first] - lanes.begin_ns[asked[first]], 0)
    busy = np.bincount(op[known], taken[known], operations)
    return _Cut(busy.astype(np.float64), idle.astype(np.float64), queue, float(taken[~known].sum()), tail)


def _waits(lanes: LaneSamples, operations: int) -> FloatArray:
    """How long the host waits for the device in each operation, over all runs [ops]."""
    rows = np.flatnonzero(lanes.of_kind(EventKind.SYNC) & (lanes.op >= 0) & (lanes.duration_ns >= _WAITED_NS))
    return np.bincount(lanes.op[rows], lanes.duration_ns[rows], operations).astype(np.float64)
