"""What a graph tells in columns is what walking through its operations one by one tells."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given

from core.one_by_one import dependencies_of, slots_of, tangled_graphs
from core.small_graphs import few_examples
from cyclescope.core.graph.columns import Labels, Rows, in_order_of_appearance, numbered
from cyclescope.core.graph.graph import Graph
from cyclescope.core.graph.op import OpKind
from cyclescope.core.graph.tensor import TensorRole


@few_examples
@given(tangled_graphs())
def test_dependencies_are_those_found_operation_by_operation(graph: Graph) -> None:
    edges = graph.dependencies
    columns = (edges.source, edges.target, edges.tensor, edges.carries_data)
    assert list(zip(*(column.tolist() for column in columns), strict=True)) == dependencies_of(graph)


@few_examples
@given(tangled_graphs())
def test_slots_are_those_found_by_walking_the_tree_of_calls(graph: Graph) -> None:
    slots = graph.slots
    columns = (slots.op, slots.frame, slots.op_stamps, slots.frame_stamps)
    assert list(zip(*(column.tolist() for column in columns), strict=True)) == slots_of(graph)


@few_examples
@given(tangled_graphs())
def test_columns_say_what_each_operation_and_tensor_says(graph: Graph) -> None:
    for i in range(len(graph)):
        site = graph.location(i)
        assert graph.op_stage[i] == site.stage
        assert graph.op_layer[i] == (-1 if site.layer is None else site.layer)
        assert graph.slots.op[graph.slots.of_op[i]] == i
        assert [kind for kind in OpKind if graph.of_kind(kind)[i]] == [graph.kinds[i]]
    numbers, of_tensor = graph.storages
    for t, spec in enumerate(graph.tensors):
        assert (graph.tensor_bytes[t], numbers[of_tensor[t]]) == (spec.bytes, spec.storage)
        assert [role for role in TensorRole if graph.of_role(role)[t]] == [spec.role]


def test_labels_are_a_sequence_of_texts() -> None:
    labels = Labels.of(["b", "a", "b"])
    assert (labels.names, labels.numbers.tolist()) == (("b", "a"), [0, 1, 0])
    assert labels == ("b", "a", "b")
    assert labels != ("b", "a")
    assert labels != "bab"
    assert (labels[-1], labels[1:], len(labels)) == ("b", ("a", "b"), 3)
    assert labels.where(lambda text: text > "a").tolist() == [True, False, True]
    with pytest.raises(IndexError, match="row 3 of 3"):
        labels[3]


def test_names_that_do_not_appear_are_left_out_where_order_matters() -> None:
    labels = Labels(np.asarray([2, 0, 2]), ("x", "y", "z"))
    assert labels.present == ("z", "x")
    assert (labels.in_order.numbers.tolist(), tuple(labels.in_order)) == ([0, 1, 0], ("z", "x", "z"))
    assert Labels.of(labels.in_order) is labels.in_order.in_order


def test_numbers_follow_the_first_appearance_and_what_is_negative_has_none() -> None:
    numbers, distinct = in_order_of_appearance(np.asarray([7, -1, 3, 7]))
    assert (numbers.tolist(), distinct.tolist()) == ([0, -1, 1, 0], [7, 3])
    again, keys = numbered(["q", "p", "q"])
    assert (again.tolist(), keys) == ([0, 1, 0], ["q", "p"])


def test_a_row_is_made_only_where_it_is_asked_for() -> None:
    made: list[int] = []

    class Squares(Rows[int]):
        def __len__(self) -> int:
            return 10**9

        def row(self, index: int) -> int:
            made.append(index)
            return index * index

    squares = Squares()
    assert (squares[3], squares[-1], squares[1:3]) == (9, (10**9 - 1) ** 2, (1, 4))
    assert made == [3, 10**9 - 1, 1, 2]
