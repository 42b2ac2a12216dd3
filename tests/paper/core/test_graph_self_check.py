"""A graph that contradicts itself is caught, whatever the contradiction."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given

from cyclescope.core.graph.builder import GraphBuilder
from cyclescope.core.graph.frame import Frame
from cyclescope.core.graph.graph import Graph, GraphError
from cyclescope.core.graph.op import Cost, OpKind

from .small_graphs import build, call, few_examples, graphs, small_bert

Break = Callable[[Graph], Graph]


def with_frame(graph: Graph, k: int, **changes: object) -> Graph:
    frames = list(graph.frames)
    frames[k] = replace(frames[k], **changes)  # type: ignore[arg-type]
    return replace(graph, frames=tuple(frames))


def frame_of(graph: Graph, module: str) -> int:
    return next(k for k, frame in enumerate(graph.frames) if frame.module == module)


def reading(graph: Graph, op: int, tensor: int) -> Graph:
    """The same graph, but the first thing that `op` reads is `tensor`."""
    inputs = graph.inputs.copy()
    inputs[graph.input_offsets[op]] = tensor
    return replace(graph, inputs=inputs)


def first_negative(column: str) -> Break:
    def broken(graph: Graph) -> Graph:
        values = getattr(graph, column).copy()
        values[0] = -1
        return replace(graph, **{column: values})

    return broken


@pytest.mark.parametrize("column", ["flops", "elementwise_flops", "read_bytes", "written_bytes"])
def test_a_negative_cost_is_caught_in_every_column(column: str) -> None:
    with pytest.raises(GraphError, match="negative cost"):
        first_negative(column)(small_bert()).self_check()


@pytest.mark.parametrize(
    "column", ["kinds", "op_frame", "flops", "elementwise_flops", "read_bytes", "written_bytes", "in_place"]
)
def test_a_column_that_lost_a_row_is_caught(column: str) -> None:
    graph = small_bert()
    with pytest.raises(GraphError, match="columns of different lengths"):
        replace(graph, **{column: getattr(graph, column)[:-1]}).self_check()


@pytest.mark.parametrize("offsets", ["input_offsets", "output_offsets"])
def test_offsets_that_do_not_fit_the_operations_are_caught(offsets: str) -> None:
    graph = small_bert()
    with pytest.raises(GraphError, match="offsets"):
        replace(graph, **{offsets: getattr(graph, offsets)[:-1]}).self_check()


def test_an_operation_that_reads_what_a_later_one_writes_is_caught() -> None:
    graph = small_bert()
    (later,) = graph.writes(3)
    with pytest.raises(GraphError, match=f"operation 1 .* reads tensor {later}"):
        reading(graph, 1, later).self_check()


def test_an_operation_that_reads_its_own_result_is_caught() -> None:
    graph = small_bert()
    (own,) = graph.writes(2)
    with pytest.raises(GraphError, match=f"operation 2 .* reads tensor {own}"):
        reading(graph, 2, own).self_check()


def test_a_tensor_that_nobody_wrote_is_caught_by_the_builder_already() -> None:
    b = GraphBuilder()
    orphan, y = b.tensor((2,)), b.tensor((2,))
    b.op("add", OpKind.ELEMENTWISE, [orphan], [y])
    with pytest.raises(GraphError, match=r"operation 0 \(add\) reads tensor 0, which nobody wrote before"):
        b.build()


def test_a_tensor_that_does_not_exist_is_caught() -> None:
    graph = small_bert()
    with pytest.raises(GraphError, match="tensor"):
        reading(graph, 1, len(graph.tensors)).self_check()


def test_a_negative_cost_is_caught_by_the_builder_already() -> None:
    b = GraphBuilder()
    b.op("linear", OpKind.MATMUL, (), (), Cost(flops=-1))
    with pytest.raises(GraphError, match="negative cost"):
        b.build()


def test_a_frame_that_reaches_out_of_its_parent_is_caught() -> None:
    graph = small_bert()
    k = frame_of(graph, "encoder.layer.1")
    with pytest.raises(GraphError, match=r"'encoder\.layer\.1' reaches out of its parent"):
        with_frame(graph, k, end_op=graph.frames[k].end_op + 1).self_check()


def test_a_frame_that_ends_before_it_begins_is_caught() -> None:
    graph = build(call("a"), 1, 1)
    with pytest.raises(GraphError, match="'a' reaches out of its parent"):
        with_frame(graph, 1, first_op=1, end_op=0).self_check()


@pytest.mark.parametrize("parent", [-1, 99])
def test_a_frame_without_a_parent_before_it_is_caught(parent: int) -> None:
    graph = small_bert()
    k = frame_of(graph, "encoder")
    with pytest.raises(GraphError, match=f"frame {k} stands before its parent"):
        with_frame(graph, k, parent=parent).self_check()


def test_a_frame_that_is_its_own_parent_is_caught() -> None:
    graph = small_bert()
    k = frame_of(graph, "encoder")
    with pytest.raises(GraphError, match="stands before its parent"):
        with_frame(graph, k, parent=k).self_check()


def test_an_operation_outside_the_frame_it_names_is_caught() -> None:
    graph = small_bert()
    op_frame = graph.op_frame.copy()
    op_frame[0] = frame_of(graph, "pooler")
    with pytest.raises(GraphError, match="operation 0 lies outside its frame 'pooler'"):
        replace(graph, op_frame=op_frame).self_check()


@pytest.mark.parametrize("change", [{"parent": 0}, {"first_op": 1}, {"end_op": 1}])
def test_a_first_frame_that_is_not_the_whole_cycle_is_caught(change: dict[str, int]) -> None:
    graph = build(1, 1, 1)
    # Operation 2 names another frame, so that only the first frame itself is off.
    other = Frame("rest", "Module", 0, 0, 3, "", None, False)
    graph = replace(graph, frames=(*graph.frames, other), op_frame=np.ones(3, dtype=np.int64))
    with pytest.raises(GraphError, match="the first frame is not the whole cycle"):
        with_frame(graph, 0, **change).self_check()


def test_a_builder_does_not_freeze_a_cycle_with_calls_still_running() -> None:
    b = GraphBuilder()
    b.enter("model", "Model")
    b.enter("model.layer", "Layer")
    with pytest.raises(ValueError, match="2 frames are still open"):
        b.build()


@few_examples
@given(graphs())
def test_whatever_a_builder_makes_agrees_with_itself(graph: Graph) -> None:
    graph.self_check()
    assert sum(len(graph.writes(i)) for i in range(len(graph))) == len(graph.outputs)
    assert graph.total == sum((graph.cost(i) for i in range(len(graph))), Cost())
    assert [op.site.stage for op in graph.ops()] == [graph.stage_of(i) for i in range(len(graph))]
