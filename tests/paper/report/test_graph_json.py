"""The graph as JSON."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from hypothesis import given, settings

from cyclescope.core.graph import Graph
from cyclescope.report.graph_json import graph_lines, graph_to_json

from .conftest import hostile_graph
from .strategies import graphs


def columns(rows: list[dict[str, Any]], name: str) -> list[Any]:
    return [row[name] for row in rows]


def check(graph: Graph) -> None:
    """Everything that is in the graph is in its document."""
    data = json.loads(graph_to_json(graph))
    assert data["schema"] == "cyclescope/graph/1"
    operations = data["operations"]
    assert columns(operations, "index") == list(range(len(graph)))
    for name in ("flops", "elementwise_flops", "read_bytes", "written_bytes"):
        assert columns(operations, name) == getattr(graph, name).tolist()
        assert data["total"][name] == int(getattr(graph, name).sum())
    assert columns(operations, "kind") == [kind.value for kind in graph.kinds]
    assert [tuple(op["inputs"]) for op in operations] == [graph.reads(i) for i in range(len(graph))]
    assert [tuple(op["outputs"]) for op in operations] == [graph.writes(i) for i in range(len(graph))]
    assert [(op["site"]["stage"], op["site"]["layer"]) for op in operations] == [
        (graph.site(i).stage, graph.site(i).layer) for i in range(len(graph))
    ]
    assert [tuple(tensor["shape"]) for tensor in data["tensors"]] == [spec.shape for spec in graph.tensors]
    assert columns(data["tensors"], "bytes") == [spec.bytes for spec in graph.tensors]
    assert columns(data["frames"], "parent") == [frame.parent for frame in graph.frames]
    edges = graph.dependencies
    for name in ("source", "target", "tensor"):
        assert columns(data["dependencies"], name) == getattr(edges, name).tolist()
    assert columns(data["dependencies"], "carries_data") == edges.carries_data.astype(bool).tolist()


def test_the_bert(graph: Graph) -> None:
    check(graph)
    data = json.loads(graph_to_json(graph))
    assert data["stages"] == ["tokenize", "embed", "encode", "head"]
    assert data["operations"][0]["site"] == {"stage": "tokenize", "layer": None, "module": ""}


def test_hostile_names() -> None:
    check(hostile_graph())


@settings(max_examples=50, deadline=None)
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
