"""Graphs made from others: operations left out, repeated, or put between, in the frames that they stood in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from cyclescope.core.collectives import Collective, CollectiveKind
from cyclescope.core.graph.frame import Frame
from cyclescope.core.graph.graph import Graph
from cyclescope.core.graph.op import Cost, OpKind
from cyclescope.core.graph.structure import RECEIVE
from cyclescope.core.graph.tensor import TensorRole, TensorSpec
from cyclescope.core.units import IntArray

_WAIT = -1
_RECEIVE = Frame("", "Receive", 0, 0, 0, RECEIVE, None, False)
_SHARED = (TensorRole.PARAMETER, TensorRole.BUFFER)


@dataclass(frozen=True, slots=True)
class _Row:
    name: str
    kind: OpKind
    place: tuple[tuple[int, int], ...]  # frames around it from the outermost, each with the copy that it belongs to
    cost: Cost
    in_place: int
    reads: tuple[int, ...]
    writes: tuple[int, ...]
    priced: bool


@dataclass
class Rebuilding:
    """Takes operations of `graph` in a new order, each as part of a `copy`; every copy has activations of its own."""

    graph: Graph
    copies: int = 1
    rows: list[_Row] = field(default_factory=list)
    tensors: list[TensorSpec] = field(default_factory=list)
    collectives: list[Collective] = field(default_factory=list)
    origin: list[int] = field(default_factory=list)  # the operation that each row was, −1 for what was put between
    _known: dict[tuple[int, int], int] = field(default_factory=dict)
    _storages: dict[tuple[int, int], int] = field(default_factory=dict)
    _paths: dict[tuple[int, int], tuple[tuple[int, int], ...]] = field(default_factory=dict)

    def tensor(self, t: int, copy: int = 0) -> int:
        """The number here of tensor `t` in `copy`."""
        spec = self.graph.tensors[t]
        key = (t, 0 if spec.role in _SHARED else copy)
        if key not in self._known:
            place = self.storage(spec.storage, key[1])
            self._known[key] = self.add(
                TensorSpec(spec.shape, spec.dtype, place, spec.role, spec.name, spec.stored_bytes)
            )
        return self._known[key]

    def storage(self, storage: int, copy: int = 0) -> int:
        return self._storages.setdefault((storage, copy), len(self._storages))

    def add(self, spec: TensorSpec) -> int:
        """One more tensor."""
        self.tensors.append(spec)
        return len(self.tensors) - 1

    def fresh(self, spec: TensorSpec) -> int:
        """A tensor like `spec` in memory of its own."""
        key = (-1 - len(self._storages), 0)
        return self.add(replace(spec, storage=self._storages.setdefault(key, len(self._storages))))

    def take(
        self,
        i: int,
        copy: int = 0,
        cost: Cost | None = None,
        reads: Mapping[int, int] | None = None,
        writes: Mapping[int, int] | None = None,
    ) -> None:
        """Operation `i`, where `reads` and `writes` name tensors of the new graph in the place of some of the old."""
        graph = self.graph
        given, made = reads or {}, writes or {}
        operands, results = graph.operands
        self.rows.append(
            _Row(
                graph.names[i],
                graph.kinds[i],
                self._place(int(graph.op_frame[i]), copy),
                cost or graph.cost(i),
                int(graph.in_place[i]),
                tuple(given[t] if t in given else self.tensor(t, copy) for t in operands[i]),
                tuple(made[t] if t in made else self.tensor(t, copy) for t in results[i]),
                i not in self._unpriced,
            )
        )
        self.origin.append(i)

    def collective(
        self,
        kind: CollectiveKind,
        frame: int,
        reads: Sequence[int],
        writes: Sequence[int],
        *,
        ranks: int,
        hosts: int,
        copy: int = 0,
    ) -> None:
        """A collective in `frame` of the old graph: the message is what it writes, or what it sends."""
        message = sum(self.tensors[t].bytes for t in (writes or reads))
        read, written = (sum(self.tensors[t].bytes for t in ts) for ts in (reads, writes))
        self.collectives.append(Collective(len(self.rows), kind, ranks, message, hosts))
        in_place = int(bool(writes) and tuple(writes) == tuple(reads))
        place = self._place(frame, copy)
        if kind is CollectiveKind.RECEIVE:  # a stage of its own: what it takes is no work of the layers around it
            place = (*place, (_WAIT, len(self.rows)))
        row = _Row(
            kind.value, OpKind.COLLECTIVE, place, Cost(0, 0, read, written), in_place, tuple(reads), tuple(writes), True
        )
        self.rows.append(row)
        self.origin.append(-1)

    def view(self, name: str, frame: int, operand: int, result: int, copy: int = 0) -> None:
        """A view that takes nothing but its dispatch, in `frame` of the old graph."""
        self.rows.append(_Row(name, OpKind.VIEW, self._place(frame, copy), Cost(), 0, (operand,), (result,), True))
        self.origin.append(-1)

    @property
    def _unpriced(self) -> frozenset[int]:
        found: frozenset[int] | None = self.__dict__.get("_unpriced_rows")
        if found is None:
            found = self.__dict__["_unpriced_rows"] = frozenset(self.graph.unpriced)
        return found

    def _place(self, frame: int, copy: int) -> tuple[tuple[int, int], ...]:
        key = (frame, copy)
        if key not in self._paths:
            above = self.graph.frames[frame].parent
            self._paths[key] = (*self._place(above, copy), key) if frame > 0 else ()
        return self._paths[key]

    def build(self) -> Graph:
        """The graph, checked."""
        frames, op_frame, number = self._frames()
        kept = {self._storages[s, c] for s in self.graph.kept for c in range(self.copies) if (s, c) in self._storages}
        loads = tuple(
            replace(load, frame=number[load.frame, copy])
            for load in self.graph.experts
            for copy in range(self.copies)
            if (load.frame, copy) in number
        )
        rows = self.rows
        graph = replace(
            self.graph,
            names=tuple(row.name for row in rows),
            kinds=tuple(row.kind for row in rows),
            op_frame=op_frame,
            flops=_column([row.cost.flops for row in rows]),
            elementwise_flops=_column([row.cost.elementwise_flops for row in rows]),
            read_bytes=_column([row.cost.read_bytes for row in rows]),
            written_bytes=_column([row.cost.written_bytes for row in rows]),
            in_place=_column([row.in_place for row in rows]),
            input_offsets=_column(np.cumsum([0] + [len(row.reads) for row in rows]).tolist()),
            inputs=_column([t for row in rows for t in row.reads]),
            output_offsets=_column(np.cumsum([0] + [len(row.writes) for row in rows]).tolist()),
            outputs=_column([t for row in rows for t in row.writes]),
            tensors=tuple(self.tensors),
            frames=frames,
            kept=tuple(sorted(kept)),
            experts=loads,
            unpriced=tuple(i for i, row in enumerate(rows) if not row.priced),
            collectives=tuple(self.collectives),
        )
        graph.self_check()
        return graph

    def _frames(self) -> tuple[tuple[Frame, ...], IntArray, dict[tuple[int, int], int]]:
        """Frames in order of entry, the frame of each row, and the number of each (frame, copy)."""
        old = self.graph.frames
        frames = [replace(old[0], first_op=0, end_op=len(self.rows))]
        number: dict[tuple[int, int], int] = {}
        open_: list[tuple[int, int]] = []
        direct = [0]
        op_frame = []
        for at, row in enumerate(self.rows):
            common = 0
            while common < min(len(open_), len(row.place)) and open_[common] == row.place[common]:
                common += 1
            _close(frames, number, open_[common:], at)
            del open_[common:]
            for key in row.place[common:]:
                parent = number[open_[-1]] if open_ else 0
                number[key] = len(frames)
                of = old[key[0]] if key[0] >= 0 else _RECEIVE
                step = of.step if key[0] >= 0 else frames[parent].step
                frames.append(replace(of, parent=parent, first_op=at, end_op=at, step=step))
                direct.append(0)
                open_.append(key)
            op_frame.append(number[open_[-1]] if open_ else 0)
            direct[op_frame[-1]] += 1
        _close(frames, number, open_, len(self.rows))
        # A call that holds an operation and a collective has stamps of its own; one with a single operation needs none.
        behind = {op_frame[c.op] for c in self.collectives if op_frame[c.op] > 0}
        frames = [replace(f, timed=True) if k in behind and direct[k] > 1 else f for k, f in enumerate(frames)]
        return tuple(frames), _column(op_frame), number


def _close(
    frames: list[Frame], number: Mapping[tuple[int, int], int], keys: Sequence[tuple[int, int]], at: int
) -> None:
    for key in keys:
        frames[number[key]] = replace(frames[number[key]], end_op=at)


def _column(values: Sequence[int]) -> IntArray:
    return np.asarray(values, dtype=np.int64)
