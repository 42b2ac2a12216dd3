"""The path of the data through a cycle: which part hands how many bytes to which, at three levels of detail.

A pure function of the graph. Bytes on an arrow are those of the memory that crosses, each storage once however many
operations or views read it there; so an arrow says what would have to be sent if its two ends were on two machines.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from enum import StrEnum

import numpy as np

from cyclescope.core.graph.frame import Frame
from cyclescope.core.graph.graph import Graph
from cyclescope.core.graph.op import Cost, OpKind
from cyclescope.core.graph.tensor import TensorRole
from cyclescope.core.units import BoolArray, IntArray


class Level(StrEnum):
    """How finely the flow is drawn."""

    STAGE = "stage"
    LAYER = "layer"
    OPERATION = "operation"


class NodeRole(StrEnum):
    """What a node stands for. `IN` and `OUT` are what is handed to the cycle, and what its last part leaves behind."""

    IN = "in"
    OUT = "out"
    STAGE = "stage"
    LAYER = "layer"
    OPERATION = "operation"


@dataclass(frozen=True, slots=True)
class FlowNode:
    """A part of the cycle. `ops` are its operations, `repeats` how many equal layers it stands for.

    `index` is the layer within the stage, the first of `indices` where several are folded into one node. `module` and
    `class_name` are those of the layer's or operation's own frame. `parameter_bytes` are the weights and buffers read
    inside, of one repeat.
    """

    role: NodeRole
    stage: str
    index: int | None = None
    name: str = ""
    kind: OpKind | None = None
    module: str = ""
    class_name: str = ""
    ops: tuple[int, ...] = ()
    cost: Cost = field(default_factory=Cost)
    parameter_bytes: int = 0
    repeats: int = 1
    indices: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Crossing:
    """One piece of memory on its way: `tensor` (its number in the graph) shows what is read of it, `bytes` how much."""

    tensor: int
    bytes: int


@dataclass(frozen=True, slots=True)
class FlowEdge:
    """Memory that node `source` wrote and node `target` reads; both are positions in `DataFlow.nodes`.

    `times` is how often these crossings happen (a mask that each of twelve folded layers reads: 12). An edge from a node
    to itself is what one folded layer hands to the next.
    """

    source: int
    target: int
    crossings: tuple[Crossing, ...]
    times: int = 1

    @property
    def bytes(self) -> int:
        """Bytes of one crossing of all its tensors."""
        return sum(crossing.bytes for crossing in self.crossings)


@dataclass(frozen=True, slots=True)
class DataFlow:
    """Nodes in order of their first operation, and the edges between them."""

    level: Level
    nodes: tuple[FlowNode, ...]
    edges: tuple[FlowEdge, ...]


def data_flow(graph: Graph, level: Level = Level.STAGE) -> DataFlow:
    """The whole cycle at `level`. Views are no nodes at the level of operations: data passes through them."""
    return _aggregate(graph, level, _keys(graph, level), lambda _: True)


def inside(graph: Graph, node: FlowNode) -> DataFlow:
    """The operations of one `node` of a coarser flow, and the parts that they take from and hand to.

    Of a node that stands for several equal layers these are the operations of the first.
    """
    ops = set(node.ops)
    finer = _keys(graph, Level.OPERATION)
    coarser = _keys(graph, Level.LAYER)
    keys = [finer[i] if i in ops else coarser[i] for i in range(len(graph))]
    return _aggregate(graph, Level.OPERATION, keys, ops.__contains__)


def folded(graph: Graph, flow: DataFlow) -> DataFlow:
    """`flow` with runs of equal neighbouring layers as one node each, `repeats` times.

    Layers are equal when they do the same operations, of the same kinds, at the same cost, in the same order.
    """
    home: list[int] = []
    for k, node in enumerate(flow.nodes):
        previous = flow.nodes[k - 1] if k else node
        follows = node.role is previous.role is NodeRole.LAYER and node.index == (previous.index or 0) + 1
        alike = follows and _shape(graph, previous) == _shape(graph, node)
        home.append(home[-1] if alike else (home[-1] + 1 if home else 0))
    return _merged(graph, flow, home)


def gathered(graph: Graph, flow: DataFlow) -> DataFlow:
    """`flow` with all equal layers of a stage as one node, neighbours or not.

    Layers of two sorts that take turns become two nodes that hand to each other.
    """
    first: dict[object, int] = {}
    home = [
        first.setdefault(_shape(graph, node) if node.role is NodeRole.LAYER else k, len(first))
        for k, node in enumerate(flow.nodes)
    ]
    return _merged(graph, flow, home)


def _shape(graph: Graph, node: FlowNode) -> tuple[object, ...]:
    """What equal layers have in common."""
    return (node.stage, *((graph.names[i], graph.kinds[i], graph.cost(i)) for i in node.ops))


def _merged(graph: Graph, flow: DataFlow, home: list[int]) -> DataFlow:
    """`flow` with old node k inside new node `home[k]`; new nodes are numbered in order of appearance."""
    members: dict[int, list[FlowNode]] = {}
    for k, node in enumerate(flow.nodes):
        members.setdefault(home[k], []).append(node)
    nodes = tuple(
        replace(parts[0], repeats=len(parts), indices=tuple(n.index for n in parts if n.index is not None))
        for parts in members.values()
    )
    bundles: dict[tuple[int, int], list[FlowEdge]] = {}
    for edge in flow.edges:
        bundles.setdefault((home[edge.source], home[edge.target]), []).append(edge)
    edges: list[FlowEdge] = []
    for (source, target), bundle in sorted(bundles.items()):
        if source == target:
            widest = max(bundle, key=lambda edge: edge.bytes)
            edges.append(FlowEdge(source, target, widest.crossings, len(bundle)))
        else:
            edges.extend(FlowEdge(source, target, crossings, times) for times, crossings in _by_count(graph, bundle))
    return DataFlow(flow.level, nodes, tuple(edges))


def _by_count(graph: Graph, bundle: list[FlowEdge]) -> list[tuple[int, tuple[Crossing, ...]]]:
    """Crossings of parallel edges, those together that happen equally often: a mask is read by all, a state by one.

    Where each edge has memory of its own, and all the same amount, one of them stands for all.
    """
    seen: dict[int, list[Crossing]] = {}
    for edge in bundle:
        for crossing in edge.crossings:
            seen.setdefault(graph.tensors[crossing.tensor].storage, []).append(crossing)
    counts: dict[int, list[Crossing]] = {}
    for crossings in seen.values():
        counts.setdefault(len(crossings), []).append(max(crossings, key=lambda crossing: crossing.bytes))
    single = [
        own
        for edge in bundle
        if (own := tuple(c for c in edge.crossings if len(seen[graph.tensors[c.tensor].storage]) == 1))
    ]
    result = [(times, tuple(held)) for times, held in sorted(counts.items()) if times > 1]
    if len({sum(c.bytes for c in own) for own in single}) == 1:
        return [(len(single), single[0]), *result]
    return [(1, tuple(c for own in single for c in own)), *result] if single else result


_Key = tuple[NodeRole, str, int | None]


def _keys(graph: Graph, level: Level) -> list[_Key]:
    if level is Level.OPERATION:
        return [(NodeRole.OPERATION, stage, i) for i, stage in enumerate(graph.op_stage)]
    by_layer = level is Level.LAYER
    return [
        (NodeRole.LAYER, stage, layer) if by_layer and layer >= 0 else (NodeRole.STAGE, stage, None)
        for stage, layer in zip(graph.op_stage, graph.op_layer.tolist(), strict=True)
    ]


def _aggregate(graph: Graph, level: Level, keys: list[_Key], wanted: Callable[[int], bool]) -> DataFlow:
    """Book every crossing of memory between two keys. Only crossings that touch a `wanted` operation count."""
    entry: _Key = (NodeRole.IN, "", None)
    way_out: _Key = (NodeRole.OUT, "", None)
    inputs = {spec.storage for spec in graph.tensors if spec.role in (TensorRole.INPUT, TensorRole.CACHE)}
    views = _views(graph)
    extents, position = _extents(graph, views).tolist(), graph.storages[1].tolist()
    sizes = graph.tensor_bytes.tolist()
    shows = views.tolist()
    ops: dict[_Key, list[int]] = {}
    weights: dict[_Key, dict[int, int]] = {}
    held: dict[tuple[_Key, _Key], dict[int, Crossing]] = {}  # ends -> storage -> what crosses
    last_write: dict[int, int] = {}
    read: set[int] = set()  # storages that somebody computed with since they were last written
    for i, key in enumerate(keys):
        is_view = shows[i]
        if is_view and key[0] is NodeRole.OPERATION:
            continue
        ops.setdefault(key, []).append(i)
        # A view hands on only what it shows: the first of sixteen tokens, not the whole sequence.
        shown_bytes = sum(sizes[w] for w in graph.writes(i)) if is_view else None
        for t in graph.reads(i):
            spec = graph.tensors[t]
            writer = last_write.get(spec.storage)
            if writer is None and spec.storage not in inputs:
                weights.setdefault(key, {})[spec.storage] = extents[position[t]]
                continue
            if not is_view:
                read.add(spec.storage)
            origin = entry if writer is None else keys[writer]
            if origin == key or not (wanted(i) or (writer is not None and wanted(writer))):
                continue
            size = min(sizes[t], extents[position[t]])
            crossing = Crossing(t, size if shown_bytes is None else min(size, shown_bytes))
            known = held.setdefault((origin, key), {})
            if spec.storage not in known or known[spec.storage].bytes < crossing.bytes:
                known[spec.storage] = crossing
        for t in graph.writes(i) if not is_view else ():
            last_write[graph.tensors[t].storage] = i
            read.discard(graph.tensors[t].storage)
    if keys and wanted(len(keys) - 1):
        # What the last part wrote and no operation read is the result of the cycle.
        last = next(reversed(ops))
        for storage, writer in last_write.items():
            if storage not in read and keys[writer] == last:
                left = next(t for t in graph.writes(writer) if graph.tensors[t].storage == storage)
                if graph.tensors[left].shape:  # else a number that Python took away
                    held.setdefault((last, way_out), {})[storage] = Crossing(left, graph.tensors[left].bytes)

    touched = {end for ends in held for end in ends} | {key for key, own in ops.items() if any(map(wanted, own))}
    shown = [key for key in (entry, *ops, way_out) if key in touched]
    position = {key: k for k, key in enumerate(shown)}
    nodes = tuple(_node(graph, key, tuple(ops.get(key, ())), weights.get(key, {}).values()) for key in shown)
    edges = [FlowEdge(position[a], position[b], tuple(held[a, b].values())) for a, b in held]
    return DataFlow(level, nodes, tuple(sorted(edges, key=lambda edge: (edge.source, edge.target))))


def _views(graph: Graph) -> BoolArray:
    """Mask of the operations that only show memory that was there, by their kind or by what they hand out (a slice)."""
    reads, writes = graph.read_entries, graph.write_entries
    width = len(graph.storages[0])
    there = np.isin(writes.op * width + writes.storage, reads.op * width + reads.storage)
    fresh = np.bincount(writes.op[~there], minlength=len(graph)) > 0
    hands_out = np.diff(graph.output_offsets) > 0
    slices: BoolArray = hands_out & ~fresh & (graph.in_place == 0)
    return graph.of_kind(OpKind.VIEW) | slices


def _extents(graph: Graph, views: BoolArray) -> IntArray:
    """Bytes of each storage [storages]: its largest tensor that is no view, since an expanded view shows the same bytes
    again; where there are only views, the first.
    """
    storage_of, sizes = graph.storages[1], graph.tensor_bytes
    shown = np.zeros(len(graph.tensors), dtype=bool)
    shown[graph.write_entries.tensor[views[graph.write_entries.op]]] = True
    extent = np.full(len(graph.storages[0]), -1, dtype=np.int64)
    np.maximum.at(extent, storage_of[~shown], sizes[~shown])
    _, first = np.unique(storage_of, return_index=True)
    return np.where(extent < 0, sizes[first], extent)


def _node(graph: Graph, key: _Key, ops: tuple[int, ...], weight_bytes: Iterable[int]) -> FlowNode:
    role, stage, index = key
    cost = Cost()
    for i in ops:
        cost = cost + graph.cost(i)
    parameter_bytes = sum(weight_bytes)
    if role is NodeRole.OPERATION:
        assert index is not None
        frame = graph.frames[int(graph.op_frame[index])]
        return FlowNode(
            role,
            stage,
            frame.layer,
            graph.names[index],
            graph.kinds[index],
            frame.module,
            frame.class_name,
            ops,
            cost,
            parameter_bytes,
        )
    if role is NodeRole.LAYER:
        frame = _outermost(graph, ops[0])
        return FlowNode(
            role, stage, index, f"{stage} {index}", None, frame.module, frame.class_name, ops, cost, parameter_bytes
        )
    return FlowNode(role, stage, None, stage or role.value, None, "", "", ops, cost, parameter_bytes)


def _outermost(graph: Graph, op: int) -> Frame:
    """The frame of the layer that operation `op` stands in."""
    frame = graph.frames[int(graph.op_frame[op])]
    while frame.parent >= 0:
        above = graph.frames[frame.parent]
        if (above.stage, above.layer) != (frame.stage, frame.layer):
            break
        frame = above
    return frame
