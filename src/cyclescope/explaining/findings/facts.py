"""What the finders look at: one cycle, its attribution, and what was concluded so far, by operation in columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from cyclescope.core.cycle import Cycle, Source
from cyclescope.core.graph.graph import Graph
from cyclescope.core.graph.op import OpKind
from cyclescope.core.graph.structure import READ_OUT, TOKENIZE
from cyclescope.core.statistics import Estimate
from cyclescope.core.units import AnyArray, FloatArray, IntArray
from cyclescope.explaining.arrangement import Arrangement
from cyclescope.explaining.attribution import Attribution
from cyclescope.explaining.device import DeviceLine
from cyclescope.explaining.explanation import LayerRow, StageRow
from cyclescope.explaining.findings.finding import Location
from cyclescope.explaining.places import Place
from cyclescope.explaining.roofline import Bound, Roofline

TEXT_STAGES = (TOKENIZE, READ_OUT)

# Without ceilings: what any processor core does in about 3 µs, at 10 GB/s and 50 GFLOP/s. Dispatching one operation takes an
# eager engine as long, so below this there is nothing but the dispatch.
_SMALL_BYTES = 32 * 1024
_SMALL_FLOPS = 100_000
# Without ceilings: FLOPs a byte up to which matrix products wait for memory on any processor of the last decade. The ridge
# of a core with 50 GFLOP/s and 10 GB/s is at 5, that of a GPU above 50; a float32 matrix-vector product has 0.5.
_STARVED_INTENSITY = 2.0
# No smaller share is reported on the quietest machine: it is what repeated A/A runs of one cycle differ by.
_LEAST_FLOOR = 0.01
# Too few cycles have no 95 % interval of the median; then nothing below the width that is asked of one counts.
_WIDE = 0.03


@dataclass(frozen=True, eq=False)
class Facts:
    """`stages` and `layers` are in order of time, `places` [n] names the place of each operation, the same in all layers.

    `roofline` is None without ceilings of the machine, `arrangement` where it was not made. With a `device`,
    `attribution` and what follows from it are of the device's line of time. Columns have one row an operation [n]; a mask
    is a column of bool.
    """

    cycle: Cycle
    attribution: Attribution
    wall: Estimate
    cpu: Estimate
    stages: Sequence[StageRow]
    layers: Sequence[LayerRow]
    places: Sequence[Place]
    roofline: Roofline | None = None
    arrangement: Arrangement | None = None
    device: DeviceLine | None = None

    @property
    def graph(self) -> Graph:
        return self.cycle.graph

    @cached_property
    def total_ns(self) -> float:
        """The attributed time, which every share is of."""
        return self.attribution.total_ns

    @property
    def noise_floor(self) -> float:
        """The share below which nothing means anything here: the widest of three noises, as shares of the cycle. A prediction
        has no noise: its parts are wrong together more than apart.
        """
        if self.cycle.source is Source.PREDICTED:
            return _LEAST_FLOOR
        ceilings = self.cycle.machine.ceilings
        usable = ceilings.usable_noise if ceilings is not None else None
        apart = usable.value if usable is not None else 0.0
        width = self.wall.half_width if self.wall.has_interval or not self.wall.n else max(self.wall.half_width, _WIDE)
        return max(width, apart, _LEAST_FLOOR)

    @cached_property
    def op_ns(self) -> FloatArray:
        """Time of each operation [n], in nanoseconds."""
        slots = self.graph.slots
        inside = slots.op >= 0
        weights = self.attribution.slot_ns[inside].astype(np.float64)
        return np.bincount(slots.op[inside], weights=weights, minlength=len(self.graph)).astype(np.float64)

    @cached_property
    def step(self) -> IntArray:
        """Step of each operation [n], −1 in none."""
        return self._of_slots(self.graph.slots.step)

    @cached_property
    def layer(self) -> IntArray:
        """Layer of each operation [n], −1 in none."""
        return self._of_slots(self.graph.slots.layer)

    def _of_slots(self, column: IntArray) -> IntArray:
        slots = self.graph.slots
        found = np.full(len(self.graph), -1, dtype=np.int64)
        inside = slots.op >= 0
        found[slots.op[inside]] = column[inside]
        return found

    @cached_property
    def moved_bytes(self) -> IntArray:
        """Bytes that each operation reads and writes [n]."""
        return self.graph.read_bytes + self.graph.written_bytes

    def of_kind(self, *kinds: OpKind) -> AnyArray:
        """Mask of the operations of one of `kinds`."""
        return self.graph.of_kind(*kinds)

    @cached_property
    def products(self) -> AnyArray:
        """Mask of what counts FLOPs: matrix products, fused attention, convolutions."""
        return self.of_kind(OpKind.MATMUL, OpKind.ATTENTION, OpKind.CONVOLUTION)

    @cached_property
    def small(self) -> AnyArray:
        """Mask of the operations that nothing but their dispatch takes time in."""
        working = ~self.of_kind(OpKind.TEXT)
        working[list(self.graph.unpriced)] = False
        if self.roofline is not None:
            return working & self._bound(Bound.OVERHEAD)
        graph = self.graph
        mask: AnyArray = (
            working
            & (self.moved_bytes <= _SMALL_BYTES)
            & (graph.flops <= _SMALL_FLOPS)
            & (graph.elementwise_flops <= _SMALL_FLOPS)
        )
        return mask

    @cached_property
    def starved(self) -> AnyArray:
        """Mask of the products that wait for memory, small ones left out."""
        if self.roofline is not None:
            return self.products & self._bound(Bound.MEMORY)
        mask: AnyArray = self.products & ~self.small & (self.graph.flops <= _STARVED_INTENSITY * self.moved_bytes)
        return mask

    @cached_property
    def computing(self) -> AnyArray:
        """Mask of the products that neither memory nor dispatch limits."""
        mask: AnyArray = self.products & ~self.small & ~self.starved
        return mask

    def _bound(self, bound: Bound) -> AnyArray:
        assert self.roofline is not None
        return np.fromiter((found is bound for found in self.roofline.bounds), np.bool_, len(self.graph))

    @cached_property
    def in_text(self) -> AnyArray:
        """Mask of the slots [slots] of stages in which text is taken apart or put together."""
        return self.graph.slots.stage.where(TEXT_STAGES.__contains__)

    def share(self, ns: float) -> float:
        """`ns` as a share of the attributed time."""
        return ns / self.total_ns if self.total_ns else 0.0

    def time_of(self, mask: AnyArray) -> float:
        """Nanoseconds of the operations of `mask`."""
        return float(self.op_ns[mask].sum())

    def costliest(self, ops: AnyArray) -> int:
        """The costliest operation of a mask [n] or of a list of rows, which must not be empty."""
        rows = np.flatnonzero(ops) if ops.dtype == np.bool_ else ops
        return int(rows[np.argmax(self.op_ns[rows])])

    def place(self, op: int) -> Location:
        """Where operation `op` stands."""
        location = self.graph.location(op)
        return Location(location.stage, location.layer, op)
