"""The analytic timing model at many shapes, threads and machines at once: the same arithmetic in columns.

All sizes of a family are polynomials, and as long as freed memory is handed out in the same order so are all reuse
distances: they are sums of sizes. That order changes with the powers of two that sizes lie between, so points are put
into groups of one order each, and every group has polynomials of its own. Equal operations are computed once and counted.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import TypeAlias

import numpy as np

from cyclescope.core.ceilings import Ceilings
from cyclescope.core.graph.family import GraphFamily, basis_of, differences
from cyclescope.core.graph.graph import Graph
from cyclescope.core.graph.op import OpKind
from cyclescope.core.plan import Plan
from cyclescope.core.units import NS_PER_S, BoolArray, FloatArray, IntArray
from cyclescope.explaining.product_shape import product_rows_of, product_type
from cyclescope.explaining.reuse import Touched, blocks_of, touched_by
from cyclescope.explaining.stack_distance import stack_distances
from cyclescope.predicting.analytic import host_times
from cyclescope.predicting.schedule import Lanes, lanes_of, line_totals

_BLOCK, _NUMBERS = 512, 2**19  # points at once, and numbers of one column: they stay in the cache


_Curve: TypeAlias = Callable[[str], tuple[FloatArray, FloatArray]]  # rows and FLOPs a second, by dtype


class NotAlike(ValueError):
    """The graphs of a family touch their memory in different orders: each must be predicted by itself."""


@dataclass(frozen=True, eq=False)
class Times:
    """Of each point [points], in nanoseconds: the whole time, and of it the work of operations that are bound by products and
    of those that are bound by memory.
    """

    total_ns: FloatArray
    compute_ns: FloatArray
    memory_ns: FloatArray


@dataclass(frozen=True, eq=False)
class Factors:
    """By what the figures of the machine are multiplied at each point [points]."""

    flops: FloatArray
    bandwidth: FloatArray
    overhead: FloatArray

    @staticmethod
    def none(points: int) -> Factors:
        return Factors(np.ones(points), np.ones(points), np.ones(points))

    def at(self, places: IntArray) -> Factors:
        """Those of the points at `places`."""
        return Factors(self.flops[places], self.bandwidth[places], self.overhead[places])


@dataclass(frozen=True, eq=False)
class _Group:
    """The points of one order of memory, by their places `at` among all. Operations come in classes: `of_op`
    [operations] is the class of each, `count` and `first` [classes] how many there are and which is the first. `moved` and
    `distance` [classes, touches, terms] are polynomials.
    """

    at: IntArray
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
    def of(family: GraphFamily, points: IntArray, *, caches: bool = True) -> FastFamily:
        """Ready for `points`; without `caches` for machines with one level of memory. Raises `NotAlike`."""
        orders, graphs = family.node_orders, [graph for _, graph in family.nodes]
        found = [touched_by(graph) for graph in graphs]
        first = found[0]
        if any(not np.array_equal(first.op, t.op) or not np.array_equal(first.storage, t.storage) for t in found):
            raise NotAlike("operations touch other memory at other sizes")
        sizes = differences(np.stack([t.storage_bytes for t in found], axis=1), orders)
        moved = differences(np.stack([t.bytes for t in found], axis=1), orders)
        both = np.where(first.bytes > first.most, 2, 1)
        same = np.logical_not(np.logical_or.reduce(sizes[:, 1:] != 0, axis=1))[first.storage]
        most = np.where(same, both * first.storage_bytes[first.storage], np.inf)
        limits = _by_operation(graphs[0], first, most)
        product = _products(family)
        if not caches:
            everywhere = np.arange(len(points))
            group = _group(graphs[0], first, everywhere, product, moved, np.zeros_like(moved))
            return FastFamily(family, points, orders, limits, (group,))
        # A lookup of many rows touches its whole table, and then no more: what it touches is another polynomial from there.
        partial = np.flatnonzero(same & np.logical_or.reduce(moved[:, 1:] != 0, axis=1))
        whole = basis_of(points, family.low, orders) @ moved[partial].T > most[partial]
        number = _orders_of_memory(sizes[first.born >= 0], points, family, orders, whole)
        groups = []
        for k in range(int(number.max(initial=-1)) + 1):
            at = np.flatnonzero(number == k)
            here = sizes @ basis_of(points[at[:1]], family.low, orders)[0]
            blocks = blocks_of(here, first.born, first.dies)[first.storage]
            tables = partial[whole[at[0]]]
            touches = np.stack([touched.most for touched in found], axis=1)
            touches[tables] = first.storage_bytes[first.storage[tables], None]
            distance = differences(stack_distances(blocks, touches), orders)
            groups.append(_group(graphs[0], first, at, product, moved, distance))
        return FastFamily(family, points, orders, limits, tuple(groups))

    def times(self, plan: Plan, machine: Ceilings, factors: Factors | None = None) -> Times:
        """The predicted times of all points by `plan` on `machine`, whose figures are multiplied by `factors`: what the slots
        of `AnalyticModel.predict` add up to.
        """
        by = factors or Factors.none(len(self.points))
        host = host_times(self.family.graph, plan, machine)
        threads = plan.threads if plan.device == "cpu" else 0

        @cache
        def curve(dtype: str) -> tuple[FloatArray, FloatArray]:
            known = machine.curve(dtype, threads)
            return np.asarray([point.rows for point in known]), np.asarray([point.flops_per_s.value for point in known])

        found = np.zeros((3, len(self.points)))
        for group in self.groups:
            block = self._points_at_once(group, overlaps=lanes_of(plan) is Lanes.OVERLAPPED and bool(host.any()))
            for begin in range(0, len(group.at), block):
                at = group.at[begin : begin + block]
                compute = self._compute(group, self.points[at], curve) / by.flops[at, None]
                memory = self._memory(group, self.points[at], machine, threads) / by.bandwidth[at, None]
                work = np.maximum(compute, memory)
                by_compute = compute >= memory
                found[0, at] = self._whole(group, host, by.overhead[at], work, plan)
                found[1, at] = np.where(by_compute, compute, 0.0) @ group.count
                found[2, at] = np.where(by_compute, 0.0, memory) @ group.count
        return Times(*found)

    def _whole(self, group: _Group, host: FloatArray, overhead: FloatArray, work: FloatArray, plan: Plan) -> FloatArray:
        """How long the cycle is [points]: what the host does is multiplied by `overhead` [points]."""
        if lanes_of(plan) is Lanes.ADDED or not host.any():
            one_after_the_other: FloatArray = work @ group.count + host.sum() * overhead
            return one_after_the_other
        return line_totals(self.family.graph.slots, host, work[:, group.of_op], overhead)

    def _points_at_once(self, group: _Group, *, overlaps: bool) -> int:
        """How many points are computed together, so that their columns stay in the cache."""
        columns = len(self.family.graph) if overlaps else group.moved.shape[0] * group.moved.shape[1]
        return int(min(_BLOCK, max(1, _NUMBERS // max(columns, 1))))

    def _compute(self, group: _Group, points: IntArray, curve: _Curve) -> FloatArray:
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
            rate = _rates(*curve(product_type([graph.tensors[t] for t in reads])), smallest)
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
        np.minimum(moved, self.limits[group.first], out=moved)
        if len(levels) > 1:
            distance = (basis @ group.distance.reshape(-1, len(self.orders)).T).reshape(shape)
            found = np.minimum(np.searchsorted(holds, distance, side="left"), len(levels) - 1)
            moved *= ns_per_byte[found]
        else:
            moved *= ns_per_byte[0]
        ns: FloatArray = moved.sum(axis=2)
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
    product: IntArray,
    moved: IntArray,
    distance: IntArray,
) -> _Group:
    """Operations with equal products and equal touches as classes."""
    both = np.concatenate([moved, distance], axis=1)
    known, number = _distinct(both)
    place = _by_operation(graph, touched, (number.reshape(-1) + 1).astype(np.float64))
    place[graph.of_kind(OpKind.TEXT)] = 0
    keys = np.concatenate([place, product[:, None]], axis=1)
    _, first, of_op, count = np.unique(keys, axis=0, return_index=True, return_inverse=True, return_counts=True)
    nothing = np.zeros((1, both.shape[1]), dtype=np.int64)
    # Whole numbers below 2^53, which a product of matrices of reals keeps exactly and computes far sooner.
    touches = np.concatenate([nothing, known])[place[first].astype(np.int64)].astype(np.float64)
    terms = moved.shape[1]
    return _Group(at, of_op.reshape(-1), count, first, touches[:, :, :terms], touches[:, :, terms:])


def _distinct(rows: IntArray) -> tuple[IntArray, IntArray]:
    """The distinct ones of `rows` [n, columns], and the position of each row among them [n].

    Found by a sum of 64 bits with fixed weights, since whole rows are slow to sort; rows that only share it are told apart.
    """
    weights = np.random.default_rng(0).integers(1, 2**62, rows.shape[1]) | 1
    _, first, number = np.unique(rows @ weights, return_index=True, return_inverse=True)
    number = number.reshape(-1)
    if not np.array_equal(rows[first[number]], rows):
        return np.unique(rows, axis=0, return_inverse=True)
    return rows[first], number


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


def _rates(known: FloatArray, flops_per_s: FloatArray, rows: IntArray) -> FloatArray:
    """`Ceilings.flops_per_s` for each of `rows` [points], from its curve; 0 where there is no ceiling."""
    if not len(known):
        return np.zeros(len(rows))
    if len(known) == 1:
        return np.full(len(rows), flops_per_s[0])
    after = np.clip(np.searchsorted(known, rows, side="left"), 1, len(known) - 1)
    within = np.clip(rows, known[0], known[-1])
    part = np.log(within / known[after - 1]) / np.log(known[after] / known[after - 1])
    rates: FloatArray = flops_per_s[after - 1] ** (1 - part) * flops_per_s[after] ** part
    return rates
