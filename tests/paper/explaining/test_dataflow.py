"""The path of the data, on graphs small enough to add up by hand."""

from __future__ import annotations

import pytest

from cyclescope.core.graph.builder import GraphBuilder
from cyclescope.core.graph.graph import Graph
from cyclescope.core.graph.op import Cost, OpKind
from cyclescope.core.graph.tensor import TensorRole
from cyclescope.explaining.dataflow import DataFlow, FlowNode, Level, NodeRole, data_flow, folded, gathered, inside

HIDDEN = 16 * 8 * 4  # bytes of a [1, 16, 8] float32 state
MASK = 16 * 4


def encoder(layers: int = 3, *, odd_layer: int | None = None, wide_view: bool = False) -> Graph:
    """Text, embedding with a mask for all layers, layers of two products with a view between them, a head."""
    b = GraphBuilder()
    with b.frame("", "Tokenizer", stage="tokenize"):
        text = b.tensor((40,), "text", TensorRole.INPUT)
        ids = b.tensor((1, 16), "int64")
        b.op("tokenize", OpKind.TEXT, [text], [ids])
    with b.frame("", "Model"):
        with b.frame("embeddings", "Embeddings"):
            table = b.tensor((100, 8), role=TensorRole.PARAMETER)
            x = b.tensor((1, 16, 8))
            b.op("embedding", OpKind.EMBEDDING, [table, ids], [x])
            mask = b.tensor((1, 16))
            b.op("mask", OpKind.ELEMENTWISE, [ids], [mask])
        with b.frame("encoder", "Encoder"):
            for i in range(layers):
                with b.frame(f"encoder.layer.{i}", "Layer"):
                    weight = b.tensor((8, 8), role=TensorRole.PARAMETER)
                    y = b.tensor((1, 16, 8))
                    b.op("linear", OpKind.MATMUL, [x, weight], [y], Cost(100, 0, 10, 10))
                    shape = (4, 16, 8) if wide_view else (16, 8)
                    view = b.tensor(shape, storage=b.spec(y).storage)
                    b.op("view", OpKind.VIEW, [y], [view])
                    x = b.tensor((1, 16, 8))
                    b.op("attend", OpKind.ATTENTION, [view, mask], [x], Cost(300 if i == odd_layer else 200))
        with b.frame("pooler", "Pooler"):
            first = b.tensor((1, 8), storage=b.spec(x).storage)
            b.op("select", OpKind.VIEW, [x], [first])
            out = b.tensor((1, 8))
            b.op("linear", OpKind.MATMUL, [first], [out])
    return b.build()


def arrows(flow: DataFlow) -> dict[tuple[str, str], list[tuple[int, int]]]:
    """(from, to) -> [(bytes, times)], by the nodes' names."""
    result: dict[tuple[str, str], list[tuple[int, int]]] = {}
    for edge in flow.edges:
        ends = (flow.nodes[edge.source].name, flow.nodes[edge.target].name)
        result.setdefault(ends, []).append((edge.bytes, edge.times))
    return result


def node(flow: DataFlow, name: str) -> FlowNode:
    return next(n for n in flow.nodes if n.name == name)


def test_stages_hand_on_the_bytes_that_cross_and_nothing_else() -> None:
    flow = data_flow(encoder(), Level.STAGE)
    assert [n.name for n in flow.nodes] == ["in", "tokenize", "embed", "encode", "head", "out"]
    assert arrows(flow) == {
        ("in", "tokenize"): [(40, 1)],
        ("tokenize", "embed"): [(16 * 8, 1)],  # read twice, crosses once
        ("embed", "encode"): [(HIDDEN + MASK, 1)],
        ("encode", "head"): [(8 * 4, 1)],  # the view shows one token of sixteen
        ("head", "out"): [(8 * 4, 1)],
    }


def test_weights_belong_to_the_part_that_reads_them() -> None:
    flow = data_flow(encoder(3), Level.STAGE)
    assert node(flow, "embed").parameter_bytes == 100 * 8 * 4
    assert node(flow, "encode").parameter_bytes == 3 * 8 * 8 * 4
    assert node(flow, "head").parameter_bytes == 0


def test_layers_stand_apart_and_equal_ones_fold() -> None:
    graph = encoder(3)
    flow = data_flow(graph, Level.LAYER)
    assert [n.name for n in flow.nodes] == [
        "in",
        "tokenize",
        "embed",
        "encode 0",
        "encode 1",
        "encode 2",
        "head",
        "out",
    ]
    assert arrows(flow)["encode 0", "encode 1"] == [(HIDDEN, 1)]
    assert arrows(flow)["embed", "encode 2"] == [(MASK, 1)]

    short = folded(graph, flow)
    assert [(n.name, n.repeats) for n in short.nodes][3] == ("encode 0", 3)
    assert arrows(short)["embed", "encode 0"] == [(HIDDEN, 1), (MASK, 3)]
    assert arrows(short)["encode 0", "encode 0"] == [(HIDDEN, 2)]
    assert arrows(short)["encode 0", "head"] == [(8 * 4, 1)]


