"""The graph as JSON."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from hypothesis import given, settings

from cyclescope.core.graph.builder import GraphBuilder
from cyclescope.core.graph.graph import Graph
from cyclescope.core.graph.op import OpKind
from cyclescope.core.graph.tensor import TensorRole
from cyclescope.report.documents.graph import GraphDocument, graph_json, graph_lines

from .conftest import hostile_graph
from .strategies import graphs


def columns(rows: list[dict[str, Any]], name: str) -> list[Any]:
    return [row[name] for row in rows]


def check(graph: Graph) -> None:
    """Everything that is in the graph is in its document."""
    text = graph_json(graph)
    assert text.isascii()
    GraphDocument.model_validate_json(text)
    data = json.loads(text)
    assert data["schema"] == "cyclescope/graph/2"
    operations = data["operations"]
    assert columns(operations, "index") == list(range(len(graph)))
    for name in ("flops", "elementwise_flops", "read_bytes", "written_bytes"):
        assert [op["work"][name] for op in operations] == getattr(graph, name).tolist()
        assert data["total"][name] == int(getattr(graph, name).sum())
    assert columns(operations, "kind") == [kind.value for kind in graph.kinds]
    assert [tuple(op["inputs"]) for op in operations] == [graph.reads(i) for i in range(len(graph))]
    assert [tuple(op["outputs"]) for op in operations] == [graph.writes(i) for i in range(len(graph))]
    assert [(op["site"]["stage"], op["site"]["layer"]) for op in operations] == [
        (graph.location(i).stage, graph.location(i).layer) for i in range(len(graph))
    ]
    assert [tuple(tensor["shape"]) for tensor in data["tensors"]] == [spec.shape for spec in graph.tensors]
    assert columns(data["tensors"], "bytes") == [spec.bytes for spec in graph.tensors]
    assert columns(operations, "in_place") == graph.in_place.astype(bool).tolist()
    assert columns(operations, "frame") == graph.op_frame.tolist()
    for name in ("stage", "layer", "first_op", "end_op"):
        assert columns(data["frames"], name) == [getattr(frame, name) for frame in graph.frames]
    assert columns(data["tensors"], "storage") == [spec.storage for spec in graph.tensors]
    assert columns(data["tensors"], "role") == [spec.role.value for spec in graph.tensors]
    assert columns(data["frames"], "parent") == [frame.parent for frame in graph.frames]
    edges = graph.dependencies
    for name in ("source", "target", "tensor"):
        assert columns(data["dependencies"], name) == getattr(edges, name).tolist()
    assert columns(data["dependencies"], "carries_data") == edges.carries_data.astype(bool).tolist()


def test_the_bert(graph: Graph) -> None:
    check(graph)
    data = json.loads(graph_json(graph))
    assert data["stages"] == ["tokenize", "embed", "encode", "head"]
    assert data["operations"][0]["site"] == {"stage": "tokenize", "layer": None, "module": ""}


def test_hostile_names() -> None:
    check(hostile_graph())


def test_a_write_in_place_waits_without_carrying_data() -> None:
    b = GraphBuilder()
    x = b.tensor((2,), role=TensorRole.INPUT)
    y, z = b.tensor((2,)), b.tensor((2,))
    b.op("first", OpKind.ELEMENTWISE, [x], [y])
    b.op("reader", OpKind.ELEMENTWISE, [y], [z])
    b.op("add_", OpKind.ELEMENTWISE, [x], [y], in_place=True)
    graph = b.build()
    check(graph)
    data = json.loads(graph_json(graph))
    assert columns(data["operations"], "in_place") == [False, False, True]
    assert {"source": 1, "target": 2, "tensor": y, "carries_data": False} in data["dependencies"]


@settings(max_examples=50)
@given(graphs())
def test_any_graph(graph: Graph) -> None:
    check(graph)


def test_it_can_be_read_line_by_line(graph: Graph) -> None:
    lines = list(graph_lines(graph))
    begin = lines.index('"operations": [\n') + 1
    rows = [json.loads(line.rstrip(",\n")) for line in lines[begin : begin + len(graph)]]
    assert [row["name"] for row in rows] == list(graph.names)
    assert lines[begin + len(graph)] == "],\n"
    assert np.all([line.endswith("\n") for line in lines])
