"""Graphs of one structure, whose sizes are polynomials in what is varied: batch, tokens, length of the cache.

All numbers of a graph (every dimension, its FLOPs, its bytes) are whole, and so is everything here: a polynomial is kept by
its forward differences, and evaluated with binomial coefficients (Newton's series), so that no rounding comes in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain, pairwise, product
from math import comb, log2, prod

import numpy as np

from cyclescope.core.graph.graph import Graph
from cyclescope.core.graph.tensor import TensorSpec
from cyclescope.core.units import IntArray

Point = tuple[int, ...]
_NO_LIMIT = 2**62
_SORTS = frozenset(("sort", "argsort", "msort", "topk"))


@dataclass(frozen=True, eq=False)
class GraphFamily:
    """The graphs for all whole points from `low` to `high` (both included), one coordinate for each of `axes`.

    `graph` is that of `low`. Every graph has the same numbers [numbers] in the order of `numbers_of`: number k is
    Σ `patterns`[`rows`[k], t] · Π C(x_a − low_a, `orders`[t, a]) over the terms t. `patterns` [distinct, terms] are few, since
    layers repeat and weights stay as they are. Two things are no polynomials: an operation reads at most what it is given, and
    `orderings` are those that sort.
    """

    axes: tuple[str, ...]
    low: Point
    high: Point
    graph: Graph
    rows: IntArray
    patterns: IntArray
    orders: IntArray
    orderings: tuple[int, ...] = ()

    def holds(self, point: Point) -> bool:
        return all(least <= x <= most for least, x, most in zip(self.low, point, self.high, strict=True))

    def values(self, points: IntArray) -> IntArray:
        """The distinct numbers [points, distinct] of the graphs at `points` [points, axes]."""
        found: IntArray = basis_of(points, self.low, self.orders) @ self.patterns.T
        return found

    def numbers(self, point: Point) -> IntArray:
        """All numbers [numbers] of the graph at `point`."""
        found: IntArray = self.values(np.asarray([point], dtype=np.int64))[0][self.rows]
        read, limit = self.layout.column(2), self.layout.column(4)
        found[read] = np.minimum(found[read], found[limit])
        for i in self.orderings:
            first = int(self.graph.inputs[self.graph.input_offsets[i]])
            begin, end = self.layout.dims[first : first + 2].tolist()
            found[self.layout.column(1).start + i] = _comparisons(tuple(found[begin:end].tolist()))
        return found

    def at(self, point: Point) -> Graph:
        """The graph at `point`. Raises `ValueError` outside of the family."""
        if not self.holds(point):
            raise ValueError(f"{point} lies outside of {self.low} … {self.high}")
        return with_numbers(self.graph, self.numbers(point))

    @cached_property
    def nodes(self) -> tuple[tuple[Point, Graph], ...]:
        """The points that decide the polynomials, with their graphs: of each axis no more than its degree asks for."""
        degrees = tuple(int(order) for order in self.orders.max(axis=0, initial=0))
        return tuple((point, self.at(point)) for point in stencil(self.low, self.high, degrees))

    @cached_property
    def node_orders(self) -> IntArray:
        """How far each of `nodes` lies from the first [nodes, axes]: the terms of whatever follows from their graphs."""
        found: IntArray = np.asarray([point for point, _ in self.nodes], dtype=np.int64) - np.asarray(self.low)
        return found

    @cached_property
    def layout(self) -> Layout:
        """Which of the numbers is what."""
        return Layout.of(self.graph)


@dataclass(frozen=True, eq=False)
class Layout:
    """Where the numbers of a graph stand: the dimensions of tensor t at `dims[t]` … `dims[t + 1]`, then the bytes of tensors
    that are `packed`, then FLOPs, elementwise FLOPs, bytes read and bytes written of the operations from `flops` on.
    """

    dims: IntArray
    packed: tuple[int, ...]
    flops: int
    operations: int

    @staticmethod
    def of(graph: Graph) -> Layout:
        dims = np.concatenate([[0], np.cumsum([len(spec.shape) for spec in graph.tensors])]).astype(np.int64)
        packed = tuple(t for t, spec in enumerate(graph.tensors) if spec.stored_bytes is not None)
        return Layout(dims, packed, int(dims[-1]) + len(packed), len(graph))

    def column(self, number: int) -> slice:
        """FLOPs (0), elementwise FLOPs (1), bytes read (2) or written (3) of the operations, and the limit of (2) (4)."""
        begin = self.flops + number * self.operations
        return slice(begin, begin + self.operations)


def numbers_of(graph: Graph) -> IntArray:
    """All that can differ between two graphs of one structure [numbers]."""
    dims = np.fromiter(chain.from_iterable(spec.shape for spec in graph.tensors), np.int64)
    packed = [spec.stored_bytes for spec in graph.tensors if spec.stored_bytes is not None]
    columns = (graph.flops, graph.elementwise_flops, graph.read_bytes, graph.written_bytes, _most_read(graph))
    rest = [load.tokens for load in graph.experts] + ([graph.cache_length] if graph.cache_length is not None else [])
    whole: IntArray = np.concatenate(
        [dims, np.asarray(packed, dtype=np.int64), *columns, np.asarray(rest, dtype=np.int64)]
    )
    return whole


def _most_read(graph: Graph) -> IntArray:
    """The bytes of all that each operation is given [operations]: a lookup of many rows reads the whole table and no more,
    and a mixture of few tokens the weights of few experts, which no polynomial says.
    """
    op = np.repeat(np.arange(len(graph)), np.diff(graph.input_offsets))
    return np.bincount(op, graph.tensor_bytes[graph.inputs], minlength=len(graph)).astype(np.int64)


def _orderings(graph: Graph) -> tuple[int, ...]:
    """The operations that sort: n · log2(n) comparisons are no polynomial either."""
    return tuple(i for i, name in enumerate(graph.names) if name in _SORTS and graph.reads(i))


def _comparisons(shape: Point) -> int:
    """What `cost.rows.ordering` counts for rows of the last axis."""
    row = shape[-1] if shape else 1
    return round(prod(shape) * log2(max(row, 2)))


def same_numbers(graph: Graph, numbers: IntArray) -> bool:
    """Whether `numbers` are those of `graph`."""
    limits = Layout.of(graph).column(4)
    own = numbers_of(graph)
    return len(own) == len(numbers) and bool(np.array_equal(np.delete(own, limits), np.delete(numbers, limits)))


def structure_key(graph: Graph) -> tuple[object, ...]:
    """All of `graph` but its numbers: equal for two graphs of one structure."""
    columns = (graph.op_frame, graph.in_place, graph.input_offsets, graph.inputs, graph.output_offsets, graph.outputs)
    tensors = tuple((t.dtype, t.storage, t.role, t.name, t.stored_bytes is None, len(t.shape)) for t in graph.tensors)
    experts = tuple(replace(load, tokens=0) for load in graph.experts)
    rest = (graph.traced_on, graph.notes, graph.kept, graph.engine_between, graph.opaque, graph.unpriced)
    return (
        graph.names, graph.kinds, *(column.tobytes() for column in columns), tensors, graph.frames, experts,
        graph.cache_length is None, *rest,
    )  # fmt: skip


def with_numbers(graph: Graph, numbers: IntArray) -> Graph:
    """`graph` with other `numbers` [numbers], in the order of `numbers_of`."""
    layout = Layout.of(graph)
    flat = numbers.tolist()
    packed = dict(zip(layout.packed, flat[int(layout.dims[-1]) : layout.flops], strict=True))
    shapes: dict[Point, Point] = {}  # each once, as one value
    tensors = []
    for t, (spec, (begin, end)) in enumerate(zip(graph.tensors, pairwise(layout.dims.tolist()), strict=True)):
        shape = tuple(flat[begin:end])
        if shape == spec.shape and t not in packed:
            tensors.append(spec)
            continue
        shape = shapes.setdefault(shape, shape)
        tensors.append(TensorSpec(shape, spec.dtype, spec.storage, spec.role, spec.name, packed.get(t)))
    columns = [numbers[layout.column(k)].copy() for k in range(4)]
    rest = flat[layout.column(4).stop :]
    experts = tuple(replace(load, tokens=tokens) for load, tokens in zip(graph.experts, rest, strict=False))
    return replace(
        graph,
        tensors=tuple(tensors),
        flops=columns[0],
        elementwise_flops=columns[1],
        read_bytes=columns[2],
        written_bytes=columns[3],
        experts=experts,
        cache_length=rest[len(experts)] if graph.cache_length is not None else None,
    )


def basis_of(points: IntArray, low: Point, orders: IntArray) -> IntArray:
    """Π C(x_a − low_a, order_a) for each of `points` and each of `orders` [points, terms]."""
    steps = points - np.asarray(low, dtype=np.int64)
    basis = np.ones((len(points), len(orders)), dtype=np.int64)
    for term, of_axes in enumerate(orders.tolist()):
        for axis, order in enumerate(of_axes):
            for k in range(order):  # C(t, k + 1) = C(t, k) · (t − k) ÷ (k + 1), which divides without rest
                basis[:, term] = basis[:, term] * (steps[:, axis] - k) // (k + 1)
    return basis


def differences(values: IntArray, orders: IntArray) -> IntArray:
    """The forward differences [rows, terms] of `values` [rows, nodes], where node k lies `orders`[k] steps from the first.

    Of order i: Σ (−1)^(i−j) C(i, j) f(low + j), in every axis.
    """
    nodes = orders.tolist()
    weights = np.asarray(
        [
            [prod((-1) ** (i - j) * comb(i, j) if j <= i else 0 for i, j in zip(of, at, strict=True)) for at in nodes]
            for of in nodes
        ],
        dtype=np.int64,
    )
    found: IntArray = values.astype(np.int64) @ weights.T
    return found


def stencil(low: Point, high: Point, degrees: Point) -> tuple[Point, ...]:
    """The points that decide polynomials of `degrees` from `low` on: `low` and its next neighbours, up to `high`."""
    widths = [min(degree, most - least) for least, most, degree in zip(low, high, degrees, strict=True)]
    steps = product(*(range(width + 1) for width in widths))
    return tuple(tuple(least + k for least, k in zip(low, step, strict=True)) for step in steps)


def fit(axes: Sequence[str], low: Point, high: Point, graphs: Mapping[Point, Graph]) -> GraphFamily:
    """The family through `graphs`, one for each point of a stencil. Raises `ValueError` for different structures."""
    key = structure_key(graphs[low])
    if any(structure_key(graph) != key for graph in graphs.values()):
        raise ValueError("the structure differs")
    orders = [tuple(x - least for x, least in zip(point, low, strict=True)) for point in graphs]
    columns = np.stack([numbers_of(graph) for graph in graphs.values()], axis=1)
    layout = Layout.of(graphs[low])
    read, limit = layout.column(2), layout.column(4)
    # Several calls in one operation may read more than it is given: what they make in between.
    beyond = np.logical_or.reduce(columns[read] > columns[limit], axis=1)
    columns[limit] = np.where(beyond[:, None], _NO_LIMIT, columns[limit])
    sorts = tuple(
        i
        for i in _orderings(graphs[low])
        if all(_comparisons(g.tensors[g.reads(i)[0]].shape) == g.elementwise_flops[i] for g in graphs.values())
    )
    seen, rows = np.unique(columns, axis=0, return_inverse=True)
    patterns = differences(seen, np.asarray(orders, dtype=np.int64))
    used = np.flatnonzero(patterns.any(axis=0))
    orders_used = np.asarray(orders, dtype=np.int64)[used]
    return GraphFamily(tuple(axes), low, high, graphs[low], rows.reshape(-1), patterns[:, used], orders_used, sorts)
