"""The whole graph as JSON, schema `cyclescope/graph/1`: for other programs, and for a look with `less`.

Every frame, tensor, operation and dependency stands on a line of its own, so that a reader may go through it line by line.
Positions count from 0. Bytes and FLOPs are whole numbers.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from cyclescope.core.graph.graph import Graph
from cyclescope.report.names import storable

SCHEMA = "cyclescope/graph/1"


def graph_to_json(graph: Graph) -> str:
    """The graph as one text: strict JSON in ASCII."""
    return "".join(graph_lines(graph))


def graph_lines(graph: Graph) -> Iterator[str]:
    """The same, a line at a time; nothing of the size of the graph is built up meanwhile."""
    opening = {
        "schema": SCHEMA,
        "traced_on": storable(graph.traced_on),
        "cache_length": graph.cache_length,
        "notes": [storable(str(note)) for note in graph.notes],
        "stages": list(graph.stages),
        "kept_storages": list(graph.kept),
        "total": {
            "flops": graph.total.flops,
            "elementwise_flops": graph.total.elementwise_flops,
            "read_bytes": graph.total.read_bytes,
            "written_bytes": graph.total.written_bytes,
        },
    }
    yield "{\n"
    for key, value in opening.items():
        yield f"{json.dumps(key)}: {json.dumps(value)},\n"
    yield from _section("frames", _frames(graph), last=False)
    yield from _section("tensors", _tensors(graph), last=False)
    yield from _section("operations", _operations(graph), last=False)
    yield from _section("experts", _experts(graph), last=False)
    yield from _section("dependencies", _dependencies(graph), last=True)
    yield "}\n"


def _section(name: str, rows: Iterable[dict[str, Any]], *, last: bool) -> Iterator[str]:
    """A list with a row a line. The comma belongs to the row before, which is why one row is held back."""
    yield f"{json.dumps(name)}: [\n"
    held: str | None = None
    for row in rows:
        if held is not None:
            yield f"{held},\n"
        held = json.dumps(row, allow_nan=False)
    if held is not None:
        yield f"{held}\n"
    yield "]\n" if last else "],\n"


def _frames(graph: Graph) -> Iterator[dict[str, Any]]:
    """Calls of modules; `parent` is −1 for the first, which is the whole cycle. It holds first_op … end_op − 1."""
    for index, frame in enumerate(graph.frames):
        yield {
            "index": index,
            "parent": frame.parent,
            "module": storable(frame.module),
            "class_name": storable(frame.class_name),
            "stage": frame.stage,
            "layer": frame.layer,
            "first_op": frame.first_op,
            "end_op": frame.end_op,
        }


def _tensors(graph: Graph) -> Iterator[dict[str, Any]]:
    """Tensors with equal `storage` share memory."""
    for index, spec in enumerate(graph.tensors):
        yield {
            "index": index,
            "shape": list(spec.shape),
            "dtype": spec.dtype,
            "bytes": spec.bytes,
            "storage": spec.storage,
            "role": spec.role.value,
            "name": storable(spec.name),
        }


def _operations(graph: Graph) -> Iterator[dict[str, Any]]:
    """Operations in the order in which the model asks for them; `inputs` and `outputs` are positions in `tensors`."""
    for op in graph.ops():
        yield {
            "index": op.index,
            "name": storable(op.name),
            "kind": op.kind.value,
            "site": {"stage": op.site.stage, "layer": op.site.layer, "module": storable(op.site.module)},
            "frame": int(graph.op_frame[op.index]),
            "flops": op.cost.flops,
            "elementwise_flops": op.cost.elementwise_flops,
            "read_bytes": op.cost.read_bytes,
            "written_bytes": op.cost.written_bytes,
            "in_place": bool(graph.in_place[op.index]),
            "inputs": list(op.inputs),
            "outputs": list(op.outputs),
        }


def _experts(graph: Graph) -> Iterator[dict[str, Any]]:
    """Calls of a mixture's experts; `tokens_per_expert` is null where the routing is not known, `expected` the average."""
    for load in graph.experts:
        frame = graph.frames[load.frame]
        yield {
            "frame": load.frame,
            "first_op": frame.first_op,
            "end_op": frame.end_op,
            "tokens": load.tokens,
            "chosen": load.chosen,
            "experts": load.experts,
            "expected": load.expected,
            "tokens_per_expert": list(load.per_expert) if load.known else None,
        }


def _dependencies(graph: Graph) -> Iterator[dict[str, Any]]:
    """`target` must wait for `source`; where it only waits (a write in place for a reader) no data is carried."""
    edges = graph.dependencies
    columns = (edges.source.tolist(), edges.target.tolist(), edges.tensor.tolist(), edges.carries_data.tolist())
    for source, target, tensor, carries in zip(*columns, strict=True):
        yield {"source": source, "target": target, "tensor": tensor, "carries_data": bool(carries)}
