"""A cycle on a device's line of time: when it works for which operation, and when it waits for the host to launch.

What the marks tell. Those of operation i are passed at Bᵢ and Eᵢ. Where the host had left both before the device came to
Bᵢ, the device went from one to the other without waiting, and Eᵢ − Bᵢ, less what lies between two marks anyway, is the
work of the operation. Where it had not, Eᵢ is no earlier than the host left it, so Eᵢ − Bᵢ holds the host's time too and
is an upper bound only. So the work of an operation is the median over the runs in which the host was ahead, held ones
among them; in an undisturbed run, the rest of Eᵢ − Bᵢ is waiting for the launch. Where the host was never ahead (it waits
for a result there), the two cannot be separated, and the time is neither work nor waiting but `unclear`.

Between two kernels of one operation the device may wait for nothing but the next of them to begin; that counts as work.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

import numpy as np

from cyclescope.core.cycle import Cycle
from cyclescope.core.graph.columns import Labels
from cyclescope.core.graph.graph import Graph
from cyclescope.core.graph.op import OpKind
from cyclescope.core.samples import DeviceSamples
from cyclescope.core.statistics import Ratio, median_ratio
from cyclescope.core.units import BoolArray, FloatArray, IntArray
from cyclescope.explaining.attribution import Attribution, middle_half
from cyclescope.explaining.places import Place

# The host counts as ahead if it left both marks so long before the device came to the first: twice what a launch needs to
# reach a device, and what the clocks of host and device may drift apart since the beginning of the run.
_AHEAD_NS = 10_000
_DRIFT = 1e-4
# With more than this in the queue before an operation and nothing after it, the host waited for the device in it.
_WAITED_NS = 20_000


class Pace(StrEnum):
    """Who decides how long the cycle takes."""

    HOST = "host"  # the device waits for launches for more than half of it
    DEVICE = "device"  # it works for more than half of it
    UNCLEAR = "unclear"  # neither is certain


@dataclass(frozen=True, slots=True)
class DeviceRow:
    """Operations of one stage, or of one place in every layer, added up: `busy_ns` + `unclear_ns` + `idle_ns` is what
    they take of the device's line of time. `queue_ns` is how far the host was ahead of them on average.
    """

    place: Place
    count: int
    busy_ns: float
    unclear_ns: float
    idle_ns: float
    queue_ns: float

    @property
    def name(self) -> str:
        """The place as documents call it."""
        return str(self.place)

    @property
    def total_ns(self) -> float:
        return self.busy_ns + self.unclear_ns + self.idle_ns


@dataclass(frozen=True, eq=False)
class DeviceLine:
    """Means over the typical runs as they are, less what the marks cost; columns have one row an operation [n].

    `busy_ns`: the device works for the operation. `unclear_ns`: it works, or waits for the host; unknown which.
    `idle_ns`: it waits for the launch, before the operation and inside of it; for a stage of text, until the host has
    done with it. `queue_ns`: how far the host was ahead when it asked for the operation. `tail_ns`: from the last
    operation to the end. `other_ns`: it works for what no operation of the cycle asked for. Together they are `span_ns`.

    `waits` [n] are the operations in which the host waits for what the device has not done yet, `waited_ns` in all;
    `end_wait_ns` is its wait at the end of the cycle. `marks_ns` was taken off. `runs` are those behind the means, `held`
    those in which the host was let run ahead. `of_wall` is the span ÷ the unprofiled wall. `attribution` has the same
    times by slot, those between operations being idle.
    """

    busy_ns: FloatArray
    unclear_ns: FloatArray
    idle_ns: FloatArray
    queue_ns: FloatArray
    tail_ns: float
    waits: BoolArray
    waited_ns: float
    end_wait_ns: float
    marks_ns: float
    runs: int
    held: int
    of_wall: Ratio
    attribution: Attribution
    stages: tuple[DeviceRow, ...]
    places: tuple[DeviceRow, ...]
    other_ns: float = 0.0

    @cached_property
    def span_ns(self) -> float:
        """From the beginning of the cycle to the end of the device's work."""
        return self.work_ns + self.idle_total_ns

    @property
    def work_ns(self) -> float:
        """The device works, or may."""
        return float(self.busy_ns.sum() + self.unclear_ns.sum()) + self.other_ns

    @property
    def idle_total_ns(self) -> float:
        """The device waits for the host."""
        return float(self.idle_ns.sum()) + self.tail_ns

    @property
    def busy_share(self) -> float:
        return self._share(float(self.busy_ns.sum()) + self.other_ns)

    @property
    def unclear_share(self) -> float:
        return self._share(float(self.unclear_ns.sum()))

    @property
    def idle_share(self) -> float:
        return self._share(self.idle_total_ns)

    @property
    def working(self) -> int:
        """How many operations the device works for."""
        return int(np.count_nonzero(self._given))

    @property
    def starved(self) -> int:
        """How many of those reach a device that has nothing left to do."""
        return int(np.count_nonzero(self._given & (self.queue_ns < _AHEAD_NS)))

    @property
    def ahead_ns(self) -> float:
        """How far the host was ahead of those on average; 0 where there are none."""
        return float(self.queue_ns[self._given].mean()) if self.working else 0.0

    @cached_property
    def _given(self) -> BoolArray:
        given: BoolArray = self.busy_ns + self.unclear_ns > 0
        return given

    @property
    def pace(self) -> Pace:
        if self.idle_share > 0.5:
            return Pace.HOST
        return Pace.DEVICE if self.busy_share > 0.5 else Pace.UNCLEAR

    def _share(self, ns: float) -> float:
        return ns / self.span_ns if self.span_ns else 0.0


