"""What decode steps keep for each other, found in the graph: no list of cache classes, no shapes to know."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from cyclescope.core.graph import Graph
from cyclescope.core.op import OpKind
from cyclescope.core.tensor import TensorRole
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
    allocated = _allocated(graph)
    written: dict[int, int] = {}  # memory -> the step of a layer that wrote it last; absent if none did
    for i in range(len(graph)):
        k = int(step_of[i])
        in_layer = k >= 0 and graph.site(i).layer is not None
        moves_data = graph.kinds[i] is not OpKind.VIEW
        if in_layer and moves_data:
            for t in graph.reads(i):
                spec = graph.tensors[t]
                if spec.role is not TensorRole.PARAMETER and written.get(spec.storage, k) < k:
                    yield k, spec.storage, min(spec.bytes, allocated[spec.storage])
        if not moves_data:
            continue
        for t in graph.writes(i):
            storage = graph.tensors[t].storage
            if not in_layer:
                written.pop(storage, None)
            elif graph.in_place[i]:
                # A write in place adds to what lies there: the memory is as old as its first writer.
                written.setdefault(storage, k)
            else:
                written[storage] = k


def _allocated(graph: Graph) -> dict[int, int]:
    """Bytes of each piece of memory that an operation wrote: the largest tensor that was written there."""
    allocated: dict[int, int] = {}
    for i in range(len(graph)):
        if graph.kinds[i] is not OpKind.VIEW:
            for t in graph.writes(i):
                spec = graph.tensors[t]
                allocated[spec.storage] = max(allocated.get(spec.storage, 0), spec.bytes)
    return allocated


def steps_of_ops(graph: Graph) -> IntArray:
    """Step of every operation [n], as its slot is booked."""
    slots = graph.slots
    steps = np.full(len(graph), -1, dtype=np.int64)
    inside = slots.op >= 0
    steps[slots.op[inside]] = slots.step[inside]
    return steps
