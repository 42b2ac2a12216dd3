"""One product for queries, keys and values: what ONNX Runtime's own passes find only in graphs of older exporters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from onnx import numpy_helper

_DOMAIN = "com.microsoft"


@dataclass(frozen=True, slots=True)
class _Projection:
    """`source` · `weight` + `bias`, by the names of the tensors; without a bias it is empty."""

    source: str
    weight: str
    bias: str


def join_projections(model: onnx.ModelProto) -> int:
    """Turn every `MultiHeadAttention` of `model` over one input into an `Attention`; how many there were."""
    graph = model.graph
    weights = {tensor.name: tensor for tensor in graph.initializer}
    maker = {name: node for node in graph.node for name in node.output}
    shapes = {value.name: _dims(value) for value in (*graph.input, *graph.value_info)}
    joined = 0
    for node in graph.node:
        if node.op_type != "MultiHeadAttention":
            continue
        inputs = [*node.input, *[""] * (6 - len(node.input))]
        if inputs[3] or any(a.name in ("unidirectional",) for a in node.attribute):
            continue
        found = [_projection(name, weights, maker) for name in inputs[:3]]
        parts = [part for part in found if part is not None]
        if len(parts) != 3 or len({part.source for part in parts}) != 1:
            continue
        matrices = [numpy_helper.to_array(weights[part.weight]) for part in parts]
        if len({matrix.shape for matrix in matrices}) != 1:
            continue  # queries of another width than keys or values
        none = np.zeros(matrices[0].shape[1], dtype=matrices[0].dtype)
        biases = [numpy_helper.to_array(weights[part.bias]) if part.bias else none for part in parts]
        name = f"{node.output[0]}.projections"
        graph.initializer.extend(
            [
                numpy_helper.from_array(np.concatenate(matrices, axis=1), f"{name}.weight"),
                numpy_helper.from_array(np.concatenate(biases), f"{name}.bias"),
            ]
        )
        arguments = [parts[0].source, f"{name}.weight", f"{name}.bias", inputs[4], "", inputs[5]]
        while not arguments[-1]:
            arguments.pop()
        del node.input[:]
        node.input.extend(arguments)
        node.op_type, node.domain = "Attention", _DOMAIN
        source = shapes.get(parts[0].source)
        if source is not None:
            _skip_reshapes(graph, node.output[0], (*source[:-1], str(matrices[2].shape[1])), shapes)
        joined += 1
    if joined:
        drop_unused(graph)
    return joined


def _projection(name: str, weights: dict[str, Any], maker: dict[str, Any]) -> _Projection | None:
    """What tensor `name` is: the product of something with a weight, and perhaps a bias, in another shape."""
    bias = ""
    while name in maker:
        node = maker[name]
        if node.op_type == "Reshape":
            name = node.input[0]
        elif node.op_type == "Add" and not bias:
            constant = [value for value in node.input if value in weights]
            if len(constant) != 1 or len(weights[constant[0]].dims) != 1:
                return None
            bias = constant[0]
            name = next(value for value in node.input if value != bias)
        elif node.op_type == "MatMul" and node.input[1] in weights:
            return _Projection(node.input[0], node.input[1], bias)
        else:
            return None
    return None


def _dims(value: onnx.ValueInfoProto) -> tuple[str, ...] | None:
    """The lengths of the axes of `value`, as numbers or as names; None where one is unknown."""
    dims = tuple(
        d.dim_param or (str(d.dim_value) if d.HasField("dim_value") else "") for d in value.type.tensor_type.shape.dim
    )
    return dims if dims and all(dims) else None


def _skip_reshapes(
    graph: onnx.GraphProto, name: str, shape: tuple[str, ...], shapes: Mapping[str, tuple[str, ...] | None]
) -> None:
    """Have tensor `name`, which has this `shape`, read in place of what reshapes behind it bring back to the same shape:
    exporters split heads and join them again.
    """
    given = {output.name for output in graph.output}
    last = name
    while last not in given:
        readers = [node for node in graph.node if last in node.input]
        if len(readers) != 1 or readers[0].op_type != "Reshape" or readers[0].input[0] != last:
            break
        last = readers[0].output[0]
    if last in given or last == name or shapes.get(last) != shape:
        return
    for node in graph.node:
        for position, read in enumerate(node.input):
            if read == last:
                node.input[position] = name


def drop_unused(graph: onnx.GraphProto) -> None:
    """Remove nodes and weights whose results are no longer read."""
    needed = {output.name for output in graph.output}
    kept = []
    for node in reversed(graph.node):
        if any(name in needed for name in node.output):
            kept.append(node)
            needed.update(node.input)
    del graph.node[:]
    graph.node.extend(reversed(kept))
    tensors = [tensor for tensor in graph.initializer if tensor.name in needed]
    del graph.initializer[:]
    graph.initializer.extend(tensors)
