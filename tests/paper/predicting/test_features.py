"""Features of slots on graphs whose shapes and neighbours are known."""

from __future__ import annotations

import numpy as np
import pytest
from paper_learning import PLAN, machine, stack

from cyclescope.core.graph.builder import GraphBuilder
from cyclescope.core.graph.op import Cost, OpKind
from cyclescope.core.graph.tensor import TensorRole, TensorSpec
from cyclescope.predicting.features import GROUPS, Group, features
from cyclescope.predicting.passages import passages
from cyclescope.predicting.product_sides import Sides, sides


def groups(graph: object) -> list[Group]:
    found = features(graph, PLAN, machine())  # type: ignore[arg-type]
    return [GROUPS[number] for number in found.group.tolist()]


def test_a_slot_of_an_operation_carries_its_shape_and_its_work() -> None:
    graph = stack(64, 10, 2)
    found = features(graph, PLAN, machine())
    linear = int(graph.slots.of_op[0])
    assert GROUPS[found.group[linear]] is Group.WEIGHT_PRODUCT
    assert found.label[linear] == "linear"
    for name, value in (("m", 10), ("n", 64), ("k", 64), ("flops", 2 * 10 * 64 * 64), ("weight", 64 * 64 * 4)):
        assert np.expm1(found.column(name)[linear]) == pytest.approx(value)
    assert found.least_ns[linear] > 0
    view = int(graph.slots.of_op[1])
    assert GROUPS[found.group[view]] is Group.VIEW
    python = np.flatnonzero(graph.slots.op < 0)
    assert (found.group[python] == GROUPS.index(Group.PYTHON)).all()
    assert found.least_ns[python].sum() == 0


def test_what_was_touched_before_is_that_of_the_operation_before() -> None:
    graph = stack(64, 10, 2)
    found = features(graph, PLAN, machine())
    linear, behind = int(graph.slots.of_op[0]), int(graph.slots.of_op[0]) + 1
    moved = graph.read_bytes[0] + graph.written_bytes[0]
    assert np.expm1(found.column("touched before")[behind]) == pytest.approx(moved)
    assert found.column("touched before")[linear] == 0
    # The first product follows upon the last one of the cycle before.
    total = (graph.read_bytes + graph.written_bytes)[~graph.of_kind(OpKind.VIEW)]
    assert np.expm1(found.column("since the like")[linear]) == pytest.approx(total[2:].sum())


def test_a_transposed_weight_is_still_a_weight_and_a_product_of_activations_is_none() -> None:
    b = GraphBuilder()
    x = b.tensor((4, 8), role=TensorRole.INPUT)
    w = b.tensor((16, 8), role=TensorRole.PARAMETER)
    with b.frame("", "Model"):
        turned = b.tensor((8, 16), storage=b.spec(w).storage)
        b.op("t", OpKind.VIEW, [w], [turned])
        y = b.tensor((4, 16))
        b.op("matmul", OpKind.MATMUL, [x, turned], [y], Cost(2 * 4 * 16 * 8, 0, 128 + 512, 256))
        z = b.tensor((4, 4))
        b.op("matmul", OpKind.MATMUL, [y, y], [z], Cost(2 * 4 * 4 * 16, 0, 512, 64))
    graph = b.build()
    found = groups(graph)
    assert [found[slot] for slot in graph.slots.of_op] == [Group.VIEW, Group.WEIGHT_PRODUCT, Group.PRODUCT]


def test_sides_of_products() -> None:
    def spec(*shape: int) -> TensorSpec:
        return TensorSpec(shape, "float32", 0)

    batched = sides(OpKind.MATMUL, [spec(2, 3, 5, 7), spec(2, 3, 7, 11)], spec(2, 3, 5, 11), 2 * 6 * 5 * 7 * 11, 0.0)
    assert batched == Sides(6.0, 5.0, 11.0, 7.0, 0.0)
    linear = sides(OpKind.MATMUL, [spec(11, 7), spec(2, 5, 7)], spec(2, 5, 11), 2 * 10 * 7 * 11, 308.0)
    assert linear == Sides(1.0, 10.0, 11.0, 7.0, 308.0)
    experts = sides(OpKind.MATMUL, [spec(20, 7), spec(4, 7, 11)], spec(20, 11), 2 * 20 * 7 * 11, 0.0)
    assert experts == Sides(4.0, 5.0, 11.0, 7.0, 0.0)
    few = sides(OpKind.MATMUL, [spec(2, 7), spec(4, 7, 11)], spec(2, 11), 2 * 2 * 7 * 11, 0.0)
    assert few == Sides(2.0, 1.0, 11.0, 7.0, 0.0)
    attention = sides(OpKind.ATTENTION, [spec(1, 4, 6, 8), spec(1, 2, 9, 8)], spec(1, 4, 6, 8), 1000, 0.0)
    assert attention == Sides(4.0, 6.0, 9.0, 8.0, 0.0)
    assert sides(OpKind.COPY, [spec(3)], spec(3), 0, 0.0) == Sides(0.0, 0.0, 0.0, 0.0, 0.0)


def test_passages_name_both_ends_without_the_name_of_the_model() -> None:
    graph = stack(64, 10, 2, "Llama")
    found = passages(graph)
    labels = [label for label in found.label if label]
    assert labels[0] == "begin → >Model"
    assert labels[-1] == "<Model → end"
    assert "linear → view" in labels
    assert ">Layer → linear" in labels
    assert "<Layer → >Layer" in labels
    assert [passages(stack(64, 10, 2, "Gpt")).label[s] for s in range(len(found.label))] == list(found.label)
    assert found.entered.sum() == found.left.sum() == 2 * 3  # each stamp of a module lies between two slots
