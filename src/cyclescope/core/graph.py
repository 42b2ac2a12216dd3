"""The operations of a cycle and the tensors that tie them, in columns.

A graph is a list of operations in the order in which the model asks for them, a tree of frames (calls of modules), and
the tensors that operations read and write. True dependencies follow from the tensors: an operation depends on whoever
last wrote what it reads, through views too, and a write in place waits for earlier readers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from cyclescope.core.experts import ExpertLoad
from cyclescope.core.frame import Frame
from cyclescope.core.op import Cost, Op, OpKind, Site
from cyclescope.core.structure import Loose
from cyclescope.core.tensor import TensorRole, TensorSpec
from cyclescope.core.units import FloatArray, IntArray


class GraphError(ValueError):
    """A graph contradicts itself: a defect of whoever built it, never of the user."""


@dataclass(frozen=True, slots=True)
class Slots:
    """The cycle cut at every stamp of the light pass, in order: `n + 1` boundaries make `n` slots.

    `op` [n] is the operation that a slot lies inside, or −1 for Python time between operations; `frame` [n] is the
    innermost stamped frame; `stage`, `layer` and `step` [n] say where the slot is booked (−1: in no layer, in no step).
    `op_stamps` and `frame_stamps` [n] count the stamps of operations and of frames at the two ends of a Python slot.
    """

    op: IntArray
    frame: IntArray
    stage: tuple[str, ...]
    layer: IntArray
    step: IntArray
    op_stamps: IntArray
    frame_stamps: IntArray

    def __len__(self) -> int:
        return len(self.op)

    def stamp_cost_ns(self, inside_ns: float, outside_ns: float) -> FloatArray:
        """What stamping adds to each slot [n], where a pair of stamps costs `inside_ns` between them and `outside_ns`
        around them. An operation's pair lies half inside its slot; a frame's pair lies in Python slots altogether.
        """
        outside = self.op_stamps * (outside_ns / 2) + self.frame_stamps * ((inside_ns + outside_ns) / 4)
        return np.where(self.op >= 0, inside_ns, outside)


@dataclass(frozen=True, slots=True)
class Dependencies:
    """Edges `source` → `target` [m] between operations, and the tensor each goes through.

    `carries_data` [m] is False for an ordering edge (a write in place that must wait for an earlier reader).
    """

    source: IntArray
    target: IntArray
    tensor: IntArray
    carries_data: IntArray


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
    between operations is the time of an engine that runs the whole model by itself, and not that of Python.
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
    notes: tuple[str, ...] = ()
    kept: tuple[int, ...] = ()
    experts: tuple[ExpertLoad, ...] = ()
    cache_length: int | None = None
    engine_between: bool = False

    def __len__(self) -> int:
        return len(self.names)

    def site(self, index: int) -> Site:
        """Where operation `index` stands."""
        frame = self.frames[int(self.op_frame[index])]
        return Site(self.stage_of(index), frame.layer, frame.module)

    def stage_of(self, index: int) -> str:
        """Stage of operation `index`; every operation has one."""
        return self._op_stages[index]

    @cached_property
    def _op_stages(self) -> tuple[str, ...]:
        """An operation directly inside a frame that spans stages is placed by what ran before and comes after it."""
        loose = Loose.of(self.frames)
        return tuple(self.frames[int(f)].stage or loose.stage(int(f), i) for i, f in enumerate(self.op_frame))

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

    def op(self, index: int) -> Op:
        """Row `index` as a typed value."""
        return Op(
            index,
            self.names[index],
            self.kinds[index],
            self.site(index),
            self.cost(index),
            self.reads(index),
            self.writes(index),
        )

    def ops(self) -> Iterator[Op]:
        return (self.op(i) for i in range(len(self)))

    @cached_property
    def stages(self) -> tuple[str, ...]:
        """Stages in order of their first operation."""
        return tuple(dict.fromkeys(self._op_stages))

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
        source: list[int] = []
        target: list[int] = []
        tensor: list[int] = []
        data: list[int] = []
        maker: dict[int, int] = {}
        last_write: dict[int, int] = {}
        readers: dict[int, list[int]] = {}
        for i in range(len(self)):
            seen: set[int] = set()

            def edge(origin: int | None, t: int, carries: int, i: int = i, seen: set[int] = seen) -> None:
                if origin is None or origin == i or origin in seen:
                    return
                seen.add(origin)
                source.append(origin)
                target.append(i)
                tensor.append(t)
                data.append(carries)

            for t in self.reads(i):
                storage = self.tensors[t].storage
                edge(last_write.get(storage), t, 1)
                edge(maker.get(t), t, 1)
                readers.setdefault(storage, []).append(i)
            moves_data = self.kinds[i] is not OpKind.VIEW
            for t in self.writes(i):
                storage = self.tensors[t].storage
                maker[t] = i
                if not moves_data:
                    continue
                if self.in_place[i]:
                    for reader in readers.get(storage, ()):
                        edge(reader, t, 0)
                readers[storage] = []
                last_write[storage] = i
        as_ints = [np.asarray(column, dtype=np.int64) for column in (source, target, tensor, data)]
        return Dependencies(*as_ints)

    @cached_property
    def slots(self) -> Slots:
        """The cycle cut at every stamp of the light pass (see `Slots`)."""
        return _cut(self)

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
        known = {t for t, spec in enumerate(self.tensors) if spec.role is not TensorRole.ACTIVATION}
        for i in range(n):
            for t in self.reads(i):
                if t not in known:
                    raise GraphError(f"operation {i} ({self.names[i]}) reads tensor {t}, which nobody wrote before")
            known.update(self.writes(i))
            frame = self.frames[int(self.op_frame[i])]
            if not frame.first_op <= i < frame.end_op:
                raise GraphError(f"operation {i} lies outside its frame {frame.module!r}")
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
        edges = self.dependencies
        if len(edges.source) and not bool(np.all(edges.source < edges.target)):
            raise GraphError("an operation depends on a later one")


def _cut(graph: Graph) -> Slots:
    """Walk the frame tree in order of time and list the slots between stamps."""
    children: list[list[int]] = [[] for _ in graph.frames]
    for k, frame in enumerate(graph.frames):
        if k:
            children[frame.parent].append(k)
    # Each boundary: the operation that begins there (or -1), the stamped frame in force after it, of a frame (1) or not.
    boundaries: list[tuple[int, int, int]] = [(-1, 0, 0)]

    def walk(k: int, stamped: int) -> None:
        frame = graph.frames[k]
        mine = k if frame.timed else stamped
        if frame.timed:
            boundaries.append((-1, mine, 1))
        at = frame.first_op
        for child in children[k]:
            nested = graph.frames[child]
            stamp_ops(at, nested.first_op, mine)
            walk(child, mine)
            at = nested.end_op
        stamp_ops(at, frame.end_op, mine)
        if frame.timed:
            boundaries.append((-1, stamped, 1))

    def stamp_ops(begin: int, end: int, frame: int) -> None:
        for i in range(begin, end):
            boundaries.append((i, frame, 0))
            boundaries.append((-1, frame, 0))

    walk(0, 0)
    boundaries.append((-1, 0, 0))
    n = len(boundaries) - 1
    op = np.full(n, -1, dtype=np.int64)
    frame_of = np.zeros(n, dtype=np.int64)
    stamps = np.zeros((2, n), dtype=np.int64)
    for s in range(n):
        op[s], frame_of[s] = boundaries[s][:2]
        if op[s] < 0:
            for end in (s, s + 1):
                # The first and last boundary are the cycle's own stamps, which the plain pass takes as well.
                if 0 < end < n:
                    stamps[boundaries[end][2], s] += 1
    stage, layer, step = _book(graph, op, frame_of)
    return Slots(op, frame_of, stage, layer, step, stamps[0], stamps[1])


def _book(graph: Graph, op: IntArray, frame_of: IntArray) -> tuple[tuple[str, ...], IntArray, IntArray]:
    """Stage, layer and step of every slot: its operation's, its frame's, or by its place where the frame spans stages."""
    n = len(op)
    stage = [""] * n
    layer, step = np.full((2, n), -1, dtype=np.int64)
    loose = Loose.of(graph.frames)
    upcoming = len(graph)
    for s in range(n - 1, -1, -1):
        k = int(frame_of[s])
        frame = graph.frames[k]
        number = frame.layer
        if op[s] >= 0:
            upcoming = int(op[s])
            site = graph.site(upcoming)
            stage[s], number = site.stage, site.layer
        elif frame.stage:
            stage[s] = frame.stage
        elif k == 0 and len(graph) and (not loose.step_begins or _is_text(graph, upcoming)):
            stage[s] = graph.stage_of(min(upcoming, len(graph) - 1))
        else:
            stage[s] = loose.stage(k, upcoming)
        if graph.engine_between and op[s] < 0 and upcoming < len(graph):
            number = graph.site(upcoming).layer  # no frame is stamped: such an engine makes ready what comes next
        layer[s] = -1 if number is None else number
        if loose.step_begins and not (k == 0 and _is_text(graph, upcoming)):
            step[s] = loose.step(frame, upcoming)
    return tuple(stage), layer, step


def _is_text(graph: Graph, op: int) -> bool:
    """Whether the operation that comes next, or at the end the last one, is a stage of text."""
    return len(graph) > 0 and graph.kinds[min(op, len(graph) - 1)] is OpKind.TEXT
