"""What a builder hands back while a graph grows, and the rows of the graph that comes out."""

from __future__ import annotations

import pytest

from cyclescope.core.graph.builder import GraphBuilder
from cyclescope.core.graph.op import Cost, Op, OpKind, OpLocation
from cyclescope.core.graph.tensor import TensorRole

from .small_graphs import small_bert


def test_operations_and_tensors_and_memory_are_numbered_from_zero() -> None:
    b = GraphBuilder()
    assert [b.storage(), b.storage()] == [0, 1]
    x, y = b.tensor((2,), role=TensorRole.INPUT), b.tensor((3,))
    assert (x, y) == (0, 1)
    assert [b.spec(t).storage for t in (x, y)] == [2, 3]
    assert b.operations == 0
    assert [b.op("a", OpKind.OTHER, [x], [y]), b.op("b", OpKind.OTHER, [y])] == [0, 1]
    assert b.operations == 2


def test_a_view_lies_in_the_memory_that_it_is_given() -> None:
    b = GraphBuilder()
    x = b.tensor((6,), role=TensorRole.INPUT)
    view, own = b.tensor((2, 3), storage=b.spec(x).storage), b.tensor((2, 3))
    assert b.spec(view).storage == b.spec(x).storage != b.spec(own).storage


def test_calls_are_numbered_in_order_of_entry_and_know_their_parent_and_operations() -> None:
    b = GraphBuilder()
    with b.frame("outer", "Outer") as outer:
        b.op("a", OpKind.OTHER)
        with b.frame("inner", "Inner") as inner:
            b.op("b", OpKind.OTHER)
            b.op("c", OpKind.OTHER)
    b.op("d", OpKind.OTHER)
    graph = b.build()
    assert (outer, inner) == (1, 2)
    assert [(f.class_name, f.parent, f.first_op, f.end_op) for f in graph.frames] == [
        ("Cycle", -1, 0, 4),
        ("Outer", 0, 0, 3),
        ("Inner", 1, 1, 3),
    ]
    assert graph.op_frame.tolist() == [1, 2, 2, 0]


def test_a_call_that_fails_is_closed_all_the_same() -> None:
    b = GraphBuilder()

    def failing() -> None:
        with b.frame("outer", "Outer"):
            b.op("a", OpKind.OTHER)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        failing()
    assert b.build().frames[1].end_op == 1


@pytest.mark.parametrize("cost", [Cost(flops=100), Cost(elementwise_flops=100), Cost(0, 0, 100), Cost(0, 0, 0, 100)])
def test_layers_are_found_by_whatever_work_they_do(cost: Cost) -> None:
    """Layers of nothing but lookups or copies have no FLOPs, and are layers."""
    b = GraphBuilder()
    with b.frame("", "Model"):
        with b.frame("embed", "Embed"):
            b.op("big", OpKind.MATMUL, (), (), Cost(flops=1000))
        for i in range(2):
            with b.frame(f"layers.{i}", "Layer"), b.frame(f"layers.{i}.inner", "Inner"):
                b.op("work", OpKind.OTHER, (), (), cost)
    assert [frame.layer for frame in b.build().frames if frame.class_name == "Inner"] == [0, 1]


def test_a_row_of_a_graph_is_one_typed_operation() -> None:
    b = GraphBuilder()
    x = b.tensor((2,), role=TensorRole.INPUT)
    y, z = b.tensor((2,)), b.tensor((2,))
    with b.frame("split", "Split"):
        b.op("first", OpKind.OTHER, [x], [y])
        b.op("chunk", OpKind.COPY, [y, x], [z, x], Cost(1, 2, 3, 4), in_place=True)
    graph = b.build(traced_on="paper", notes=["a note"])
    site = OpLocation("model", None, "split")
    assert graph.op(1) == Op(1, "chunk", OpKind.COPY, site, Cost(1, 2, 3, 4), (y, x), (z, x))
    assert (graph.in_place.tolist(), graph.traced_on, graph.notes) == ([0, 1], "paper", ("a note",))
    assert len(list(graph.ops())) == len(graph) == 2


def test_a_graph_of_nothing_has_no_work_and_no_stage() -> None:
    graph = GraphBuilder().build()
    assert (len(graph), graph.total, graph.stages, len(graph.dependencies.source)) == (0, Cost(), (), 0)


def test_a_site_reads_stage_layer_and_path() -> None:
    graph = small_bert()
    by_module = {op.site.module: str(op.site) for op in graph.ops()}
    assert by_module["encoder.layer.1.a"] == "encode 1 · encoder.layer.1.a"
    assert by_module["pooler"] == "head · pooler"
    assert str(OpLocation("tokenize", None, "")) == "tokenize"
