"""What an engine runs and nobody has described is marked as unpriced, and nothing else is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from cyclescope.backends.artifacts.program import Node, Value
from cyclescope.backends.artifacts.structure import TextEnds, graph_of
from cyclescope.backends.onnxruntime.nodes import File
from cyclescope.backends.onnxruntime.profile import Ran
from cyclescope.core.graph.op import Cost, OpKind
from cyclescope.core.graph.tensor import TensorSpec

NO_TEXT = TextEnds("", 0, "")


def test_a_node_without_a_formula_is_unpriced_in_the_graph() -> None:
    x, y, z = (Value(name, (4, 4), "float32") for name in "xyz")
    nodes = (
        Node("a", "MatMul", OpKind.MATMUL, Cost(flops=128), (x,), (y,)),
        Node("b", "Mystery", OpKind.OTHER, Cost(), (y,), (z,), priced=False),
    )
    graph = graph_of(nodes, {"x": np.ones((4, 4), np.float32)}, ("z",), NO_TEXT, engine="toy", generates=False)
    assert [graph.op(k).name for k in graph.unpriced] == ["Mystery"]


@pytest.mark.parametrize(("operator", "priced"), [("Det", False), ("Relu", True), ("MatMul", True), ("Shape", True)])
def test_onnx_operators_are_known_by_their_formulas(tmp_path: Path, operator: str, priced: bool) -> None:
    given = ["x", "x"] if operator == "MatMul" else ["x"]
    graph = helper.make_graph(
        [helper.make_node(operator, given, ["y"], name="one")],
        "paper",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, (3, 3))],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
    )
    path = tmp_path / "model.onnx"
    onnx.save_model(helper.make_model(graph), str(path))
    ran = Ran(("one",), ((TensorSpec((3, 3), "float32", 0),),), np.zeros((1, 2), dtype=np.int64))
    (node,) = File(path, {}).nodes(ran, {"x": Value("x", (3, 3), "float32")})
    assert node.priced is priced


def test_openvino_nodes_are_known_by_their_formulas(tmp_path: Path) -> None:
    ov = pytest.importorskip("openvino")
    from openvino import opset8

    from cyclescope.backends.openvino.nodes import executed_nodes

    x = opset8.parameter([2, 4], np.float32, name="x")
    x.output(0).set_names({"x"})
    made = opset8.erf(opset8.asinh(x, name="mystery"), name="known")
    ov.save_model(ov.Model([made], [x], "paper"), str(tmp_path / "model.xml"))
    compiled = ov.Core().compile_model(str(tmp_path / "model.xml"), "CPU", {"PERF_COUNT": True})
    compiled.create_infer_request().infer({"x": np.ones((2, 4), np.float32)})
    names = [op.get_friendly_name() for op in compiled.get_runtime_model().get_ordered_ops()]
    nodes = executed_nodes(tmp_path / "model.xml", compiled, names, {"x": np.ones((2, 4), np.float32)}, {})
    assert [node.name for node in nodes if not node.priced] == ["mystery"]
