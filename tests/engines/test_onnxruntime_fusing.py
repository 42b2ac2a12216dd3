"""What is joined in a graph before ONNX Runtime sees it, and what is left out because it changes nothing."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

pytest.importorskip("onnxruntime")

import numpy as np
import onnx
from command_line import model_folder
from onnx import TensorProto, helper, numpy_helper

from cyclescope.backends.base import Request
from cyclescope.backends.onnxruntime.fusing import join_projections
from cyclescope.backends.registry import open_session
from cyclescope.core.plan import Plan

HEADS, WIDTH = 2, 4


def attention(behind: list[list[int]], shapes: list[list[str | int]], *, read_twice: bool = False) -> onnx.ModelProto:
    """Attention over one input, whose result is reshaped to each of `behind` in turn, which has the `shapes`."""
    weights = [numpy_helper.from_array(np.eye(WIDTH, dtype=np.float32), f"{name}.weight") for name in "qkv"]
    weights += [numpy_helper.from_array(np.asarray(shape), f"shape{k}") for k, shape in enumerate(behind)]
    nodes = [helper.make_node("MatMul", ["x", f"{name}.weight"], [name]) for name in "qkv"]
    nodes.append(
        helper.make_node("MultiHeadAttention", ["q", "k", "v"], ["a0"], domain="com.microsoft", num_heads=HEADS)
    )
    nodes += [helper.make_node("Reshape", [f"a{k}", f"shape{k}"], [f"a{k + 1}"]) for k in range(len(behind))]
    last = f"a{len(behind)}"
    nodes.append(helper.make_node("Identity", [last], ["y"]))
    if read_twice:
        nodes.append(helper.make_node("Identity", ["a1"], ["z"]))
    outputs = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in (["y", "z"] if read_twice else ["y"])
    ]
    graph = helper.make_graph(
        nodes,
        "paper",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["texts", "tokens", WIDTH])],
        outputs,
        weights,
        value_info=[
            helper.make_tensor_value_info(f"a{k + 1}", TensorProto.FLOAT, shape) for k, shape in enumerate(shapes)
        ],
    )
    return helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", 18), helper.make_opsetid("com.microsoft", 1)]
    )


def kinds(model: onnx.ModelProto) -> Counter[str]:
    return Counter(node.op_type for node in model.graph.node)


def test_heads_that_are_split_and_joined_again_are_left_as_they_are() -> None:
    model = attention([[1, 3, HEADS, -1], [1, 3, -1]], [["texts", "tokens", HEADS, 2], ["texts", "tokens", WIDTH]])
    assert join_projections(model) == 1
    assert kinds(model) == {"Attention": 1, "Identity": 1}
    assert [node.input[0] for node in model.graph.node if node.op_type == "Identity"] == ["a0"]


@pytest.mark.parametrize(
    ("shapes", "read_twice", "left"),
    [
        ([["texts", "tokens", HEADS, 2], ["tokens", "texts", WIDTH]], False, 2),  # turned
        ([["texts", "tokens", HEADS, 2], ["texts", "tokens", HEADS, 2]], False, 2),  # still split
        ([["texts", "tokens", HEADS, 2], ["texts", "", WIDTH]], False, 2),  # not known to be the same
        ([["texts", "tokens", HEADS, 2], ["texts", "tokens", WIDTH]], True, 2),  # somebody reads the split one
        ([], False, 2),  # nothing is known
    ],
)
def test_a_reshape_stays_where_something_could_change(
    shapes: list[list[str | int]], read_twice: bool, left: int
) -> None:
    model = attention([[1, 3, HEADS, -1], [1, 3, -1]], shapes, read_twice=read_twice)
    assert join_projections(model) == 1
    assert kinds(model)["Reshape"] == left


def test_the_attention_of_a_real_encoder_is_one_operation_with_nothing_around_it(tmp_path: Path) -> None:
    folder = model_folder(tmp_path, num_hidden_layers=2)
    plan = Plan(engine="onnxruntime", threads=1, attention="engine")
    session = open_session(Request(model=str(folder), tokens=8, batch=2, plan=plan))
    try:
        ran = Counter(op.name for op in session.trace().ops())
    finally:
        session.close()
    assert ran["Attention"] == 2
    assert ran["Reshape"] == 0
