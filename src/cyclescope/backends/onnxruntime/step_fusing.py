"""What the exporter leaves between the products of a decoder, as the operations that ONNX Runtime has for it.

Its own passes look for the forms of older exporters. Here go reshapes that come back to where they began, the norm by the
root of the mean square becomes one operation, and products are as quantizers look for them. No number changes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

from cyclescope.backends.onnxruntime.fusing import drop_unused
from cyclescope.backends.onnxruntime.hidden_weights import HiddenWeights


class _Looked:
    """Who makes each value of a graph, the constants in it, and the shapes of its values as far as they are known."""

    def __init__(self, graph: onnx.GraphProto) -> None:
        self.maker = {name: node for node in graph.node for name in node.output}
        self.constants: Mapping[str, onnx.TensorProto] = {tensor.name: tensor for tensor in graph.initializer}
        self.shapes: dict[str, tuple[Any, ...]] = {}
        for value in [*graph.value_info, *graph.input, *graph.output]:
            if value.type.tensor_type.HasField("shape"):
                axes = value.type.tensor_type.shape.dim
                self.shapes[value.name] = tuple(axis.dim_param or axis.dim_value for axis in axes)

    def made_by(self, name: str, operator: str) -> Any:
        """The node that makes `name`, if it is one of `operator`."""
        node = self.maker.get(name)
        return node if node is not None and node.op_type == operator else None

    def number(self, name: str) -> float | None:
        """The constant `name`, if it is one number."""
        tensor = self.constants.get(name)
        if tensor is None or int(np.prod(tensor.dims, dtype=np.int64)) != 1:
            return None
        return float(numpy_helper.to_array(tensor).reshape(-1)[0])


def fuse_step(model: onnx.ModelProto) -> None:
    """All of it but the products, in place. Constants are to be weights of the graph."""
    _shorten_reshapes(model.graph)
    _join_norms(model.graph)
    drop_unused(model.graph)


def split_sums(model: onnx.ModelProto) -> None:
    """Turn each `Gemm` over flattened tokens into a `MatMul` and an `Add`: quantizers know products alone."""
    graph = model.graph
    looked = _Looked(graph)
    reads: dict[str, list[Any]] = {}
    for node in graph.node:
        for name in node.input:
            reads.setdefault(name, []).append(node)
    made = []
    for node in graph.node:
        flattened = looked.made_by(node.input[0], "Reshape") if node.op_type == "Gemm" else None
        plain = {"alpha": 1.0, "beta": 1.0, "transA": 0, "transB": 0}
        if flattened is None or any(helper.get_attribute_value(a) != plain.get(a.name) for a in node.attribute):
            made.append(node)
            continue
        before, behind = looked.shapes.get(flattened.input[0]), reads.get(node.output[0], [])
        shapes = [looked.shapes.get(other.output[0]) for other in behind if other.op_type == "Reshape"]
        if not before or len(shapes) != len(behind) or any(not s or s[:-1] != before[:-1] for s in shapes):
            made.append(node)
            continue
        bias = node.input[2] if len(node.input) > 2 else ""
        product = f"{node.output[0]}.product" if bias else node.output[0]
        made.append(
            helper.make_node("MatMul", [flattened.input[0], node.input[1]], [product], name=f"{node.name}.product")
        )
        if bias:
            made.append(helper.make_node("Add", [product, bias], [node.output[0]], name=f"{node.name}.sum"))
        for value in graph.value_info:
            if value.name == node.output[0]:
                value.type.tensor_type.ClearField("shape")
    del graph.node[:]
    graph.node.extend(made)
    drop_unused(graph)


def name_norms(graph: onnx.GraphProto, domain: str, operator: str) -> None:
    """Norms that were exported in one as the engine calls them: it takes `operator` for one of ONNX itself."""
    for node in graph.node:
        if (node.domain, node.op_type) == (domain, operator):
            node.domain = ""


def turn_weights(graph: onnx.GraphProto, weights: HiddenWeights) -> None:
    """Have weights lie in the file as they are multiplied, where the engine would turn them in every call."""
    made = []
    for node in graph.node:
        if node.op_type != "Transpose" or node.input[0] not in weights:
            made.append(node)
            continue
        order = {a.name: helper.get_attribute_value(a) for a in node.attribute}.get("perm")
        turned = weights.add(graph, f"{node.output[0]}.turned", weights.array(node.input[0]).transpose(order))
        for other in graph.node:
            for number, name in enumerate(other.input):
                if name == node.output[0]:
                    other.input[number] = turned
    del graph.node[:]
    graph.node.extend(made)


def _shorten_reshapes(graph: onnx.GraphProto) -> None:
    """Let what reads the last of several reshapes read what the first one read, where it has that very shape."""
    looked = _Looked(graph)
    instead: dict[str, str] = {}
    for node in graph.node:
        if node.op_type != "Reshape":
            continue
        first = node.input[0]
        while (before := looked.made_by(first, "Reshape")) is not None:
            first = before.input[0]
        shape = looked.shapes.get(node.output[0])
        if shape is not None and shape == looked.shapes.get(first) and all(shape):
            instead[node.output[0]] = first
        elif first != node.input[0] and not _copies_axes(node, looked):
            node.input[0] = first
    kept = {output.name for output in graph.output}
    for node in graph.node:
        for number, name in enumerate(node.input):
            if name in instead and name not in kept:
                node.input[number] = instead[name]


def _copies_axes(reshape: Any, looked: _Looked) -> bool:
    """Whether a reshape takes an axis over from what it reads: it has a 0 in its shape, or an unknown one."""
    tensor = looked.constants.get(reshape.input[1])
    if tensor is not None:
        return bool((numpy_helper.to_array(tensor) == 0).any())
    return looked.made_by(reshape.input[1], "Concat") is None


def _join_norms(graph: onnx.GraphProto) -> None:
    """x · w / √(mean(x²) + ε) as `SimplifiedLayerNormalization`."""
    looked = _Looked(graph)
    for node in graph.node:
        if node.op_type != "Mul":
            continue
        for scaled, weight in (node.input, reversed(node.input)):
            found = _norm(scaled, looked)
            if found is None or len(getattr(looked.constants.get(weight), "dims", ())) != 1:
                continue
            x, epsilon = found
            del node.input[:]
            node.input.extend([x, weight])
            node.op_type = "SimplifiedLayerNormalization"
            node.attribute.extend(
                [
                    helper.make_attribute("axis", -1),
                    helper.make_attribute("epsilon", epsilon),
                    helper.make_attribute("stash_type", 1),
                ]
            )
            break


def _norm(name: str, looked: _Looked) -> tuple[str, float] | None:
    """x and ε, if `name` is x · (mean(x²) + ε)^(-1/2)."""
    product = looked.made_by(name, "Mul")
    if product is None:
        return None
    for x, root in (product.input, reversed(product.input)):
        reciprocal = looked.made_by(root, "Reciprocal")
        square_root = looked.made_by(reciprocal.input[0], "Sqrt") if reciprocal is not None else None
        total = looked.made_by(square_root.input[0], "Add") if square_root is not None else None
        if total is None:
            continue
        mean, epsilon = looked.made_by(total.input[0], "ReduceMean"), looked.number(total.input[1])
        square = looked.made_by(mean.input[0], "Pow") if mean is not None else None
        if square is None or epsilon is None or square.input[0] != x or looked.number(square.input[1]) != 2:
            continue
        if looked.number(mean.input[1]) == -1:
            return x, epsilon
    return None
