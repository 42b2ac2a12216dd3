"""How far each operation is from what the machine could do (Williams, Waterman and Patterson, 2009)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np

from cyclescope.core.ceilings import Ceilings, Origin
from cyclescope.core.cycle import Cycle
from cyclescope.core.graph.columns import Labels
from cyclescope.core.graph.op import OpKind
from cyclescope.core.units import NS_PER_S, FloatArray, IntArray
from cyclescope.explaining.attribution import Attribution
from cyclescope.explaining.generation import Phase, phase_numbers
from cyclescope.explaining.lower_bounds import LowerBounds, find_lower_bounds, main_memory
from cyclescope.explaining.places import Place


class Bound(StrEnum):
    """What an operation could not be faster than."""

    COMPUTE = "compute"
    MEMORY = "memory"
    OVERHEAD = "overhead"
    NOTHING = "nothing"  # text, which no ceiling is known for, and an operation whose arithmetic is unknown


@dataclass(frozen=True, slots=True)
class Utilisation:
    """A rate that was reached as a share of a ceiling: of the one measured here and of the datasheet's, where known."""

    of_measured: float | None
    of_datasheet: float | None


@dataclass(frozen=True, slots=True)
class RooflineRow:
    """The operations of one place (`explain.places`), or of one bound, and how far they are from their lower bounds together.

    `time_ns` = `floor_ns` + `gap_ns`. `bound` is what most of the time is bound by; `level` is the level of the memory
    that most of their traffic waits for ('' for none). `place` is empty where they are those of one bound.
    """

    place: Place
    bound: Bound
    level: str
    count: int
    time_ns: float
    floor_ns: float
    gap_ns: float

    @property
    def name(self) -> str:
        """The place as documents call it."""
        return str(self.place)

    @property
    def reached(self) -> float | None:
        """The share of the ceiling that was reached, 0 … 1; None where there is no time or no ceiling."""
        known = self.time_ns > 0 and self.bound is not Bound.NOTHING
        return self.floor_ns / self.time_ns if known else None


@dataclass(frozen=True, slots=True)
class PhaseUse:
    """One phase of a generation: its wall time, its model FLOPs and what it must fetch from main memory."""

    phase: Phase
    time_ns: float
    flops: int
    memory_bytes: int
    mfu: Utilisation
    mbu: Utilisation


@dataclass(frozen=True, eq=False)
class Roofline:
    """Every operation against its ceilings; columns have one row an operation [n], times in nanoseconds.

    `compute_ns`, `memory_ns`, `overhead_ns` are what the operation takes at least by each limit, `floor_ns` the largest
    of them (its time for text, which has no ceiling, and where the arithmetic is unknown) and `bounds` which that is; `levels` names the memory level that
    most of `memory_ns` belongs to ('' for none). `time_ns` is what it took, `gap_ns` (the headroom) = max(0, time − lower bound).
    `python_ns` is the time between operations, which a compiled cycle would not have; `on_device` it is waiting for launches.
    The lower bound of the cycle is the sum of the lower bounds: one operation after the other, as it runs.

    `memory_bytes` are those that must come from main memory or go there. `mfu` = model FLOPs ÷ (wall · peak of
    products), `mbu` = memory bytes ÷ (wall · bandwidth of main memory). `faster` operations took less time than their
    lower bound, `faster_ns` in all: their ceiling is too low. `places` are sorted by gap, the widest first.

    `at_ceilings`: the cycle was predicted with every operation at its ceiling. No operation has a gap or is faster then: what its
    time is beyond its lower bound is how far such predictions are off.
    """

    ceilings: Ceilings
    threads: int
    compute_ns: FloatArray
    memory_ns: FloatArray
    overhead_ns: FloatArray
    floor_ns: FloatArray
    bounds: tuple[Bound, ...]
    levels: tuple[str, ...]
    time_ns: FloatArray
    gap_ns: FloatArray
    python_ns: float
    mfu: Utilisation
    mbu: Utilisation
    memory_bytes: FloatArray
    faster: int
    faster_ns: float
    places: tuple[RooflineRow, ...]
    by_bound: tuple[RooflineRow, ...]
    phases: tuple[PhaseUse, ...] = ()
    on_device: bool = False
    at_ceilings: bool = False

    @property
    def floor_total_ns(self) -> float:
        """What the operations of the cycle would take if each ran at its ceiling; as they are, where they were faster."""
        return float(self.time_ns.sum() - self.gap_ns.sum())

    @property
    def gap_total_ns(self) -> float:
        """What separates the cycle from `floor_total_ns`, Python between its operations included."""
        return float(self.gap_ns.sum()) + self.python_ns

    @property
    def total_ns(self) -> float:
        """What the cycle takes, Python between its operations included."""
        return float(self.time_ns.sum()) + self.python_ns


