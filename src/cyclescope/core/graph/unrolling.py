"""A long generation from a short one: a decode step does what the step before it did, with one token more in the cache.

The short one is a whole trace of `TRACED` tokens. Its last steps tell which tensors a step takes from the step before it, which
it shares with all of them, and by how much each number grows. Whether that goes on to the end (a window that slides is full at
some length) a trace of the last step must say, see `agrees_with_step`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from cyclescope.core.graph.experts import ExpertLoad
from cyclescope.core.graph.frame import Frame
from cyclescope.core.graph.graph import Graph
from cyclescope.core.graph.tensor import TensorSpec
from cyclescope.core.units import IntArray

TRACED = 5  # tokens: the prefill, three whole steps, and the last step, after which nothing is made ready
_COLUMNS = ("flops", "elementwise_flops", "read_bytes", "written_bytes")


class IrregularSteps(ValueError):
    """The decode steps of a graph do not follow from each other."""


@dataclass(frozen=True)
class _Step:
    """One decode step, from the model's call to the next one: where its operations, frames, tensors and memory begin and end."""

    op: slice
    frame: slice
    tensor: slice
    storage: slice


def unrolled(graph: Graph, new_tokens: int) -> Graph:
    """The generation of `new_tokens` tokens (more than `TRACED`) that begins like `graph`, which makes `TRACED`.

    Raises `IrregularSteps` where the steps of `graph` are not alike, or grow by other than equal amounts.
    """
    steps = _steps(graph)
    if len(steps) != TRACED:
        raise IrregularSteps(f"{len(steps)} calls of the model made {TRACED} tokens")
    return _Unrolling(graph, *steps[1:]).to(new_tokens)


def agrees_with_step(graph: Graph, step: Graph) -> bool:
    """Whether the last decode step of a generation is `step`, which was traced by itself."""
    call = _calls(graph)[-1]
    there = slice(graph.frames[call].first_op, graph.frames[call].end_op)
    if len(step) != there.stop - there.start or step.kinds != graph.kinds[there]:
        return False
    return all(np.array_equal(getattr(graph, name)[there], getattr(step, name)) for name in _COLUMNS)


def _calls(graph: Graph) -> list[int]:
    """The frame in which each step begins, in order: the call of the model for the prefill, then those of the decode steps."""
    frames = graph.frames
    found: dict[int, int] = {}
    for k, f in enumerate(frames):
        if k and f.step >= 0 and frames[f.parent].step < 0:
            found.setdefault(f.step, k)
    return list(found.values())


def _steps(graph: Graph) -> list[_Step]:
    """The prefill, with all before it, and the decode steps of a generation."""
    n, count = len(graph), len(graph.tensors)
    calls = _calls(graph)
    ops = [0, *(graph.frames[k].first_op for k in calls[1:]), n]
    frames = [0, *calls[1:], len(graph.frames)]
    first_use = np.full(count, n, dtype=np.int64)
    for entries in (graph.read_entries, graph.write_entries):
        np.minimum.at(first_use, entries.tensor, entries.op)
    tensors = [0]
    for begin in ops[1:-1]:
        later = np.flatnonzero((first_use >= begin) & (first_use < n))
        later = later[later >= tensors[-1]]
        tensors.append(int(later[0]) if len(later) else count)
    tensors.append(count)
    storage = np.asarray([spec.storage for spec in graph.tensors], dtype=np.int64)
    memory = [0, *(int(storage[:t].max(initial=-1)) + 1 for t in tensors[1:])]
    bounds = [[slice(*pair) for pair in pairwise(column)] for column in (ops, frames, tensors, memory)]
    return [_Step(*each) for each in zip(*bounds, strict=True)]


