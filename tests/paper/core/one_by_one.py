"""Random graphs with views, writes in place and nested calls, and what is told of them operation by operation.

The product works in columns; these walk through the operations as the definitions read, and must say the same.
"""

from __future__ import annotations

from hypothesis import strategies as st

from cyclescope.core.graph.builder import GraphBuilder
from cyclescope.core.graph.graph import Graph
from cyclescope.core.graph.op import Cost, OpKind
from cyclescope.core.graph.tensor import TensorRole

Edge = tuple[int, int, int, int]

_MODULES = ("", "embed", "encoder", "encoder.layer.0", "encoder.layer.1", "encoder.layer.2", "decoder.layer.0", "head")
_KINDS = (OpKind.MATMUL, OpKind.VIEW, OpKind.COPY, OpKind.ELEMENTWISE, OpKind.TEXT)


@st.composite
def tangled_graphs(draw: st.DrawFn) -> Graph:
    """Calls in calls; operations that read and write several tensors of shared memory, some of them in place."""
    b = GraphBuilder()
    there = [
        b.tensor((2,), role=TensorRole.INPUT),
        b.tensor((3, 2), role=TensorRole.PARAMETER),
        b.tensor((2,), role=TensorRole.CACHE),
    ]

    def operation() -> None:
        kind = draw(st.sampled_from(_KINDS))
        reads = draw(st.lists(st.sampled_from(there), max_size=3))
        writes = []
        for _ in range(draw(st.integers(0, 2))):
            shares = draw(st.booleans()) and bool(reads)
            storage = b.spec(draw(st.sampled_from(reads))).storage if shares else None
            again = draw(st.booleans()) and shares
            writes.append(reads[0] if again else b.tensor((2,), storage=storage))
        b.op(kind.value, kind, reads, writes, Cost(flops=draw(st.integers(0, 9))), in_place=draw(st.booleans()))
        there.extend(writes)

    def calls(depth: int) -> None:
        for _ in range(draw(st.integers(0, 3))):
            operation()
            if depth < 3 and draw(st.booleans()):
                stage = draw(st.sampled_from(("", "", "tokenize")))
                with b.frame(draw(st.sampled_from(_MODULES)), "Module", stage=stage):
                    calls(depth + 1)

    calls(0)
    generates = draw(st.booleans())
    return b.build(generates=generates, stepwise=generates and draw(st.booleans()))


def dependencies_of(graph: Graph) -> list[Edge]:
    """Source, target, tensor and whether data goes through, as `Graph.dependencies` defines them."""
    edges: list[Edge] = []
    maker: dict[int, int] = {}
    last_write: dict[int, int] = {}
    readers: dict[int, list[int]] = {}
    for i in range(len(graph)):
        seen = {i}

        def edge(origin: int | None, t: int, carries: int, i: int = i, seen: set[int] = seen) -> None:
            if origin is not None and origin not in seen:
                seen.add(origin)
                edges.append((origin, i, t, carries))

        for t in graph.reads(i):
            storage = graph.tensors[t].storage
            edge(last_write.get(storage), t, 1)
            edge(maker.get(t), t, 1)
            readers.setdefault(storage, []).append(i)
        for t in graph.writes(i):
            storage = graph.tensors[t].storage
            maker[t] = i
            if graph.kinds[i] is OpKind.VIEW:
                continue
            if graph.in_place[i]:
                for reader in readers.get(storage, ()):
                    edge(reader, t, 0)
            readers[storage] = []
            last_write[storage] = i
    return edges


def slots_of(graph: Graph) -> list[tuple[int, int, int, int]]:
    """Operation, innermost stamped frame, stamps of operations and of frames of every slot: the tree of calls walked."""
    # Each boundary: the operation that begins there (or −1), the instrumented frame in force after it, of a frame or not.
    boundaries: list[tuple[int, int, int]] = [(-1, 0, 0)]

    def walk(k: int, stamped: int) -> None:
        frame = graph.frames[k]
        mine = k if frame.timed else stamped
        if frame.timed:
            boundaries.append((-1, mine, 1))
        at = frame.first_op
        for child in [c for c, f in enumerate(graph.frames) if c and f.parent == k]:
            stamp(at, graph.frames[child].first_op, mine)
            walk(child, mine)
            at = graph.frames[child].end_op
        stamp(at, frame.end_op, mine)
        if frame.timed:
            boundaries.append((-1, stamped, 1))

    def stamp(begin: int, end: int, frame: int) -> None:
        for i in range(begin, end):
            boundaries.extend(((i, frame, 0), (-1, frame, 0)))

    walk(0, 0)
    count = len(boundaries)
    boundaries.append((-1, 0, 0))
    slots = []
    for s, (op, frame, _) in enumerate(boundaries[:count]):
        ends = [boundaries[end][2] for end in (s, s + 1) if 0 < end < count and op < 0]
        slots.append((op, frame, ends.count(0), ends.count(1)))
    return slots
