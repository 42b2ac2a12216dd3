"""From which level of the memory each operation must take its tensors: by what was touched since it had them last.

The caches are taken for one that evicts what was used longest ago (LRU) and holds whole tensors, which is the stack model
of Mattson et al. (1970). What it cannot know is decided in favour of the machine, so that the time it implies is a bound:
a result lies where the last result of about its size was freed, as an allocator hands it out; a tensor is freed right
after its last use; a part of a tensor that is read again is the part that was touched last.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from cyclescope.core.graph.graph import Graph
from cyclescope.core.graph.op import OpKind
from cyclescope.core.graph.tensor import TensorRole
from cyclescope.core.units import BoolArray, IntArray
from cyclescope.explaining.stack_distance import stack_distances


@dataclass(frozen=True, eq=False)
class MemoryTraffic:
    """Every touch of a piece of memory by an operation, in order of time; columns have one row a touch [touches].

    `bytes` is what the operation moves there, read and written together. `distance_bytes` is what a cache must hold so
    that it is still there: the distinct memory touched since it was touched before, itself included.
    """

    op: IntArray
    bytes: IntArray
    distance_bytes: IntArray


def traffic(graph: Graph) -> MemoryTraffic:
    """What the operations of `graph` move, in a steady loop of the same cycle. Views move nothing."""
    found = touched_by(graph)
    blocks = blocks_of(found.storage_bytes, found.born, found.dies)
    return MemoryTraffic(found.op, found.bytes, stack_distances(blocks[found.storage], found.most))


@dataclass(frozen=True, eq=False)
class Touched:
    """What the operations of a graph touch, before anything is said of distances: `op`, `storage`, `bytes` and `most` (the larger
    of read and written) have one row a touch [touches]; `storage_bytes`, `born` and `dies` one a storage.
    """

    op: IntArray
    storage: IntArray
    bytes: IntArray
    most: IntArray
    storage_bytes: IntArray
    born: IntArray
    dies: IntArray


def touched_by(graph: Graph) -> Touched:
    """The touches of `graph` in order of time. Views touch nothing."""
    storages = _Storages.of(graph)
    read = _moved(graph, storages, graph.input_offsets, graph.inputs)
    written = _moved(graph, storages, graph.output_offsets, graph.outputs)
    # What an operation writes in place it need not read (a copy into it); if it must, its cost has room for that too.
    overwritten = np.isin(_keys(read, len(storages.bytes)), _keys(written, len(storages.bytes)))
    read = _fitted(read, overwritten, graph.read_bytes)
    written = _fitted(written, np.zeros(len(written.op), dtype=bool), graph.written_bytes)
    touched, most = _merged(read, written, len(storages.bytes))
    return Touched(touched.op, touched.storage, touched.bytes, most, storages.bytes, storages.born, storages.dies)


@dataclass(frozen=True, eq=False)
class _Touches:
    """Bytes of `storage` that `op` moves [touches]."""

    op: IntArray
    storage: IntArray
    bytes: IntArray


@dataclass(frozen=True, eq=False)
class _Storages:
    """The memory behind the tensors: `of_tensor` and `tensor_bytes` [tensors]; `bytes`, `born` and `dies` [storages].

    `born` and `dies` are the first and the last operation that moves something there; what stood there before the
    cycle, or lies in Python's memory only, has `born` −1.
    """

    of_tensor: IntArray
    tensor_bytes: IntArray
    bytes: IntArray
    born: IntArray
    dies: IntArray

    @staticmethod
    def of(graph: Graph) -> _Storages:
        numbers, of_tensor = graph.storages
        count = len(numbers)
        # Text is held by Python, and its bytes pass through no operation of the engine.
        text = np.fromiter((spec.dtype == "text" for spec in graph.tensors), np.bool_, len(graph.tensors))
        tensor_bytes = np.where(text, 0, graph.tensor_bytes)
        stood = ~graph.of_role(TensorRole.ACTIVATION)
        writer, written = _entries(graph, graph.output_offsets, graph.outputs)
        reader, read = _entries(graph, graph.input_offsets, graph.inputs)
        # A view can repeat what it shows, so its bytes count only where nothing else tells how much memory there is.
        shown = np.ones(len(graph.tensors), dtype=bool)
        shown[written] = False
        shown[stood] = False
        made_bytes, shown_bytes = np.zeros((2, count), dtype=np.int64)
        np.maximum.at(made_bytes, of_tensor[~shown], tensor_bytes[~shown])
        np.maximum.at(shown_bytes, of_tensor[shown], tensor_bytes[shown])
        first_read, first_write = np.full((2, count), len(graph), dtype=np.int64)
        np.minimum.at(first_read, of_tensor[read], reader)
        np.minimum.at(first_write, of_tensor[written], writer)
        dies = np.full(count, -1, dtype=np.int64)
        np.maximum.at(dies, of_tensor[np.concatenate([read, written])], np.concatenate([reader, writer]))
        stands = np.zeros(count, dtype=bool)
        stands[of_tensor[stood]] = True
        born = np.where(~stands & (first_write < len(graph)) & (first_write <= first_read), first_write, -1)
        return _Storages(of_tensor, tensor_bytes, np.where(made_bytes > 0, made_bytes, shown_bytes), born, dies)


def _entries(graph: Graph, offsets: IntArray, tensors: IntArray) -> tuple[IntArray, IntArray]:
    """Operation and tensor of every entry of compressed rows [entries], without those of views."""
    op = np.repeat(np.arange(len(graph), dtype=np.int64), np.diff(offsets))
    moves = ~graph.of_kind(OpKind.VIEW)[op]
    return op[moves], tensors[moves]


def _keys(touches: _Touches, storages: int) -> IntArray:
    """One number for each pair of operation and storage [touches]."""
    return touches.op * storages + touches.storage


def _moved(graph: Graph, storages: _Storages, offsets: IntArray, tensors: IntArray) -> _Touches:
    """What each operation touches of each storage by its list of tensors, in the order of that list.

    Tensors that share memory (the three thirds of one product) add up, to no more than the memory that there is.
    """
    op, tensor = _entries(graph, offsets, tensors)
    _, once = np.unique(op * len(graph.tensors) + tensor, return_index=True)
    op, tensor = op[once], tensor[once]
    order = np.argsort(once, kind="stable")
    op, tensor = op[order], tensor[order]
    storage = storages.of_tensor[tensor]
    _, first, group = np.unique(op * len(storages.bytes) + storage, return_index=True, return_inverse=True)
    size = np.bincount(group, storages.tensor_bytes[tensor], minlength=len(first)).astype(np.int64)
    order = np.argsort(first, kind="stable")
    first = first[order]
    size = np.minimum(size[order], storages.bytes[storage[first]])
    return _Touches(op[first], storage[first], size)


def _fitted(touches: _Touches, gives_way: BoolArray, limit: IntArray) -> _Touches:
    """`touches` with no more bytes of an operation together than its `limit` [operations].

    A lookup reads some rows of its table, and no formula says so of one tensor: the largest gives way, since the others
    are indices; before it, what `gives_way`.
    """
    order = np.lexsort((touches.bytes, gives_way, touches.op))
    op, size = touches.op[order], touches.bytes[order]
    before = np.cumsum(size) - size
    first = np.flatnonzero(np.append(True, op[1:] != op[:-1])) if len(op) else op
    before -= np.repeat(before[first], np.diff(np.append(first, len(op))))
    fitted = np.empty_like(size)
    fitted[order] = np.clip(limit[op] - before, 0, size)
    return replace(touches, bytes=fitted)


def _merged(read: _Touches, written: _Touches, storages: int) -> tuple[_Touches, IntArray]:
    """Reads and writes of one operation in one storage as one touch, and the larger of the two [touches].

    In the order of the operations, in each what it reads first; without those that move nothing.
    """
    op = np.concatenate([read.op, written.op])
    storage = np.concatenate([read.storage, written.storage])
    size = np.concatenate([read.bytes, written.bytes])
    _, first, group = np.unique(op * storages + storage, return_index=True, return_inverse=True)
    total = np.bincount(group, size, minlength=len(first)).astype(np.int64)
    most = np.zeros(len(first), dtype=np.int64)
    np.maximum.at(most, group, size)
    order = np.lexsort((first, op[first]))
    order = order[total[order] > 0]
    return _Touches(op[first][order], storage[first][order], total[order]), most[order]


def blocks_of(storage_bytes: IntArray, born: IntArray, dies: IntArray) -> IntArray:
    """Block of memory that each storage lies in [storages], named by the first storage that lay there.

    Freed memory is handed out again by powers of two, the last freed first, as allocators do that keep lists by size.
    """
    place = list(range(len(storage_bytes)))
    sizes = np.frexp(storage_bytes.astype(np.float64))[1].tolist()
    passing = np.flatnonzero(born >= 0)
    arrivals = passing[np.argsort(born[passing], kind="stable")].tolist()
    departures = passing[np.argsort(dies[passing], kind="stable")].tolist()
    comes, goes = born.tolist(), dies.tolist()
    free: dict[int, list[int]] = {}
    gone = 0
    for s in arrivals:
        while goes[departures[gone]] < comes[s]:
            left = departures[gone]
            free.setdefault(sizes[left], []).append(place[left])
            gone += 1
        if free.get(sizes[s]):
            place[s] = free[sizes[s]].pop()
    return np.asarray(place, dtype=np.int64)