_BOUNDS = tuple(Bound)
_MODEL_PHASES = (Phase.ENCODE, Phase.PREFILL, Phase.DECODE)


def roofline(
    cycle: Cycle,
    attribution: Attribution,
    places: Sequence[Place],
    wall_ns: float,
    datasheet: Ceilings | None = None,
    *,
    on_device: bool = False,
) -> Roofline | None:
    """Hold the operations of `cycle` against the ceilings of its machine, measured or else those of `datasheet`.

    `places` [n] names the place of every operation; `wall_ns` is the unprofiled wall time, 0 where it was not measured.
    `on_device`: the times of `attribution` are those of the device itself, which launches are no part of.
    None without ceilings, without instrumented runs or without operations.
    """
    graph, ceilings = cycle.graph, cycle.machine.ceilings or datasheet
    if ceilings is None or not len(graph) or not len(attribution.runs_ns):
        return None
    threads = cycle.plan.threads if cycle.plan.device == "cpu" else 0
    lower_bounds = find_lower_bounds(
        graph, ceilings, threads, on_device=cycle.plan.device != "cpu", dtype=cycle.plan.dtype
    )
    if on_device:
        lower_bounds = replace(lower_bounds, overhead_ns=np.zeros(len(graph)))
    slots = graph.slots
    inside = slots.op >= 0
    time = np.bincount(slots.op[inside], attribution.slot_ns[inside], minlength=len(graph)).astype(np.float64)
    unknown = graph.of_kind(OpKind.TEXT)
    unknown[list(graph.unpriced)] = True
    if not graph.tensors:  # what has no sums, such as communication, has no ceiling that is known
        unknown |= (graph.flops + graph.read_bytes + graph.written_bytes == 0) & ~graph.of_kind(OpKind.VIEW)
    limits = np.stack([lower_bounds.compute_ns, lower_bounds.memory_ns, lower_bounds.overhead_ns])
    lower_bound = np.where(unknown, time, limits.max(axis=0))
    bound = np.argmax(limits, axis=0)
    bound[lower_bound <= 0] = _BOUNDS.index(Bound.OVERHEAD)  # a view: all that it takes is the engine's
    bound[unknown] = _BOUNDS.index(Bound.NOTHING)
    made = cycle.samples.prediction
    at_ceilings = made is not None and made.at_ceilings
    gap = np.zeros(len(graph)) if at_ceilings else np.maximum(time - lower_bound, 0.0)
    faster = (time < lower_bound) & (time > 0) & (not at_ceilings)
    table = _Table(time, gap, bound, lower_bounds)
    yardsticks = _Yardsticks.of(cycle, ceilings, datasheet, threads)
    wall = wall_ns or attribution.total_ns
    return Roofline(
        ceilings=ceilings,
        threads=threads,
        compute_ns=lower_bounds.compute_ns,
        memory_ns=lower_bounds.memory_ns,
        overhead_ns=lower_bounds.overhead_ns,
        floor_ns=lower_bound,
        bounds=tuple(_BOUNDS[b] for b in bound.tolist()),
        levels=lower_bounds.levels,
        time_ns=time,
        gap_ns=gap,
        python_ns=float(attribution.slot_ns[~inside].sum()),
        mfu=yardsticks.mfu(float(graph.flops.sum()), wall),
        mbu=yardsticks.mbu(float(lower_bounds.memory_bytes.sum()), wall),
        memory_bytes=lower_bounds.memory_bytes,
        faster=int(faster.sum()),
        faster_ns=float(time[faster].sum()),
        places=table.by_place(places),
        by_bound=table.by_bound(),
        phases=_phases(attribution, lower_bounds, yardsticks),
        on_device=on_device,
        at_ceilings=at_ceilings,
    )