def device_line(cycle: Cycle, places: Sequence[Place]) -> DeviceLine | None:
    """The device's line of time of `cycle`; `places` [n] names the place of every operation.

    None where no device was marked, or in no undisturbed run.
    """
    samples, graph = cycle.samples.device, cycle.graph
    if samples is None or not len(graph):
        return None
    free = np.flatnonzero(samples.held == 0)
    if not len(free):
        return None
    cut = _cut(samples, graph, free, _work(samples, graph))
    kept = middle_half(samples.last_ns[free])
    busy, unclear, idle, queue = (column[kept].mean(axis=0) for column in (cut.busy, cut.unclear, cut.idle, cut.queue))
    waits = cut.waits[kept].mean(axis=0) > 0.5
    uninstrumented = cycle.samples.uninstrumented.wall_ns
    ends = samples.boundaries_ns[free, -1] - samples.returned_ns[free]
    attribution = _attribution(cut, graph, kept)
    return DeviceLine(
        busy_ns=busy,
        unclear_ns=unclear,
        idle_ns=idle,
        queue_ns=queue,
        tail_ns=float(cut.tail[kept].mean()),
        waits=waits,
        waited_ns=float(cut.inside_host[kept].mean(axis=0)[waits].sum()),
        end_wait_ns=float(ends[kept].mean()),
        marks_ns=float(cut.marks[kept].mean()),
        runs=len(free),
        held=len(samples) - len(free),
        of_wall=median_ratio(attribution.runs_ns.sum(axis=1), uninstrumented)
        if len(uninstrumented)
        else Ratio(0.0, 0.0, 0.0, 0),
        attribution=attribution,
        stages=device_rows(
            busy, unclear, idle, queue, Labels(graph.op_stage.numbers, tuple(map(Place, graph.op_stage.names)))
        ),
        places=tuple(sorted(device_rows(busy, unclear, idle, queue, Labels.of(places)), key=lambda row: -row.total_ns)),
    )


def _work(samples: DeviceSamples, graph: Graph) -> FloatArray:
    """What the device does for each operation [n], NaN where the host was never ahead; 0 for what is no work of a device."""
    begin, end = _one_after_the_other(samples.begin_ns, samples.end_ns)
    left = samples.boundaries_ns[:, graph.slots.of_op + 1]
    ahead = begin - left >= _AHEAD_NS + _DRIFT * begin
    seen = np.where(ahead, np.maximum(end - begin - samples.mark_device_ns, 0.0), np.nan)
    seen = np.sort(seen, axis=0)  # NaN comes last
    count = ahead.sum(axis=0)
    low, high = np.maximum(count - 1, 0) // 2, count // 2
    ops = np.arange(len(graph))
    work: FloatArray = (seen[low, ops] + seen[np.minimum(high, len(seen) - 1), ops]) / 2
    work[graph.of_kind(OpKind.VIEW, OpKind.TEXT)] = 0.0
    return work


