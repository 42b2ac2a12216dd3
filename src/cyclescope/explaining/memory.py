"""What a cycle holds in memory while each of its operations runs: computed from the graph, and as it was seen.

Memory is counted by storages: a view shares the memory of what it shows, and what is written in place counts once.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

import numpy as np

from cyclescope.core.graph.graph import Graph
from cyclescope.core.graph.op import OpKind
from cyclescope.core.graph.tensor import TensorRole
from cyclescope.core.samples import MemorySamples
from cyclescope.core.units import BoolArray, IntArray
from cyclescope.explaining.cache import cache_storages, steps_of_ops

_MOST_PIECES = 5


class Holding(StrEnum):
    """What memory is held for."""

    WEIGHTS = "weights"
    BUFFERS = "buffers"
    INPUTS = "inputs"
    ACTIVATIONS = "activations"
    CACHE = "cache"


@dataclass(frozen=True, eq=False)
class Held:
    """Bytes held while each operation runs.

    `weights`, `buffers` and `inputs` are there throughout; `activations` [n] and `cache` [n] come and go.
    """

    weights: int
    buffers: int
    inputs: int
    activations: IntArray
    cache: IntArray

    @cached_property
    def passing(self) -> IntArray:
        """What comes and goes, while each operation runs [n]."""
        return self.activations + self.cache

    @cached_property
    def total(self) -> IntArray:
        """All of it, while each operation runs [n]."""
        return self.passing + (self.weights + self.buffers + self.inputs)

    @property
    def peak_op(self) -> int:
        """The first operation during which the most is held."""
        return int(np.argmax(self.total))

    @property
    def peak(self) -> int:
        return int(self.total.max())

    def at(self, op: int) -> dict[Holding, int]:
        """What is held while `op` runs; adds up to `total[op]`."""
        return {
            Holding.WEIGHTS: self.weights,
            Holding.BUFFERS: self.buffers,
            Holding.INPUTS: self.inputs,
            Holding.ACTIVATIONS: int(self.activations[op]),
            Holding.CACHE: int(self.cache[op]),
        }


@dataclass(frozen=True, slots=True)
class HeldPiece:
    """One piece of memory that is held at the peak; `maker` is the operation that first wrote it, or that first reads what
    was there before.
    """

    maker: int
    bytes: int
    holding: Holding


@dataclass(frozen=True, eq=False)
class Memory:
    """`largest` are the largest pieces at the computed peak, weights left out, `needed` is the peak that no order of
    freeing can go below: everything freed right after its last use. `measured` is None where it was not measured.
    """

    computed: Held
    needed: int
    largest: tuple[HeldPiece, ...]
    measured: Held | None = None
    resident_bytes: int | None = None
    resident_peak_bytes: int | None = None


def memory(graph: Graph, seen: MemorySamples | None = None) -> Memory | None:
    """What a cycle of `graph` holds; None for a graph without operations, or with calls that tell nothing of it.

    A storage lives from the operation that first writes it to the last that touches it. Two things live longer, as
    they do in PyTorch's eager mode: what a module is given, until the module returns (the caller holds it); and what
    is kept beyond the cycle (`Graph.kept`; where a graph does not know, what nothing reads), to its end. The cache that a
    step finds is there from its beginning. Nothing that is internal to an operation is counted.
    """
    if not len(graph) or graph.opaque:
        return None
    lives = _Lives.of(graph)
    computed = lives.held(graph, lives.last_held)
    needed = lives.held(graph, lives.last_used)
    measured = (
        _measured(graph, seen, lives.numbers[lives.is_cache == 1]) if seen is not None and len(seen.look_op) else None
    )
    return Memory(
        computed=computed,
        needed=needed.peak,
        largest=lives.largest(computed.peak_op),
        measured=measured,
        resident_bytes=seen.resident_bytes if seen is not None else None,
        resident_peak_bytes=seen.resident_peak_bytes if seen is not None else None,
    )


@dataclass(frozen=True, eq=False)
class _Lives:
    """Storages, in ascending order of their `numbers` [storages]: size, what they are held for, and from where to where
    they live. `role` is a position in `_ROLES`; `first` is −1 for what stands there throughout; `maker` is the first operation that touches a storage.
    """

    numbers: IntArray
    sizes: IntArray
    role: IntArray
    is_cache: IntArray
    maker: IntArray
    first: IntArray
    last_used: IntArray
    last_held: IntArray

    @staticmethod
    def of(graph: Graph) -> _Lives:
        n = len(graph)
        numbers, storage_of = graph.storages
        count = len(numbers)
        role = _roles(graph, storage_of, count)
        reader, read = graph.read_entries.op, graph.read_entries.storage
        writer, written = graph.write_entries.op, graph.write_entries.storage
        first = np.full(count, n, dtype=np.int64)
        np.minimum.at(first, written, writer)
        last_used = np.full(count, -1, dtype=np.int64)
        np.maximum.at(last_used, np.concatenate([read, written]), np.concatenate([reader, writer]))
        found = role == _ROLES.index(TensorRole.CACHE)
        maker = first.copy()
        np.minimum.at(maker, read, reader)
        lives = (first < n) & (role == _ROLES.index(TensorRole.ACTIVATION))
        first[~lives] = -1
        steps = steps_of_ops(graph)
        is_cache, left = _cache(graph, steps, first, numbers, storage_of)
        last_used[left] = n - 1
        if graph.kept:
            last_used[np.isin(numbers, graph.kept) & (lives | found)] = n - 1
        else:
            _keep_results(graph, steps, first, last_used, np.bincount(read, minlength=count))
        if found.any():
            is_cache[found | _grown(graph, numbers, first, found, (reader, read))] = 1
            first[found] = 0
        last_held = last_used.copy()
        # A cache that grows is replaced while the module that was given it runs.
        given = (first[read] >= 0) & (is_cache[read] == 0)
        _hold_arguments(graph, reader[given], read[given], first, last_held)
        sizes = _sizes(graph, storage_of, count)
        return _Lives(numbers, sizes, role, is_cache, maker, first, last_used, last_held)

    def held(self, graph: Graph, last: IntArray) -> Held:
        """Bytes held while each operation runs, where storages live until `last`."""
        come = self.first >= 0
        cache = come & (self.is_cache == 1)

        def standing(role: TensorRole) -> int:
            return int(self.sizes[(self.role == _ROLES.index(role)) & ~come].sum())

        def series(chosen: IntArray) -> IntArray:
            return _alive(self.sizes[chosen], self.first[chosen], last[chosen], len(graph))

        return Held(
            weights=standing(TensorRole.PARAMETER),
            buffers=standing(TensorRole.BUFFER),
            inputs=standing(TensorRole.INPUT),
            activations=series(np.flatnonzero(come & ~cache)),
            cache=series(np.flatnonzero(cache)),
        )

    def largest(self, op: int) -> tuple[HeldPiece, ...]:
        """The largest pieces that are held while `op` runs."""
        there = np.flatnonzero((self.first >= 0) & (self.first <= op) & (op <= self.last_held) & (self.sizes > 0))
        order = there[np.argsort(-self.sizes[there], kind="stable")][:_MOST_PIECES]
        return tuple(
            HeldPiece(
                int(self.maker[s]), int(self.sizes[s]), Holding.CACHE if self.is_cache[s] else Holding.ACTIVATIONS
            )
            for s in order
        )


# What stood there before the cycle stays that, whatever is written into it: the later one holds.
_ROLES = (TensorRole.ACTIVATION, TensorRole.CACHE, TensorRole.INPUT, TensorRole.BUFFER, TensorRole.PARAMETER)


def _roles(graph: Graph, storage_of: IntArray, count: int) -> IntArray:
    """Role of each storage, as a position in `_ROLES` [storages]."""
    roles = np.zeros(count, dtype=np.int64)
    for rank, role in enumerate(_ROLES):  # the later ones over the earlier
        roles[storage_of[graph.of_role(role)]] = rank
    return roles


def _sizes(graph: Graph, storage_of: IntArray, count: int) -> IntArray:
    """Bytes of each storage: the largest tensor that was made there.

    A view may seem larger than its memory (it can repeat what it shows), so views count only where there is nothing
    else to go by.
    """
    made, shown = np.zeros((2, count), dtype=np.int64)
    view = np.zeros(len(graph.tensors), dtype=bool)
    is_view = graph.of_kind(OpKind.VIEW)[graph.write_entries.op]
    view[graph.outputs[is_view]] = True
    view[graph.outputs[~is_view]] = False
    # Text is held by Python, beside what the engine holds.
    held = np.fromiter((spec.dtype != "text" for spec in graph.tensors), np.bool_, len(graph.tensors))
    for column, chosen in ((made, held & ~view), (shown, held & view)):
        np.maximum.at(column, storage_of[chosen], graph.tensor_bytes[chosen])
    return np.where(made > 0, made, shown)


def _cache(
    graph: Graph, steps: IntArray, first: IntArray, numbers: IntArray, storage_of: IntArray
) -> tuple[IntArray, IntArray]:
    """1 for each storage that is cache [storages], and which of them the last step leaves behind.

    No step reads what the last one leaves. It is known by its makers: they stand where those of the step before stood.
    """
    is_cache = (np.isin(numbers, list(cache_storages(graph))) & (first >= 0)).astype(np.int64)
    known = np.flatnonzero(is_cache)
    last_step = int(steps.max(initial=-1))
    if last_step < 1 or not len(known):
        return is_cache, np.zeros(0, dtype=np.int64)
    made = np.flatnonzero(first >= 0)
    made = made[steps[first[made]] == last_step]
    known = known[steps[first[known]] == last_step - 1]
    place = _places_in_frames(graph, np.concatenate([first[made], first[known]]))
    before = {place[i] for i in first[known].tolist()}
    is_cache[[s for s, i in zip(made.tolist(), first[made].tolist(), strict=True) if place[i] in before]] = 1
    # What is written into, step after step, stays too.
    written: set[int] = set()
    for i in np.flatnonzero(steps == last_step).tolist():
        if graph.kinds[i] is not OpKind.VIEW:
            written.update(storage_of[list(graph.writes(i))].tolist())
    return is_cache, np.asarray([s for s in np.flatnonzero(is_cache).tolist() if s in written], dtype=np.int64)


def _grown(
    graph: Graph, numbers: IntArray, first: IntArray, found: BoolArray, reads: tuple[IntArray, IntArray]
) -> BoolArray:
    """The cache that a step leaves in the place of the one it `found` [storages]: kept, and copied from it.

    `reads` are operations [entries] and the storages that they read [entries].
    """
    reader, read = reads
    made_of_cache = np.zeros(len(graph) + 1, dtype=bool)
    copies = graph.of_kind(OpKind.COPY)
    made_of_cache[:-1][reader[found[read]]] = True
    # What computes with the cache makes a result, and no cache; the last is for `first` = −1.
    made_of_cache[:-1] &= copies
    grown: BoolArray = np.isin(numbers, graph.kept) & made_of_cache[first]
    return grown


def _places_in_frames(graph: Graph, ops: IntArray) -> dict[int, tuple[str, str, int]]:
    """Module, name and which of that name within its frame, for each of `ops`: the same in every step."""
    met: Counter[tuple[int, str]] = Counter()
    places = {}
    wanted = np.zeros(len(graph.frames), dtype=bool)
    wanted[graph.op_frame[ops]] = True
    for i in np.flatnonzero(wanted[graph.op_frame]).tolist():
        frame, name = int(graph.op_frame[i]), graph.names[i]
        places[i] = (graph.frames[frame].module, name, met[frame, name])
        met[frame, name] += 1
    return places


def _keep_results(graph: Graph, steps: IntArray, first: IntArray, last: IntArray, reads: IntArray) -> None:
    """What nothing reads is a result of the cycle and lives to its end, in `last`; inside a layer, or in a step that
    others follow, it is an unused result of a module.
    """
    unread = np.flatnonzero((first >= 0) & (reads == 0))
    ops = first[unread]
    kept = (graph.op_layer[ops] < 0) & np.isin(steps[ops], (-1, int(steps.max(initial=-1))))
    last[unread[kept]] = len(graph) - 1


def _hold_arguments(graph: Graph, reader: IntArray, read: IntArray, first: IntArray, last: IntArray) -> None:
    """Lengthen `last` of what was made before a module's call and is read inside it to the end of the call.

    `reader` [entries] reads storage `read` [entries].
    """
    parent = np.asarray([frame.parent for frame in graph.frames], dtype=np.int64)
    begin = np.asarray([frame.first_op for frame in graph.frames], dtype=np.int64)
    end = np.asarray([frame.end_op for frame in graph.frames], dtype=np.int64)
    frame = graph.op_frame[reader]
    while len(frame):
        inside = (frame > 0) & (begin[frame] > first[read])
        frame, read = frame[inside], read[inside]
        np.maximum.at(last, read, end[frame] - 1)
        frame = parent[frame]


def _alive(sizes: IntArray, first: IntArray, last: IntArray, points: int) -> IntArray:
    """Sum of `sizes` that live from `first` to `last`, both included, at each moment [moments]."""
    change = np.zeros(points + 1, dtype=np.int64)
    np.add.at(change, first, sizes)
    np.add.at(change, last + 1, -sizes)
    return np.cumsum(change)[:points]


def _measured(graph: Graph, seen: MemorySamples, caches: IntArray) -> Held:
    """The looks, by operation: of the looks during one operation the one that saw the most. `caches` are storages."""
    looks = len(seen.look_op)
    cache = np.isin(seen.storages, caches)

    def series(chosen: IntArray) -> IntArray:
        return _alive(seen.sizes[chosen], seen.first[chosen], seen.last[chosen], looks)

    activations, kept = series(np.flatnonzero(~cache)), series(np.flatnonzero(cache))
    # By operation, then by what is held; the last of each operation has the most.
    order = np.lexsort((activations + kept, seen.look_op))
    ops = seen.look_op[order]
    most = order[np.flatnonzero(np.append(ops[1:] != ops[:-1], True))]
    # Text operations are not looked into: what was held before them still is.
    latest = np.searchsorted(seen.look_op[most], np.arange(len(graph)), side="right") - 1
    before = latest < 0

    def by_op(column: IntArray) -> IntArray:
        found: IntArray = column[most][np.maximum(latest, 0)]
        found[before] = 0
        return found

    return Held(seen.weight_bytes, seen.buffer_bytes, seen.input_bytes, by_op(activations), by_op(kept))