@dataclass(frozen=True, eq=False)
class _Table:
    """Columns by operation [n], to be added up."""

    time: FloatArray
    gap: FloatArray
    bound: IntArray
    lower_bounds: LowerBounds

    def by_place(self, places: Sequence[Place]) -> tuple[RooflineRow, ...]:
        """One row for each distinct place [n]."""
        placed = Labels.of(places)
        group, found = placed.numbers, placed.names
        # An operation that took no time counts a little, so that a place without time has a bound too.
        by_bound = _summed(group, self.bound, self.time + 1e-9, len(found), len(_BOUNDS))
        return self._rows(group, found, [_BOUNDS[b] for b in by_bound.argmax(axis=1)])

    def by_bound(self) -> tuple[RooflineRow, ...]:
        """One row for each bound, for memory one for each level."""
        levels = self.lower_bounds.level + 1
        memory = self.bound == _BOUNDS.index(Bound.MEMORY)
        keys, group = np.unique(
            self.bound * (len(self.lower_bounds.level_names) + 1) + np.where(memory, levels, 0), return_inverse=True
        )
        bounds = [_BOUNDS[int(key) // (len(self.lower_bounds.level_names) + 1)] for key in keys]
        return self._rows(group, [Place()] * len(keys), bounds)

    def _rows(self, group: IntArray, places: Sequence[Place], bounds: Sequence[Bound]) -> tuple[RooflineRow, ...]:
        groups = len(places)
        names_of_levels = ("", *self.lower_bounds.level_names)
        level = _summed(
            group, self.lower_bounds.level + 1, self.lower_bounds.memory_ns, groups, len(names_of_levels)
        ).argmax(axis=1)
        count = np.bincount(group, minlength=groups)
        time, gap = (np.bincount(group, column, minlength=groups) for column in (self.time, self.gap))
        rows = [
            RooflineRow(place, bound, names_of_levels[k], int(n), float(t), float(t - g), float(g))
            for place, bound, k, n, t, g in zip(places, bounds, level.tolist(), count, time, gap, strict=True)
        ]
        return tuple(sorted(rows, key=lambda row: -row.gap_ns))


def _summed(group: IntArray, kind: IntArray, weight: FloatArray, groups: int, kinds: int) -> FloatArray:
    """Sum of `weight` [n] by `group` and `kind` [groups, kinds]."""
    sums = np.bincount(group * kinds + kind, weight, minlength=groups * kinds).astype(np.float64)
    return sums.reshape(groups, kinds)


@dataclass(frozen=True, slots=True)
class _Yardsticks:
    """Peak of products (FLOPs a second) and bandwidth of main memory (bytes a second): measured, and by the datasheet."""

    peaks: tuple[float | None, float | None]
    bandwidths: tuple[float | None, float | None]

    @staticmethod
    def of(cycle: Cycle, ceilings: Ceilings, datasheet: Ceilings | None, threads: int) -> _Yardsticks:
        measured = ceilings if ceilings.origin is Origin.MEASURED else None
        stated = datasheet if measured is not None else ceilings
        both = (measured, stated)
        peaks = [known.peak(cycle.plan.dtype, threads) if known else None for known in both]
        memories = [main_memory(known, threads) if known else None for known in both]
        return _Yardsticks(
            (peaks[0].value if peaks[0] else None, peaks[1].value if peaks[1] else None),
            (memories[0].value if memories[0] else None, memories[1].value if memories[1] else None),
        )

    def mfu(self, flops: float, time_ns: float) -> Utilisation:
        return Utilisation(*(_used(flops, peak, time_ns) for peak in self.peaks))

    def mbu(self, moved: float, time_ns: float) -> Utilisation:
        return Utilisation(*(_used(moved, bandwidth, time_ns) for bandwidth in self.bandwidths))


def _used(amount: float, rate: float | None, time_ns: float) -> float | None:
    """`amount` ÷ (`rate` a second · `time_ns`); None where there is no rate or no time."""
    return amount / (rate * time_ns / NS_PER_S) if rate and time_ns > 0 else None


def _phases(attribution: Attribution, lower_bounds: LowerBounds, yardsticks: _Yardsticks) -> tuple[PhaseUse, ...]:
    """The phases of a generation in which the model runs; none where no text was written."""
    graph, slots = attribution.graph, attribution.graph.slots
    if not (slots.step >= 0).any():
        return ()
    order = list(Phase)
    group = phase_numbers(slots)
    inside = slots.op >= 0
    of_op = np.zeros(len(graph), dtype=np.int64)
    of_op[slots.op[inside]] = group[inside]
    time = np.bincount(group, attribution.slot_ns, minlength=len(order))
    flops = np.bincount(of_op, graph.flops, minlength=len(order))
    moved = np.bincount(of_op, lower_bounds.memory_bytes, minlength=len(order))
    return tuple(
        PhaseUse(
            phase, float(t), int(f), int(m), yardsticks.mfu(float(f), float(t)), yardsticks.mbu(float(m), float(t))
        )
        for phase, t, f, m in zip(order, time, flops, moved, strict=True)
        if f > 0 and phase in _MODEL_PHASES
    )
