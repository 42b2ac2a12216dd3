"""Engines that fuse, on paper: which operations make a kernel, what their roofline is, and the law of whole cycles."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from paper_predictions import PLAN, ceilings

from cyclescope.core.graph.builder import GraphBuilder
from cyclescope.core.graph.graph import Graph
from cyclescope.core.graph.op import Cost, OpKind
from cyclescope.core.graph.tensor import TensorRole
from cyclescope.predicting.analytic import AnalyticModel
from cyclescope.predicting.fused.fusing import fuse
from cyclescope.predicting.fused.kernels import PART, kernels
from cyclescope.predicting.fused.models import FusedAnalytic
from cyclescope.predicting.fused.segments import COLUMNS, columns_of, segments

ENGINE = replace(PLAN, engine="onnxruntime")


def layers(hidden: int = 128, tokens: int = 16, count: int = 2, activations: int = 1) -> Graph:
    """Layers of a product, a view, so many pointwise operations behind it, the addition of what went in, and a norm."""
    b = GraphBuilder()
    x = b.tensor((tokens, hidden), role=TensorRole.INPUT)
    size = 4 * tokens * hidden
    with b.frame("", "PaperModel"):
        for number in range(count):
            w = b.tensor((hidden, hidden), role=TensorRole.PARAMETER)
            with b.frame(f"layers.{number}", "PaperLayer"):
                y = b.tensor((tokens, hidden))
                cost = Cost(2 * tokens * hidden * hidden, 0, size + 4 * hidden * hidden, size)
                b.op("linear", OpKind.MATMUL, [w, x], [y], cost)
                v = b.tensor((1, tokens, hidden), storage=b.spec(y).storage)
                b.op("view", OpKind.VIEW, [y], [v])
                for _ in range(activations):
                    a = b.tensor((1, tokens, hidden))
                    b.op("gelu", OpKind.ACTIVATION, [v], [a], Cost(0, tokens * hidden, size, size))
                    v = a
                z = b.tensor((tokens, hidden))
                b.op("add", OpKind.ELEMENTWISE, [v, x], [z], Cost(0, tokens * hidden, 2 * size, size))
                x = b.tensor((tokens, hidden))
                b.op("norm", OpKind.NORM, [z], [x], Cost(0, 8 * tokens * hidden, size, size))
    return b.build()


def test_pointwise_operations_join_what_they_follow() -> None:
    graph = layers(activations=2)
    found = fuse(graph)
    names = {name: [i for i, each in enumerate(graph.names) if each == name] for name in set(graph.names)}
    linear, norm = names["linear"], names["norm"]
    assert np.flatnonzero(found.begins).tolist() == sorted(linear + norm)
    for i in (*names["view"], *names["gelu"], *names["add"]):
        assert found.kernel[i] == max(at for at in linear if at < i)
    size = 4 * 16 * 128
    assert set(found.inner_bytes[names["add"]].tolist()) == {size}  # the other summand comes from another kernel
    edges = list(zip(found.source.tolist(), found.target.tolist(), strict=True))
    assert edges == [(linear[0], norm[0]), (norm[0], linear[1]), (linear[1], norm[1])]


def test_a_small_bias_carries_no_kernel() -> None:
    """What is added to a large tensor joins the maker of the large one, whatever made the small one later."""
    b = GraphBuilder()
    x = b.tensor((64, 64), role=TensorRole.INPUT)
    with b.frame("", "PaperModel"):
        large, small, both = b.tensor((64, 64)), b.tensor((64,)), b.tensor((64, 64))
        b.op("norm", OpKind.NORM, [x], [large], Cost(0, 1, 1, 1))
        b.op("sum", OpKind.REDUCTION, [x], [small], Cost(0, 1, 1, 1))
        b.op("add", OpKind.ELEMENTWISE, [large, small], [both], Cost(0, 1, 1, 1))
    assert fuse(b.build()).kernel.tolist() == [0, 1, 0]


def test_more_pointwise_operations_cost_an_eager_engine_and_not_one_that_fuses() -> None:
    few, many = layers(activations=1), layers(activations=6)
    walls = [float(FusedAnalytic().predict(graph, ENGINE, ceilings()).slot_ns.sum()) for graph in (few, many)]
    eager = [float(AnalyticModel().predict(graph, PLAN, ceilings()).slot_ns.sum()) for graph in (few, many)]
    assert walls[1] == pytest.approx(walls[0])
    dispatch = ceilings().overheads.dispatch_ns
    assert dispatch is not None
    assert eager[1] - eager[0] >= 2 * 5 * dispatch.value
    assert walls[0] < eager[0]


def test_overheads_are_counted_by_kernels_and_calls() -> None:
    graph = layers()
    bare = FusedAnalytic().predict(graph, ENGINE, ceilings()).slot_ns
    dear = FusedAnalytic(kernel_ns=700.0, call_ns=5_000.0).predict(graph, ENGINE, ceilings()).slot_ns
    assert dear.sum() - bare.sum() == pytest.approx(4 * 700.0 + 5_000.0)
    assert (
        dear[graph.slots.of_op[1]] == 0.0
    )  # a view is no work, and joined operations are booked where their kernel begins


def test_parts_add_up_to_what_they_are_parts_of() -> None:
    graph = layers()
    found = kernels(graph, ENGINE, ceilings())
    assert len(found) == 4
    assert found.parts[:, PART["kernels"]].tolist() == [1.0] * 4
    assert (found.parts >= 0).all()
    product = found.parts[:, PART["product"]]
    assert (product > 0).tolist() == [True, False, True, False]
    assert (found.parts[:, PART["rows"]] > 0).tolist() == [False, True, False, True]
    assert found.joined.tolist() == [3, 0, 3, 0]
    (segment,) = segments(found)
    assert len(columns_of(segment)) == len(COLUMNS)
    assert np.isfinite(columns_of(segment)).all()
