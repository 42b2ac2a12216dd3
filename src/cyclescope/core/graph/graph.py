"""The operations of a cycle and the tensors that tie them, in columns.

A graph is a list of operations in the order in which the model asks for them, a tree of frames (calls of modules), and
the tensors that operations read and write. True dependencies follow from the tensors: an operation depends on the last
writer of what it reads, through views too, and a write in place waits for earlier readers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise

import numpy as np

from cyclescope.core.collectives import Collective
from cyclescope.core.graph.columns import Labels
from cyclescope.core.graph.dependencies import Dependencies, Entries, find_dependencies
from cyclescope.core.graph.experts import ExpertLoad
from cyclescope.core.graph.frame import Frame
from cyclescope.core.graph.op import Cost, Op, OpKind, OpLocation
from cyclescope.core.graph.slots import Slots, cut
from cyclescope.core.graph.structure import UnassignedRegion
from cyclescope.core.graph.tensor import TensorRole, TensorSpec
from cyclescope.core.message import Text
from cyclescope.core.stored import ADDED_LATER
from cyclescope.core.units import BoolArray, IntArray


class GraphError(ValueError):
    """A graph contradicts itself: a defect of the code that built it, never an error of the user."""


@dataclass(frozen=True, eq=False)
class Graph:
    """Operations, frames and tensors of one cycle.

    Columns have one row an operation [n]: `names`, `kinds`, `op_frame` (innermost frame), `flops`,
    `elementwise_flops`, `read_bytes`, `written_bytes`. Inputs and outputs are in compressed rows: operation i reads
    tensors `inputs[input_offsets[i]:input_offsets[i + 1]]`, and likewise for what it writes.
    `in_place` [n] is 1 where the operation writes into a tensor that existed before.

    `kept` numbers the memory that the cycle made and that is still there at its end (its result, a cache); empty where
    that is not known. `experts` has a row for each call of a mixture's experts. `cache_length` is the number of tokens
    in the cache of a decode step that was traced by itself; None for everything else. `engine_between`: what passes
    between operations is the time of an engine that runs the whole model by itself, and not that of Python. `opaque`: calls
    of an engine stand here as one operation each, and what is held inside them is unknown. `unpriced` are the rows of
    the operations whose arithmetic is unknown: their FLOPs are no more than what is known of them, often 0. `collectives` are the operations of that kind whose ranks and bytes are known.
    """

    names: tuple[str, ...]
    kinds: tuple[OpKind, ...]
    op_frame: IntArray
    flops: IntArray
    elementwise_flops: IntArray
    read_bytes: IntArray
    written_bytes: IntArray
    in_place: IntArray
    input_offsets: IntArray
    inputs: IntArray
    output_offsets: IntArray
    outputs: IntArray
    tensors: tuple[TensorSpec, ...]
    frames: tuple[Frame, ...]
    traced_on: str = ""
    notes: tuple[Text, ...] = ()
    kept: tuple[int, ...] = ()
    experts: tuple[ExpertLoad, ...] = ()
    cache_length: int | None = None
    engine_between: bool = False
    opaque: bool = False
    unpriced: tuple[int, ...] = ()
    collectives: tuple[Collective, ...] = field(default=(), metadata=ADDED_LATER)

    def __len__(self) -> int:
        return len(self.names)

    def location(self, index: int) -> OpLocation:
        """Where operation `index` stands."""
        frame = self.frames[int(self.op_frame[index])]
        return OpLocation(self.stage_of(index), frame.layer, frame.module)

    def stage_of(self, index: int) -> str:
        """Stage of operation `index`; every operation has one."""
        stage = self.op_stage
        return stage.names[int(stage.numbers[index])]

    @cached_property
    def op_stage(self) -> Labels[str]:
        """Stage of every operation [n].

        An operation directly inside a frame that spans stages is placed by what ran before and comes after it.
        """
        numbers: dict[str, int] = {}
        of_frame = [numbers.setdefault(f.stage, len(numbers)) if f.stage else -1 for f in self.frames]
        stage = np.asarray(of_frame, dtype=np.int64)[self.op_frame]
        for i in np.flatnonzero(stage < 0).tolist():
            name = self.loose.stage(int(self.op_frame[i]), i)
            stage[i] = numbers.setdefault(name, len(numbers))
        return Labels(stage, tuple(numbers))

    @cached_property
    def loose(self) -> UnassignedRegion:
        """Where things stand that lie in no frame with a stage of its own."""
        return UnassignedRegion.of(self.frames)

    @cached_property
    def frame_layer(self) -> IntArray:
        """Layer of every frame [frames], −1 in none."""
        return np.asarray([-1 if f.layer is None else f.layer for f in self.frames], dtype=np.int64)

    @cached_property
    def op_layer(self) -> IntArray:
        """Layer of every operation [n], −1 in none."""
        return self.frame_layer[self.op_frame]

    @cached_property
    def kind_number(self) -> IntArray:
        """Kind of every operation [n], by its position in `OpKind`."""
        return np.asarray(list(map(_KIND_NUMBER.__getitem__, self.kinds)), dtype=np.int64)

    def of_kind(self, *kinds: OpKind) -> BoolArray:
        """Mask of the operations of one of `kinds` [n]."""
        wanted = np.zeros(len(_KIND_NUMBER), dtype=bool)
        wanted[[_KIND_NUMBER[kind] for kind in kinds]] = True
        mask: BoolArray = wanted[self.kind_number]
        return mask

    @cached_property
    def storages(self) -> tuple[IntArray, IntArray]:
        """The numbers of all storages, ascending, and for every tensor [tensors] the position of its own among them."""
        return np.unique(np.asarray([spec.storage for spec in self.tensors], dtype=np.int64), return_inverse=True)

    @cached_property
    def tensor_bytes(self) -> IntArray:
        """Bytes of every tensor [tensors]."""
        sizes: dict[tuple[tuple[int, ...], str, int | None], int] = {}  # a model has few shapes
        column = []
        for spec in self.tensors:
            key = (spec.shape, spec.dtype, spec.stored_bytes)
            size = sizes.get(key)
            if size is None:
                size = sizes[key] = spec.bytes
            column.append(size)
        return np.asarray(column, dtype=np.int64)

    @cached_property
    def _role_number(self) -> IntArray:
        """Role of every tensor [tensors], by its position in `TensorRole`."""
        return np.asarray([_ROLE_NUMBER[spec.role] for spec in self.tensors], dtype=np.int64)

    def of_role(self, role: TensorRole) -> BoolArray:
        """Mask of the tensors of `role` [tensors]."""
        mask: BoolArray = self._role_number == _ROLE_NUMBER[role]
        return mask

    @cached_property
    def read_entries(self) -> Entries:
        """Every read of a tensor, in order of time; storages by their position in `storages`."""
        return Entries.of(self.input_offsets, self.inputs, self.storages[1])

    @cached_property
    def write_entries(self) -> Entries:
        """Every write of a tensor, in order of time; storages by their position in `storages`."""
        return Entries.of(self.output_offsets, self.outputs, self.storages[1])

    def cost(self, index: int) -> Cost:
        return Cost(
            int(self.flops[index]),
            int(self.elementwise_flops[index]),
            int(self.read_bytes[index]),
            int(self.written_bytes[index]),
        )

    def reads(self, index: int) -> tuple[int, ...]:
        return tuple(int(t) for t in self.inputs[self.input_offsets[index] : self.input_offsets[index + 1]])

    def writes(self, index: int) -> tuple[int, ...]:
        return tuple(int(t) for t in self.outputs[self.output_offsets[index] : self.output_offsets[index + 1]])

    @cached_property
    def operands(self) -> tuple[list[tuple[int, ...]], list[tuple[int, ...]]]:
        """What every operation reads and what it writes, at once: where all of them are walked through."""
        return _rows_of(self.input_offsets, self.inputs), _rows_of(self.output_offsets, self.outputs)

    def op(self, index: int) -> Op:
        """Row `index` as a typed value."""
        return Op(
            index,
            self.names[index],
            self.kinds[index],
            self.location(index),
            self.cost(index),
            self.reads(index),
            self.writes(index),
        )

    def ops(self) -> Iterator[Op]:
        return (self.op(i) for i in range(len(self)))

    @cached_property
    def stages(self) -> tuple[str, ...]:
        """Stages in order of their first operation."""
        return self.op_stage.present

    @cached_property
    def total(self) -> Cost:
        return Cost(
            int(self.flops.sum()),
            int(self.elementwise_flops.sum()),
            int(self.read_bytes.sum()),
            int(self.written_bytes.sum()),
        )

    @cached_property
    def dependencies(self) -> Dependencies:
        """Who must finish before whom.

        A read depends on the operation that made the tensor (a view on the operation that made the view) and on the
        last write to the memory behind it. A write in place also waits for those that read that memory since.
        """
        is_view, in_place = self.of_kind(OpKind.VIEW), self.in_place.astype(bool)
        return find_dependencies(self.read_entries, self.write_entries, is_view, in_place)

    @cached_property
    def slots(self) -> Slots:
        """The cycle cut at every stamp of the instrumented runs (see `Slots`)."""
        return cut(self)

    def self_check(self) -> None:
        """Raise `GraphError` unless the graph agrees with itself.

        Acyclic; every tensor that is read was given or written before; every operation lies in one frame; frames nest;
        no cost is negative.
        """
        n = len(self)
        columns = (
            self.op_frame,
            self.flops,
            self.elementwise_flops,
            self.read_bytes,
            self.written_bytes,
            self.in_place,
        )
        if any(len(column) != n for column in (*columns, self.kinds)):
            raise GraphError("columns of different lengths")
        if not self.frames:
            raise GraphError("no frame, not even that of the whole cycle")
        if n and not 0 <= int(self.op_frame.min()) <= int(self.op_frame.max()) < len(self.frames):
            raise GraphError("an operation names a frame that does not exist")
        for column in (self.inputs, self.outputs):
            if len(column) and not 0 <= int(column.min()) <= int(column.max()) < len(self.tensors):
                raise GraphError("an operation names a tensor that does not exist")
        if len(self.input_offsets) != n + 1 or len(self.output_offsets) != n + 1:
            raise GraphError("offsets do not match the number of operations")
        for column in (self.flops, self.elementwise_flops, self.read_bytes, self.written_bytes):
            if n and int(column.min()) < 0:
                raise GraphError("a negative cost")
        self._check_order()
        free_from = [0] * len(self.frames)
        innermost = np.zeros(n, dtype=np.int64)
        for k, frame in enumerate(self.frames):
            innermost[frame.first_op : frame.end_op] = k
            if k == 0:
                if frame.parent != -1 or (frame.first_op, frame.end_op) != (0, n):
                    raise GraphError("the first frame is not the whole cycle")
                continue
            if not 0 <= frame.parent < k:
                raise GraphError(f"frame {k} stands before its parent")
            parent = self.frames[frame.parent]
            if not parent.first_op <= frame.first_op <= frame.end_op <= parent.end_op:
                raise GraphError(f"frame {frame.module!r} reaches out of its parent")
            if frame.first_op < free_from[frame.parent]:
                raise GraphError(f"frame {frame.module!r} begins before the call before it has ended")
            free_from[frame.parent] = frame.end_op
        if not np.array_equal(innermost, self.op_frame):
            raise GraphError("an operation does not name the innermost frame around it")
        for load in self.experts:
            if not 0 < load.frame < len(self.frames):
                raise GraphError("experts name a frame that does not exist")
            if load.known and (
                len(load.per_expert) != load.experts or sum(load.per_expert) > load.tokens * load.chosen
            ):
                raise GraphError("more tokens reach the experts than were sent to them")
        if any(not 0 <= c.op < n or self.kinds[c.op] is not OpKind.COLLECTIVE for c in self.collectives):
            raise GraphError("a collective names an operation that is none")
        edges = self.dependencies
        if len(edges.source) and not bool(np.all(edges.source < edges.target)):
            raise GraphError("an operation depends on a later one")

    def _check_order(self) -> None:
        """Raise `GraphError` unless what is read was there before, and operations lie in their frames."""
        n = len(self)
        reads, writes = self.read_entries, self.write_entries
        since = np.full(len(self.tensors), n, dtype=np.int64)
        np.minimum.at(since, writes.tensor, writes.op)
        since[~self.of_role(TensorRole.ACTIVATION)] = -1
        unwritten = np.flatnonzero(since[reads.tensor] >= reads.op)
        bounds = np.asarray([(f.first_op, f.end_op) for f in self.frames], dtype=np.int64)[self.op_frame]
        rows = np.arange(n)
        outside = np.flatnonzero((rows < bounds[:, 0]) | (rows >= bounds[:, 1]))
        if len(unwritten) and not (len(outside) and outside[0] < reads.op[unwritten[0]]):
            i, t = int(reads.op[unwritten[0]]), int(reads.tensor[unwritten[0]])
            raise GraphError(f"operation {i} ({self.names[i]}) reads tensor {t}, which nobody wrote before")
        if len(outside):
            i = int(outside[0])
            module = self.frames[int(self.op_frame[i])].module
            raise GraphError(f"operation {i} lies outside its frame {module!r}")


def _rows_of(offsets: IntArray, values: IntArray) -> list[tuple[int, ...]]:
    column, ends = tuple(values.tolist()), offsets.tolist()
    return [column[begin:end] for begin, end in pairwise(ends)]


_KIND_NUMBER = {kind: number for number, kind in enumerate(OpKind)}
_ROLE_NUMBER = {role: number for number, role in enumerate(TensorRole)}
