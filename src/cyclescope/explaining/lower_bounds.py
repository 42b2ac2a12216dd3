"""What each operation takes at least: by its products, by the memory it touches, and by the engine that calls it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from cyclescope.core.ceilings import Ceilings, Figure
from cyclescope.core.graph.graph import Graph
from cyclescope.core.graph.op import OpKind
from cyclescope.core.units import NS_PER_S, FloatArray, IntArray
from cyclescope.explaining.product_shape import product_rows, product_type
from cyclescope.explaining.reuse import traffic

MAIN_MEMORY = "memory"


@dataclass(frozen=True, eq=False)
class LowerBounds:
    """Least times by each limit [n], in nanoseconds; those of text operations are 0, since no ceiling is theirs.

    `level` [n] is the position in `level_names` of the level that most of `memory_ns` belongs to, −1 for none.
    `memory_bytes` [n] are those that must come from main memory or go there.
    """

    compute_ns: FloatArray
    memory_ns: FloatArray
    overhead_ns: FloatArray
    memory_bytes: FloatArray
    level: IntArray
    level_names: tuple[str, ...]

    @cached_property
    def levels(self) -> tuple[str, ...]:
        """Name of that level, '' for none."""
        names = (*self.level_names, "")
        return tuple(names[k] for k in self.level.tolist())


def find_lower_bounds(
    graph: Graph, ceilings: Ceilings, threads: int, *, on_device: bool = False, dtype: str = ""
) -> LowerBounds:
    """The lower bounds of `graph` under `ceilings` with `threads` threads (0: the whole device).

    Compute is FLOPs ÷ the ceiling of a product of that type and shape; elementwise work has none of its own and is bound
    by its memory. Memory is the sum over all that is touched, of bytes ÷ the bandwidth of the level that it is found in.
    Overhead is that of a dispatch (on a device: of a launch) for all but views, which compute and move nothing: a
    compiled cycle has none of them.

    Of a graph without tensors (of a trace) only sums are known: its products are held against the peak of `dtype`, and all
    bytes against main memory.
    """
    text, view = graph.of_kind(OpKind.TEXT), graph.of_kind(OpKind.VIEW)
    overheads = ceilings.overheads
    least = overheads.launch_ns if on_device and overheads.launch_ns is not None else overheads.dispatch_ns
    overhead = np.where(text | view, 0.0, max(0.0, least.value) if least is not None else 0.0)
    tied = bool(graph.tensors)
    memory, memory_bytes, level, names = (_memory if tied else _memory_of_sums)(graph, ceilings, threads)
    memory[text] = memory_bytes[text] = 0.0
    level[text] = -1
    compute = _compute(graph, ceilings, threads) if tied else _compute_of_sums(graph, ceilings, threads, dtype)
    return LowerBounds(compute, memory, overhead, memory_bytes, level, names)


def main_memory(ceilings: Ceilings, threads: int) -> Figure | None:
    """Bandwidth of main memory; None where it is not known."""
    levels = ceilings.levels(threads)
    return levels[-1].bytes_per_s if levels and levels[-1].level == MAIN_MEMORY else None


def _compute(graph: Graph, ceilings: Ceilings, threads: int) -> FloatArray:
    """FLOPs ÷ ceiling [n]; 0 where there are no FLOPs, or no ceiling for their type."""
    starts, inputs = graph.input_offsets.tolist(), graph.inputs.tolist()
    ends, outputs = graph.output_offsets.tolist(), graph.outputs.tolist()
    tensors, kinds, flops = graph.tensors, graph.kinds, graph.flops.tolist()
    # A model repeats a few shapes in all of its layers.
    known: dict[object, float] = {}
    ns = np.zeros(len(graph))
    for i in np.flatnonzero(graph.flops > 0).tolist():
        reads = [tensors[t] for t in inputs[starts[i] : starts[i + 1]]]
        result = tensors[outputs[ends[i]]] if ends[i] < ends[i + 1] else None
        shapes = tuple((spec.shape, spec.dtype) for spec in reads)
        key = (kinds[i], flops[i], shapes, result.shape if result is not None else None)
        if key not in known:
            rows = product_rows(kinds[i], reads, result, flops[i])
            ceiling = ceilings.flops_per_s(product_type(reads), rows, threads)
            rate = ceiling.value if ceiling is not None else 0.0
            known[key] = flops[i] / rate * NS_PER_S if rate > 0 else 0.0
        ns[i] = known[key]
    return ns


def _memory(graph: Graph, ceilings: Ceilings, threads: int) -> tuple[FloatArray, FloatArray, IntArray, tuple[str, ...]]:
    """Time by memory, bytes of main memory and level of most of the time [n]; and the names of the levels."""
    n = len(graph)
    levels = [known for known in ceilings.levels(threads) if known.bytes_per_s.value > 0]
    capacities = dict(
        zip((known.level for known in ceilings.levels(threads)), ceilings.capacities(threads), strict=True)
    )
    if not levels:
        return np.zeros(n), np.zeros(n), np.full(n, -1, dtype=np.int64), ()
    touched = traffic(graph)
    holds = np.asarray([capacities[known.level] for known in levels])
    ns_per_byte = np.asarray([NS_PER_S / known.bytes_per_s.value for known in levels])
    found = np.minimum(np.searchsorted(holds, touched.distance_bytes, side="left"), len(levels) - 1)
    ns = touched.bytes * ns_per_byte[found]
    cell = touched.op * len(levels) + found
    by_level = np.bincount(cell, ns, minlength=n * len(levels)).astype(np.float64).reshape(n, len(levels))
    total = by_level.sum(axis=1)
    level = by_level.argmax(axis=1)
    level[total <= 0] = -1
    names = tuple(known.level for known in levels)
    from_memory = touched.bytes * (names[-1] == MAIN_MEMORY) * (found == len(levels) - 1)
    memory_bytes = np.bincount(touched.op, from_memory, minlength=n).astype(np.float64)
    return total, memory_bytes, level, names


def _compute_of_sums(graph: Graph, ceilings: Ceilings, threads: int, dtype: str) -> FloatArray:
    """FLOPs ÷ the peak of products of `dtype` [n]; 0 where that is not known."""
    peak = ceilings.peak(dtype, threads)
    if peak is None or peak.value <= 0:
        return np.zeros(len(graph))
    ns: FloatArray = graph.flops / peak.value * NS_PER_S
    return ns


def _memory_of_sums(
    graph: Graph, ceilings: Ceilings, threads: int
) -> tuple[FloatArray, FloatArray, IntArray, tuple[str, ...]]:
    """As `_memory`, with every byte from main memory."""
    n, bandwidth = len(graph), main_memory(ceilings, threads)
    if bandwidth is None or bandwidth.value <= 0:
        return np.zeros(n), np.zeros(n), np.full(n, -1, dtype=np.int64), ()
    moved = (graph.read_bytes + graph.written_bytes).astype(np.float64)
    return moved * (NS_PER_S / bandwidth.value), moved, np.where(moved > 0, 0, -1).astype(np.int64), (MAIN_MEMORY,)