def test_folding_loses_no_bytes_on_arrows_between_nodes() -> None:
    graph = encoder(5, odd_layer=2)
    flow = data_flow(graph, Level.LAYER)
    short = folded(graph, flow)
    assert [n.repeats for n in short.nodes if n.role is NodeRole.LAYER] == [2, 1, 2]
    assert sum(e.bytes * e.times for e in short.edges) == sum(e.bytes * e.times for e in flow.edges)


def test_one_unlike_layer_does_not_fold() -> None:
    graph = encoder(3, odd_layer=1)
    assert [n.repeats for n in folded(graph, data_flow(graph, Level.LAYER)).nodes if n.role is NodeRole.LAYER] == [
        1,
        1,
        1,
    ]


def test_layers_that_take_turns_gather_into_two_nodes() -> None:
    b = GraphBuilder()
    x = b.tensor((1, 8), role=TensorRole.INPUT)
    with b.frame("", "Model"):
        for i in range(6):
            with b.frame(f"layer.{i}", "Local" if i % 2 else "Global"):
                for _ in range(2):
                    y = b.tensor((1, 8))
                    b.op("linear", OpKind.MATMUL, [x], [y], Cost(100 + i % 2))
                    x = y
    graph = b.build()
    flow = data_flow(graph, Level.LAYER)
    assert len(folded(graph, flow).nodes) == len(flow.nodes)
    short = gathered(graph, flow)
    assert [(n.name, n.repeats, n.indices) for n in short.nodes if n.role is NodeRole.LAYER] == [
        ("encode 0", 3, (0, 2, 4)),
        ("encode 1", 3, (1, 3, 5)),
    ]
    assert arrows(short) == {
        ("in", "encode 0"): [(32, 1)],
        ("encode 0", "encode 1"): [(32, 3)],
        ("encode 1", "encode 0"): [(32, 2)],
        ("encode 1", "out"): [(32, 1)],
    }


def test_a_slice_of_a_weight_is_no_data_that_travels() -> None:
    b = GraphBuilder()
    x = b.tensor((4,), role=TensorRole.INPUT)
    table = b.tensor((100, 4), role=TensorRole.PARAMETER)
    with b.frame("", "Model"):
        for i in range(2):
            with b.frame(f"layer.{i}", "Layer"):
                part = b.tensor((10, 4), storage=b.spec(table).storage)
                b.op("__getitem__", OpKind.COPY, [table], [part])
                y = b.tensor((4,))
                b.op("add", OpKind.ELEMENTWISE, [x, part], [y], Cost(1))
                x = y
    flow = data_flow(b.build(), Level.LAYER)
    assert arrows(flow)["encode 0", "encode 1"] == [(16, 1)]
    assert [n.parameter_bytes for n in flow.nodes if n.role is NodeRole.LAYER] == [1600, 1600]


def test_inside_a_layer_are_its_operations_and_its_neighbours() -> None:
    graph = encoder(3)
    flow = data_flow(graph, Level.LAYER)
    detail = inside(graph, node(flow, "encode 1"))
    assert [(n.name, n.role) for n in detail.nodes] == [
        ("embed", NodeRole.STAGE),
        ("encode 0", NodeRole.LAYER),
        ("linear", NodeRole.OPERATION),
        ("attend", NodeRole.OPERATION),
        ("encode 2", NodeRole.LAYER),
    ]
    assert arrows(detail) == {
        ("embed", "attend"): [(MASK, 1)],
        ("encode 0", "linear"): [(HIDDEN, 1)],
        ("linear", "attend"): [(HIDDEN, 1)],  # the view between them is no node
        ("attend", "encode 2"): [(HIDDEN, 1)],
    }


def test_inside_the_last_part_the_result_goes_out() -> None:
    graph = encoder(1)
    detail = inside(graph, node(data_flow(graph, Level.LAYER), "head"))
    assert [n.name for n in detail.nodes] == ["encode 0", "linear", "out"]
    assert arrows(detail) == {("encode 0", "linear"): [(32, 1)], ("linear", "out"): [(32, 1)]}


def test_an_expanded_view_carries_no_more_than_the_memory_behind_it() -> None:
    graph = encoder(1, wide_view=True)
    detail = inside(graph, node(data_flow(graph, Level.LAYER), "encode 0"))
    assert arrows(detail)["linear", "attend"] == [(HIDDEN, 1)]


def test_every_operation_level_covers_the_whole_cycle() -> None:
    graph = encoder(2)
    flow = data_flow(graph, Level.OPERATION)
    covered = {i for n in flow.nodes for i in n.ops}
    assert covered == {i for i in range(len(graph)) if graph.kinds[i] is not OpKind.VIEW}


@pytest.mark.parametrize("level", list(Level))
def test_an_empty_graph_flows_nowhere(level: Level) -> None:
    flow = data_flow(GraphBuilder().build(), level)
    assert flow.nodes == ()
    assert flow.edges == ()
