"""The graph of one rank of tensor parallelism: its share of every product that is split, and the collectives between."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace

from cyclescope.core.collectives import CollectiveKind
from cyclescope.core.errors import Unsupported
from cyclescope.core.graph.graph import Graph, GraphError
from cyclescope.core.graph.op import Cost
from cyclescope.core.graph.tensor import TensorSpec
from cyclescope.core.message import listed, m
from cyclescope.predicting.spreading.rebuild import Rebuilding
from cyclescope.predicting.spreading.split import Split, find_split


def tensor_parallel(graph: Graph, ranks: int, hosts: int = 1) -> Graph:
    """The graph of one of `ranks` ranks, which lie on `hosts` hosts; all of them have the same.

    Raises `Unsupported` where nothing can be split, or not by that number: which are possible, and why.
    """
    if ranks == 1:
        return graph
    split = find_split(graph, ranks)
    if not split.dims:
        raise Unsupported(
            m("This model cannot be split by tensor parallelism."),
            m("It has no pair of products with only pointwise operations or heads of attention between them."),
            m("Use --pipeline or --data."),
        )
    if any(size % ranks for size in split.sizes):
        raise _indivisible(graph, ranks)
    return _rank_graph(graph, split, ranks, hosts)


def _indivisible(graph: Graph, ranks: int) -> Unsupported:
    degrees = find_split(graph).degrees
    limit = min((size for size in find_split(graph).sizes if size % ranks), default=ranks)
    return Unsupported(
        m("--tensor must divide what ranks share, such as {size} (got {ranks}).", size=limit, ranks=ranks),
        m("Heads of attention stay whole, keys and values with their queries; no rank gets a copy of another's."),
        m("Possible for this model: {degrees}. Use --pipeline or --data for more ranks.", degrees=listed(map(str, degrees))),
    )  # fmt: skip


def _rank_graph(graph: Graph, split: Split, ranks: int, hosts: int) -> Graph:
    made = Rebuilding(graph)
    specs = [_share(spec, split.dims.get(t), ranks) for t, spec in enumerate(graph.tensors)]
    local = replace(graph, tensors=tuple(specs))
    made.graph = local
    behind: dict[int, list[int]] = defaultdict(list)
    for t, op in split.sums.items():
        behind[op].append(t)
    for t in range(len(specs)):
        made.tensor(t)
    operands, results = graph.operands
    parts: dict[tuple[object, ...], Cost] = {}
    for i in range(len(graph)):
        reads = {}
        for t in operands[i]:
            if (i, t) in split.slices:
                spec = _share(graph.tensors[t], split.slices[i, t], ranks)
                reads[t] = made.add(replace(spec, storage=made.storage(spec.storage)))
                made.view("narrow", int(graph.op_frame[i]), made.tensor(t), reads[t])
        writes = {}
        if i in split.gathers:
            out = split.gathers[i]
            writes[out] = made.fresh(_share(specs[out], len(specs[out].shape) - 1, ranks))
        cost = None
        if reads or writes or any(t in split.dims for t in (*operands[i], *results[i])):
            before = tuple(graph.tensors[t].shape for t in (*operands[i], *results[i]))
            after = tuple(made.tensors[reads.get(t, t)].shape for t in operands[i])
            after += tuple(made.tensors[writes.get(t, t)].shape for t in results[i])
            key = (graph.names[i], graph.cost(i), before, after)  # a model repeats few operations
            cost = parts.get(key) or _cost(graph, i, made, reads, writes, ranks)
            parts[key] = cost
        made.take(i, cost=cost, reads=reads, writes=writes)
        frame = int(graph.op_frame[i])
        for t in behind.get(i, ()):
            made.collective(CollectiveKind.ALL_REDUCE, frame, (t,), (t,), ranks=ranks, hosts=hosts)
        for out, part in writes.items():
            made.collective(CollectiveKind.ALL_GATHER, frame, (part,), (made.tensor(out),), ranks=ranks, hosts=hosts)
    return made.build()


def _share(spec: TensorSpec, dim: int | None, ranks: int) -> TensorSpec:
    """What one rank holds of a tensor that is split along `dim`."""
    if dim is None:
        return spec
    if spec.shape[dim] % ranks:
        raise GraphError(f"{ranks} ranks do not divide dimension {dim} of {spec.shape}")
    shape = tuple(size // ranks if d == dim else size for d, size in enumerate(spec.shape))
    stored = None if spec.stored_bytes is None else math.ceil(spec.stored_bytes / ranks)
    return replace(spec, shape=shape, stored_bytes=stored)


def _cost(graph: Graph, i: int, made: Rebuilding, reads: dict[int, int], writes: dict[int, int], ranks: int) -> Cost:
    """The rank's share of the work of operation `i`: of its products exactly, of what it moves by the sizes of the tensors."""
    old = graph.cost(i)
    operands, written_to = graph.reads(i), graph.writes(i)
    if old.flops % ranks:
        raise GraphError(f"the products of operation {i} ({graph.names[i]}) cannot be shared by {ranks} ranks")
    results = [made.tensors[writes.get(t, t)].elements for t in written_to]
    before = [graph.tensors[t].elements for t in written_to]
    part = sum(results) / sum(before) if sum(before) else 1.0
    read = _ratio((graph.tensors[t] for t in operands), (made.tensors[reads.get(t, t)] for t in operands))
    written = _ratio((graph.tensors[t] for t in written_to), (made.tensors[writes.get(t, t)] for t in written_to))
    return Cost(
        old.flops // ranks,
        round(old.elementwise_flops * part),
        round(old.read_bytes * read),
        round(old.written_bytes * written),
    )


def _ratio(before: Iterable[TensorSpec], after: Iterable[TensorSpec]) -> float:
    whole = sum(spec.bytes for spec in before)
    return sum(spec.bytes for spec in after) / whole if whole else 1.0
