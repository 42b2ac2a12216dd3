"""The analytic timing model at many shapes, threads and machines at once: the same arithmetic in columns.

All sizes of a family are polynomials, and as long as freed memory is handed out in the same order so are all reuse
distances: they are sums of sizes. That order changes with the powers of two that sizes lie between, so points are put
into groups of one order each, and every group has polynomials of its own. Equal operations are computed once and counted.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np

from cyclescope.core.ceilings import Ceilings
from cyclescope.core.graph.family import GraphFamily, basis_of, differences, stencil
from cyclescope.core.graph.graph import Graph
from cyclescope.core.graph.op import OpKind
from cyclescope.core.plan import Plan
from cyclescope.core.units import NS_PER_S, BoolArray, FloatArray, IntArray
from cyclescope.explaining.product_shape import product_rows_of, product_type
from cyclescope.explaining.reuse import Touched, blocks_of, touched_by
from cyclescope.explaining.stack_distance import stack_distances
from cyclescope.predicting.analytic import host_times
from cyclescope.predicting.schedule import line_totals

_BLOCK = 512  # points at once: columns of them stay in the cache


class NotAlike(ValueError):
    """The graphs of a family touch their memory in different orders: each must be predicted by itself."""


@dataclass(frozen=True, eq=False)
class _Group:
    """The points [points, axes] of one order of memory, by their places `at` among all. Operations come in classes: `of_op`
    [operations] is the class of each, `count` and `first` [classes] how many there are and which is the first. `moved` and
    `distance` [classes, touches, terms] are polynomials.
    """

    at: IntArray
    points: IntArray
    of_op: IntArray
    count: IntArray
    first: IntArray
    moved: FloatArray
    distance: FloatArray


@dataclass(frozen=True, eq=False)
class FastFamily:
    """The `points` [points, axes] of a family made ready to be predicted on many machines. `limits` [operations, touches] is
    the most that a touch can move: a lookup reads no more than its table.
    """

    family: GraphFamily
    points: IntArray
    orders: IntArray
    limits: FloatArray
    groups: tuple[_Group, ...]

    @staticmethod
    def of(family: GraphFamily, points: IntArray) -> FastFamily:
        """Ready for `points`. Raises `NotAlike`."""
        degrees = tuple(int(order) for order in family.orders.max(axis=0, initial=0))
        nodes = stencil(family.low, family.high, degrees)
        graphs = [family.at(node) for node in nodes]
        found = [touched_by(graph) for graph in graphs]
        first = found[0]
        if any(not np.array_equal(first.op, t.op) or not np.array_equal(first.storage, t.storage) for t in found):
            raise NotAlike("operations touch other memory at other sizes")
        orders = np.asarray(nodes, dtype=np.int64) - np.asarray(family.low, dtype=np.int64)
        sizes = differences(np.stack([t.storage_bytes for t in found], axis=1), orders)
        moved = differences(np.stack([t.bytes for t in found], axis=1), orders)
        both = np.where(first.bytes > first.most, 2, 1)
        same = np.logical_not(np.logical_or.reduce(sizes[:, 1:] != 0, axis=1))[first.storage]
        most = np.where(same, both * first.storage_bytes[first.storage], np.inf)
        # A lookup of many rows touches its whole table, and then no more: what it touches is another polynomial from there.
        partial = np.flatnonzero(same & np.logical_or.reduce(moved[:, 1:] != 0, axis=1))
        whole = basis_of(points, family.low, orders) @ moved[partial].T > most[partial]
        group = _orders_of_memory(sizes[first.born >= 0], points, family, orders, whole)
        product = _products(family)
        groups = []
        for number in range(int(group.max(initial=-1)) + 1):
            at = np.flatnonzero(group == number)
            here = sizes @ basis_of(points[at[:1]], family.low, orders)[0]
            blocks = blocks_of(here, first.born, first.dies)[first.storage]
            tables = partial[whole[at[0]]]
            distances = []
            for touched in found:
                touches = touched.most.copy()
                touches[tables] = first.storage_bytes[first.storage[tables]]
                distances.append(stack_distances(blocks, touches))
            distance = differences(np.stack(distances, axis=1), orders)
            groups.append(_group(graphs[0], first, at, points[at], product, moved, distance))
        return FastFamily(family, points, orders, _by_operation(graphs[0], first, most), tuple(groups))

    def totals(self, plan: Plan, machine: Ceilings) -> FloatArray:
        """The predicted time in nanoseconds of each point [points] by `plan` on `machine`: what the slots of
        `AnalyticModel.predict` add up to.
        """
        host = host_times(self.family.graph, plan, machine)
        threads = plan.threads if plan.device == "cpu" else 0

        @cache
        def known_rate(dtype: str, rows: int) -> float:
            figure = machine.flops_per_s(dtype, rows, threads)
            return figure.value if figure is not None else 0.0

        found = np.zeros(len(self.points))
        for group in self.groups:
            for begin in range(0, len(group.at), _BLOCK):
                part = slice(begin, begin + _BLOCK)
                found[group.at[part]] = self._block(group, group.points[part], host, plan, machine, known_rate)
        return found

    def _block(
        self, group: _Group, points: IntArray, host: FloatArray, plan: Plan, machine: Ceilings,
        known_rate: Callable[[str, int], float],
    ) -> FloatArray:  # fmt: skip
        threads = plan.threads if plan.device == "cpu" else 0
        compute, memory = self._compute(group, points, known_rate), self._memory(group, points, machine, threads)
        work = np.maximum(compute, memory)
        if plan.device == "cpu":
            one_after_the_other: FloatArray = work @ group.count + host.sum()
            return one_after_the_other
        return line_totals(self.family.graph.slots, host, work[:, group.of_op])

    def _compute(self, group: _Group, points: IntArray, known_rate: Callable[[str, int], float]) -> FloatArray:
        """Time of products [points, classes]."""
        graph, layout, rows = self.family.graph, self.family.layout, self.family.rows
        values = self.family.values(points)
        flops = values[:, rows[layout.column(0)][group.first]]
        ns = np.zeros(flops.shape)
        for c in np.flatnonzero(flops.any(axis=0)).tolist():
            op = int(group.first[c])
            reads, writes = graph.reads(op), graph.writes(op)[:1]
            dims = [values[:, rows[layout.dims[t] : layout.dims[t + 1]]] for t in (*reads, *writes)]
            result = dims.pop() if writes else None
            smallest = product_rows_of(graph.kinds[op], dims, result, flops[:, c])
            rate = _rates(known_rate, product_type([graph.tensors[t] for t in reads]), smallest)
            ns[:, c] = np.divide(flops[:, c] * float(NS_PER_S), rate, out=np.zeros(len(points)), where=rate > 0)
        return ns

    def _memory(self, group: _Group, points: IntArray, machine: Ceilings, threads: int) -> FloatArray:
        """Time of the memory [points, classes]."""
        levels = [level for level in machine.levels(threads) if level.bytes_per_s.value > 0]
        if not levels:
            return np.zeros((len(points), len(group.count)))
        names = [level.level for level in machine.levels(threads)]
        sizes = dict(zip(names, machine.capacities(threads), strict=True))
        holds = np.asarray([sizes[level.level] for level in levels])
        ns_per_byte = np.asarray([NS_PER_S / level.bytes_per_s.value for level in levels])
        basis = basis_of(points, self.family.low, self.orders).astype(np.float64)
        shape = (len(points), *group.moved.shape[:2])
        moved = (basis @ group.moved.reshape(-1, len(self.orders)).T).reshape(shape)
        distance = (basis @ group.distance.reshape(-1, len(self.orders)).T).reshape(shape)
        found = np.minimum(np.searchsorted(holds, distance, side="left"), len(levels) - 1)
        ns: FloatArray = (np.minimum(moved, self.limits[group.first]) * ns_per_byte[found]).sum(axis=2)
        return ns


def _orders_of_memory(
    sizes: IntArray, points: IntArray, family: GraphFamily, orders: IntArray, whole: BoolArray
) -> IntArray:
    """A number for each of `points` [points], equal where what comes and goes is handed the same memory.

    `sizes` [storages, terms] are polynomials, `whole` [points, tables] says which tables are touched as a whole. Memory is handed out again by powers of two: only which sizes share one matters.
    """
    distinct = np.unique(sizes, axis=0)
    exponents = np.frexp((basis_of(points, family.low, orders) @ distinct.T).astype(np.float64))[1]
    shares = np.zeros_like(exponents)
    for column in range(exponents.shape[1]):  # each by the first that it shares its power with
        shares[:, column] = (exponents[:, : column + 1] == exponents[:, column : column + 1]).argmax(axis=1)
    return np.unique(np.concatenate([shares, whole], axis=1), axis=0, return_inverse=True)[1].reshape(-1)


def _group(
    graph: Graph,
    touched: Touched,
    at: IntArray,
    points: IntArray,
    product: IntArray,
    moved: IntArray,
    distance: IntArray,
) -> _Group:
    """Operations with equal products and equal touches as classes."""
    both = np.concatenate([moved, distance], axis=1)
    known, number = np.unique(both, axis=0, return_inverse=True)
    place = _by_operation(graph, touched, (number.reshape(-1) + 1).astype(np.float64))
    place[graph.of_kind(OpKind.TEXT)] = 0
    keys = np.concatenate([place, product[:, None]], axis=1)
    _, first, of_op, count = np.unique(keys, axis=0, return_index=True, return_inverse=True, return_counts=True)
    nothing = np.zeros((1, both.shape[1]), dtype=np.int64)
    # Whole numbers below 2^53, which a product of matrices of reals keeps exactly and computes far sooner.
    touches = np.concatenate([nothing, known])[place[first].astype(np.int64)].astype(np.float64)
    terms = moved.shape[1]
    return _Group(at, points, of_op.reshape(-1), count, first, touches[:, :, :terms], touches[:, :, terms:])


def _by_operation(graph: Graph, touched: Touched, values: FloatArray) -> FloatArray:
    """`values` of touches by their operation and place in it [operations, touches]; 0 where it has fewer."""
    counts = np.bincount(touched.op, minlength=len(graph))
    place = np.arange(len(touched.op)) - np.repeat(np.cumsum(counts) - counts, counts)
    table = np.zeros((len(graph), int(counts.max(initial=1))))
    table[touched.op, place] = values
    return table


def _products(family: GraphFamily) -> IntArray:
    """A number for each operation [operations], equal for products of equal shapes; −1 for all that are none."""
    graph, layout, rows = family.graph, family.layout, family.rows
    known: dict[object, int] = {}
    found = np.full(len(graph), -1, dtype=np.int64)
    flops = rows[layout.column(0)]
    for i in np.flatnonzero(family.patterns[flops].any(axis=1)).tolist():
        tensors = (*graph.reads(i), *graph.writes(i)[:1])
        shapes = tuple((graph.tensors[t].dtype, rows[layout.dims[t] : layout.dims[t + 1]].tobytes()) for t in tensors)
        found[i] = known.setdefault((graph.kinds[i], int(flops[i]), shapes), len(known))
    return found


def _rates(known_rate: Callable[[str, int], float], dtype: str, rows: IntArray) -> FloatArray:
    """`Ceilings.flops_per_s` for each of `rows` [points]; 0 where there is no ceiling."""
    distinct, inverse = np.unique(rows, return_inverse=True)
    figures = [known_rate(dtype, n) for n in distinct.tolist()]
    rates: FloatArray = np.asarray(figures)[inverse.reshape(-1)]
    return rates
