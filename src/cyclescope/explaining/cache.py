"""What decode steps keep for each other, found in the graph: no list of cache classes, no shapes to know."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from cyclescope.core.graph.graph import Graph
from cyclescope.core.graph.op import OpKind
from cyclescope.core.graph.tensor import TensorRole
from cyclescope.core.units import IntArray


def cache_bytes(graph: Graph, steps: int) -> IntArray:
    """Bytes that each step reads of what earlier steps left behind in their layers [steps]; the prefill reads none.

    That is the cache, however it is made: keys and values that grow by a token, a buffer of full length that is written in
    place, the keys and values of an encoder's output, the state of a layer without attention. Memory counts if a layer
    wrote it in an earlier step and a layer reads it; so the tokens and masks that pass from step to step outside of the
    layers do not. Each piece of memory counts once in a step, with the largest tensor that is read of it (a view that
    repeats what it shows: with the memory behind it).
    """
    read: list[dict[int, int]] = [{} for _ in range(steps)]
    for step, storage, size in _reads_of_earlier_steps(graph):
        read[step][storage] = max(read[step].get(storage, 0), size)
    return np.asarray([sum(pieces.values()) for pieces in read], dtype=np.int64)


def cache_storages(graph: Graph) -> frozenset[int]:
    """The memory that `cache_bytes` counts in any step. What the last step leaves behind, no step reads any more."""
    return frozenset(storage for _, storage, _ in _reads_of_earlier_steps(graph))


def _reads_of_earlier_steps(graph: Graph) -> Iterator[tuple[int, int, int]]:
    """Every read in a layer of what a layer wrote in an earlier step: step, memory, bytes."""
    step_of = steps_of_ops(graph)
    in_layers = (step_of >= 0) & (graph.op_layer >= 0)
    ops = _touching_old_memory(graph, np.where(in_layers, step_of, -1))
    allocated = _allocated(graph)
    position = graph.storages[1]
    written: dict[int, int] = {}  # memory -> the step of a layer that wrote it last; absent if none did
    for i in ops.tolist():
        k, in_layer = int(step_of[i]), bool(in_layers[i])
        if in_layer:
            for t in graph.reads(i):
                spec = graph.tensors[t]
                if spec.role is not TensorRole.PARAMETER and written.get(spec.storage, k) < k:
                    yield k, spec.storage, min(spec.bytes, int(allocated[position[t]]))
        for t in graph.writes(i):
            storage = graph.tensors[t].storage
            if not in_layer:
                written.pop(storage, None)
            elif graph.in_place[i]:
                # A write in place adds to what lies there: the memory is as old as its first writer.
                written.setdefault(storage, k)
            else:
                written[storage] = k


def _touching_old_memory(graph: Graph, step: IntArray) -> IntArray:
    """The operations that move something in memory that is written in one step and read in a later one, in order.

    `step` [n] is that of operations in layers, −1 elsewhere. Of a graph nearly all memory lives within one step, so what
    is left is little.
    """
    moves = ~graph.of_kind(OpKind.VIEW)
    reads, writes = (entries.taken(moves[entries.op]) for entries in (graph.read_entries, graph.write_entries))
    count = len(graph.storages[0])
    first_written, last_read = np.full(count, len(graph), dtype=np.int64), np.full(count, -1, dtype=np.int64)
    inside = step[writes.op] >= 0
    np.minimum.at(first_written, writes.storage[inside], step[writes.op[inside]])
    np.maximum.at(last_read, reads.storage, step[reads.op])
    old = last_read > first_written
    touching = np.zeros(len(graph), dtype=bool)
    touching[reads.op[old[reads.storage]]] = touching[writes.op[old[writes.storage]]] = True
    return np.flatnonzero(touching)


def _allocated(graph: Graph) -> IntArray:
    """Bytes of each storage [storages] that an operation wrote: the largest tensor that was written there."""
    writes = graph.write_entries.taken(~graph.of_kind(OpKind.VIEW)[graph.write_entries.op])
    allocated = np.zeros(len(graph.storages[0]), dtype=np.int64)
    np.maximum.at(allocated, writes.storage, graph.tensor_bytes[writes.tensor])
    return allocated


def steps_of_ops(graph: Graph) -> IntArray:
    """Step of every operation [n], as its slot is booked."""
    return graph.slots.step[graph.slots.of_op]