def _one_after_the_other(begin: IntArray, end: IntArray) -> tuple[IntArray, IntArray]:
    """Marks [runs, n] moved so that no operation begins before the one before has ended: streams that overlap count once."""
    reached = np.maximum.accumulate(end, axis=1)
    before = np.concatenate([np.zeros((len(end), 1), dtype=np.int64), reached[:, :-1]], axis=1)
    return np.maximum(begin, before), reached


@dataclass(frozen=True, eq=False)
class _Cut:
    """The line of each undisturbed run, cut up: columns [runs, n], and [runs] for `tail` and `marks`."""

    busy: FloatArray
    unclear: FloatArray
    idle: FloatArray
    queue: FloatArray
    waits: BoolArray
    inside_host: FloatArray
    tail: FloatArray
    marks: FloatArray


def _cut(samples: DeviceSamples, graph: Graph, free: IntArray, work: FloatArray) -> _Cut:
    begin, end = _one_after_the_other(samples.begin_ns[free], samples.end_ns[free])
    before = begin.copy()
    before[:, 1:] -= end[:, :-1]
    inside = (end - begin).astype(np.float64)
    known = np.isfinite(work)
    cost = max(samples.mark_host_ns, samples.mark_device_ns)
    busy = np.where(known, np.minimum(np.where(known, work, 0.0), inside), 0.0)
    unclear = np.where(known, 0.0, np.maximum(inside - cost, 0.0))
    late = np.where(known, np.maximum(inside - busy - cost, 0.0), 0.0)
    waiting = np.maximum(before - cost, 0.0)
    last = np.maximum(samples.last_ns[free], end[:, -1])
    tail = np.maximum(last - end[:, -1] - cost, 0.0)
    accounted = busy.sum(axis=1) + unclear.sum(axis=1) + late.sum(axis=1) + waiting.sum(axis=1) + tail
    slot = graph.slots.of_op
    requested, left = samples.boundaries_ns[free][:, slot], samples.boundaries_ns[free][:, slot + 1]
    queue = np.maximum(begin - requested - samples.mark_host_ns, 0.0)
    return _Cut(
        busy=busy,
        unclear=unclear,
        idle=waiting + late,
        queue=queue,
        waits=(queue > _WAITED_NS) & (left >= end - _AHEAD_NS - _DRIFT * end),
        inside_host=np.maximum(left - requested - 2 * samples.mark_host_ns, 0.0),
        tail=tail,
        marks=last - accounted,
    )


def _attribution(cut: _Cut, graph: Graph, kept: IntArray) -> Attribution:
    """The same by slot: work in the slots of operations, waiting in those before them; a stage of text has its own."""
    slot = graph.slots.of_op
    runs = np.zeros((len(cut.tail), len(graph.slots)))
    text = graph.of_kind(OpKind.TEXT)
    runs[:, slot] = cut.busy + cut.unclear + np.where(text, cut.idle, 0.0)
    runs[:, slot - 1] = np.where(text, 0.0, cut.idle)  # before every operation lies a slot between
    runs[:, -1] += cut.tail
    return Attribution(graph, runs, kept, np.zeros(len(graph.slots)), np.zeros(len(graph.slots), dtype=bool))


def device_rows(
    busy_ns: FloatArray, unclear_ns: FloatArray, idle_ns: FloatArray, queue_ns: FloatArray, labels: Labels[Place]
) -> tuple[DeviceRow, ...]:
    """A row for each name among `labels` [n], with the columns [n] added up."""
    group, names = labels.in_order.numbers, labels.in_order.names
    count = np.bincount(group, minlength=len(names))
    sums = [
        np.bincount(group, column, minlength=len(names)).tolist() for column in (busy_ns, unclear_ns, idle_ns, queue_ns)
    ]
    return tuple(
        DeviceRow(place, n, busy, unclear, idle, queue / max(1, n))
        for place, n, busy, unclear, idle, queue in zip(names, count.tolist(), *sums, strict=True)
    )