class _Unrolling:
    """The steps `first`, `before` and `model` of `graph`, the last of which is repeated, and `end`, its last and shorter one."""

    def __init__(self, graph: Graph, first: _Step, before: _Step, model: _Step, end: _Step) -> None:
        self.graph, self.before, self.model, self.end = graph, before, model, end
        self.sizes = {name: _length(getattr(model, name)) for name in ("op", "frame", "tensor", "storage")}
        for step in (first, before):
            _require({name: _length(getattr(step, name)) for name in self.sizes} == self.sizes)
        short = _length(end.op)
        _require(short <= self.sizes["op"])
        for step in (first, before):
            _require(graph.names[step.op] == graph.names[model.op] and graph.kinds[step.op] == graph.kinds[model.op])
        _require(graph.names[end.op] == graph.names[model.op][:short])
        self.inputs = self._moved(graph.input_offsets, graph.inputs)
        self.outputs = self._moved(graph.output_offsets, graph.outputs)
        self.growth = {name: self._growth(getattr(graph, name), first) for name in _COLUMNS}
        _require(np.array_equal(graph.in_place[before.op], graph.in_place[model.op]))

    def _moved(self, offsets: IntArray, entries: IntArray) -> tuple[IntArray, IntArray, IntArray]:
        """How many tensors each operation of the model step has, which, and which of them are of a new number in every step."""
        op, size = self.model.op, self.sizes["tensor"]
        counts = np.diff(offsets)[op]
        _require(np.array_equal(np.diff(offsets)[self.before.op], counts))
        there = entries[offsets[op.start] : offsets[op.stop]]
        earlier = entries[offsets[self.before.op.start] : offsets[self.before.op.stop]]
        moves = _moves(there - earlier, size)
        last = entries[offsets[self.end.op.start] : offsets[self.end.op.stop]]
        _require(np.array_equal(last, (there + moves * size)[: len(last)]))
        return counts, there, moves

    def _growth(self, column: IntArray, first: _Step) -> IntArray:
        """By how much a number of each operation grows from one step to the next."""
        grows = column[self.model.op] - column[self.before.op]
        _require(np.array_equal(column[self.before.op] - column[first.op], grows))
        short = _length(self.end.op)
        _require(np.array_equal(column[self.end.op], (column[self.model.op] + grows)[:short]))
        return grows

    def to(self, new_tokens: int) -> Graph:
        graph, op, size = self.graph, self.model.op, self.sizes
        further = np.arange(1, new_tokens - TRACED + 2)  # how many steps behind the model step each added one lies
        whole, short = len(further) - 1, _length(self.end.op)
        rows = whole * size["op"] + short
        head = self.end.op.start

        def repeated(column: IntArray, grows: IntArray | int = 0) -> IntArray:
            added = (column[op] + further[:, None] * grows).reshape(-1)[:rows]
            found: IntArray = np.concatenate([column[:head], added])
            return found

        inputs = self._entries(graph.input_offsets, graph.inputs, self.inputs, further, rows)
        outputs = self._entries(graph.output_offsets, graph.outputs, self.outputs, further, rows)
        frames = self._frames(further, head + rows)
        unpriced = np.zeros(len(graph), dtype=np.int64)
        unpriced[list(graph.unpriced)] = 1
        behind = whole * size["storage"]
        return replace(
            graph,
            names=graph.names[:head] + graph.names[op] * whole + graph.names[op][:short],
            kinds=graph.kinds[:head] + graph.kinds[op] * whole + graph.kinds[op][:short],
            op_frame=repeated(graph.op_frame, (graph.op_frame[op] >= self.model.frame.start) * size["frame"]),
            flops=repeated(graph.flops, self.growth["flops"]),
            elementwise_flops=repeated(graph.elementwise_flops, self.growth["elementwise_flops"]),
            read_bytes=repeated(graph.read_bytes, self.growth["read_bytes"]),
            written_bytes=repeated(graph.written_bytes, self.growth["written_bytes"]),
            in_place=repeated(graph.in_place),
            input_offsets=inputs[0],
            inputs=inputs[1],
            output_offsets=outputs[0],
            outputs=outputs[1],
            tensors=(*graph.tensors[: self.end.tensor.start], *self._tensors(further)),
            frames=frames,
            kept=tuple(s + behind * (s >= self.before.storage.start) for s in graph.kept),
            experts=self._experts(further, len(frames)),
            unpriced=tuple(np.flatnonzero(repeated(unpriced)).tolist()),
        )

    def _entries(
        self,
        offsets: IntArray,
        entries: IntArray,
        moved: tuple[IntArray, IntArray, IntArray],
        further: IntArray,
        rows: int,
    ) -> tuple[IntArray, IntArray]:
        """Offsets and entries of all operations, of inputs or of outputs."""
        counts, there, moves = moved
        head = self.end.op.start
        lengths = np.concatenate([np.diff(offsets)[:head], np.tile(counts, len(further))[:rows]])
        found = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        added = (there + further[:, None] * (moves * self.sizes["tensor"])).reshape(-1)
        return found, np.concatenate([entries[: offsets[head]], added[: found[-1] - offsets[head]]])

    def _tensors(self, further: IntArray) -> list[TensorSpec]:
        tensors, size, memory = self.graph.tensors, self.sizes["tensor"], self.sizes["storage"]
        model, before = tensors[self.model.tensor], tensors[self.before.tensor]
        last = tensors[self.end.tensor]
        _require(all(_alike(a, b) for a, b in zip(before, model, strict=True)))
        moves = _moves(np.asarray([b.storage - a.storage for a, b in zip(before, model, strict=True)]), memory)
        growth = [
            tuple(y - x for x, y in zip(a.shape, b.shape, strict=True)) for a, b in zip(before, model, strict=True)
        ]
        packed = [(b.stored_bytes or 0) - (a.stored_bytes or 0) for a, b in zip(before, model, strict=True)]
        made = []
        for k in further.tolist():
            for spec, move, grows, more in zip(model, moves.tolist(), growth, packed, strict=True):
                shape = tuple(x + k * g for x, g in zip(spec.shape, grows, strict=True)) if any(grows) else spec.shape
                stored = None if spec.stored_bytes is None else spec.stored_bytes + k * more
                made.append(
                    TensorSpec(shape, spec.dtype, spec.storage + k * move * memory, spec.role, spec.name, stored)
                )
        _require(list(last) == made[: len(last)])
        return made[: size * (len(further) - 1) + len(last)]

    def _frames(self, further: IntArray, rows: int) -> tuple[Frame, ...]:
        frames, model = self.graph.frames, self.model.frame
        inside, short = frames[model], frames[self.end.frame]
        _require(
            [(f.module, f.class_name, f.stage) for f in short]
            == [(f.module, f.class_name, f.stage) for f in inside[: len(short)]]
        )
        per_frame, per_op = self.sizes["frame"], self.sizes["op"]
        made = []
        for k in further.tolist():
            for f in inside:
                parent = f.parent + k * per_frame if f.parent >= model.start else f.parent
                step = f.step + k if f.step >= 0 else f.step
                made.append(
                    Frame(
                        f.module,
                        f.class_name,
                        parent,
                        f.first_op + k * per_op,
                        f.end_op + k * per_op,
                        f.stage,
                        f.layer,
                        f.timed,
                        step,
                    )
                )
        _require(list(short) == made[: len(short)])
        made = made[: per_frame * (len(further) - 1) + len(short)]
        around = [replace(f, end_op=rows) if f.end_op == len(self.graph) else f for f in frames[: self.end.frame.start]]
        return (*around, *made)

    def _experts(self, further: IntArray, frames: int) -> tuple[ExpertLoad, ...]:
        model, size = self.model.frame, self.sizes["frame"]
        own = [load for load in self.graph.experts if model.start <= load.frame < model.stop]
        made = [replace(load, frame=load.frame + k * size) for k in further.tolist() for load in own]
        before = [load for load in self.graph.experts if load.frame < self.end.frame.start]
        return (*before, *(load for load in made if load.frame < frames))


def _length(of: slice) -> int:
    return int(of.stop - of.start)


def _moves(differences: IntArray, size: int) -> IntArray:
    """1 where a number grows by `size` from step to step, 0 where it stays."""
    moves: IntArray = (differences != 0).astype(np.int64)
    _require(bool(np.all(differences == moves * size)))
    return moves


def _alike(a: TensorSpec, b: TensorSpec) -> bool:
    return (a.dtype, a.role, a.name, a.stored_bytes is None, len(a.shape)) == (
        b.dtype,
        b.role,
        b.name,
        b.stored_bytes is None,
        len(b.shape),
    )


def _require(holds: bool) -> None:
    if not holds:
        raise IrregularSteps("a decode step does not follow from the one before it")
