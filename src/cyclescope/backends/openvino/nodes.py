"""The nodes that OpenVINO ran, from the model that its plugin has made of the file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from cyclescope.backends.artifacts.program import Arrays, Node, Scope, Value
from cyclescope.backends.openvino.quiet import import_openvino
from cyclescope.core.errors import UsageError
from cyclescope.core.graph.op import Cost, OpKind
from cyclescope.core.graph.tensor import TensorSpec, bits_of
from cyclescope.cost.call import EngineCall, OpCost
from cyclescope.cost.registry import estimate_cost, kind_of_group

# By the type of an OpenVINO operation: the ONNX operation that does the same, where it has another name.
_AS_ONNX = {
    "Multiply": "Mul", "Subtract": "Sub", "Divide": "Div", "Power": "Pow", "Convert": "Cast", "Select": "Where",
    "MVN": "LayerNormalization", "RMS": "RMSNormalization", "Broadcast": "Expand", "StridedSlice": "Slice",
    "LogicalAnd": "And", "LogicalOr": "Or", "LogicalNot": "Not", "SoftMax": "Softmax", "Maximum": "Max", "Minimum": "Min",
    "GreaterEqual": "GreaterOrEqual", "LessEqual": "LessOrEqual", "ShapeOf": "Shape", "FullyConnected": "MatMul",
    "ReLU": "Relu", "Eltwise": "Add", "Concatenation": "Concat", "VariadicSplit": "Split", "Reorder": "Cast", "Exp": "Exp",
}  # fmt: skip
_PRODUCTS = ("FullyConnected", "MatMul")
_WITHOUT_COST = ("Constant", "Parameter", "Result", "Const", "Input", "Output")


def executed_nodes(
    path: Path, compiled: Any, executed: Sequence[str], arrays: Arrays, scopes: Mapping[str, Scope]
) -> tuple[Node, ...]:
    """The nodes named `executed`, in order, of a compiled model that has run with `arrays` once."""
    originals = _costs_of_originals(path, arrays)
    runtime = {op.get_friendly_name(): op for op in compiled.get_runtime_model().get_ordered_ops()}
    ran = set(executed)
    values: dict[tuple[str, int], Value] = {}
    nodes: dict[str, Node] = {}
    for name, op in runtime.items():
        reads = tuple(values[key] for port in op.input_values() if (key := _key(port)) in values)
        for k, port in enumerate(op.outputs()):
            if name in ran or not reads:
                values[name, k] = _value(name, k, port, constant=_info(op, "layerType") == "Const")
            else:
                # It did not run: its result is its input under another shape.
                values[name, k] = replace(reads[0], shape=_spec(port).shape)
        if name not in ran:
            continue
        writes = tuple(values[name, k] for k in range(len(op.outputs())))
        made_of = [part for part in _info(op, "originalLayersNames").split(",") if part in originals]
        parts = [originals[part] for part in made_of]
        operator = _info(op, "layerType") or "Unknown"
        estimated = _together(operator, parts, reads, writes)
        scope = next((scopes[v] for part in reversed(made_of) for v in _results(part) if v in scopes), ())
        facts = name, operator, estimated.kind, estimated.cost, reads, writes, scope
        nodes[name] = Node(*facts, priced=estimated.known or operator in _WITHOUT_COST)
    return tuple(nodes[name] for name in executed if name in nodes)


def _costs_of_originals(path: Path, arrays: Arrays) -> dict[str, OpCost]:
    """Every operation of the file by name, with costs estimated at the shapes of `arrays`."""
    openvino = import_openvino()
    model = openvino.Core().read_model(str(path))
    model.reshape({name: list(arrays[name].shape) for value in model.inputs for name in value.names if name in arrays})
    estimated = {}
    for op in model.get_ordered_ops():
        kind = op.get_type_name()
        if kind in _WITHOUT_COST:
            continue
        reads = tuple(_spec(port) for port in op.input_values())
        writes = tuple(_spec(port) for port in op.outputs())
        estimated[op.get_friendly_name()] = estimate_cost(EngineCall(f"onnx.{_AS_ONNX.get(kind, kind)}", reads, writes))
    return estimated


def _together(operator: str, parts: Sequence[OpCost], reads: Sequence[Value], writes: Sequence[Value]) -> OpCost:
    """A node made of `parts`: their work, with the bytes of one pass over what the node itself reads and writes."""
    alone = estimate_cost(EngineCall(f"onnx.{_AS_ONNX.get(operator, operator)}", _specs(reads), _specs(writes)))
    if operator in _PRODUCTS:
        # The plugin forgets the product's own name when it takes a bias into it, so the product comes from its shapes.
        parts = [part for part in parts if part.kind is not OpKind.MATMUL]
        work = sum((part.cost for part in parts), Cost(flops=alone.cost.flops))
        known = alone.known and all(part.known for part in parts)
        return OpCost(OpKind.MATMUL, replace(work, read_bytes=_bytes(reads), written_bytes=_bytes(writes)), known)
    if not parts:
        moved = Cost(read_bytes=_bytes(reads), written_bytes=_bytes(writes))
        return alone if alone.kind is not OpKind.VIEW else OpCost(OpKind.COPY, moved)
    work = sum((part.cost for part in parts), Cost())
    kind = kind_of_group([part for part in parts if part.kind is not OpKind.COPY] or list(parts))
    if kind is OpKind.ATTENTION and sum(part.kind is OpKind.MATMUL for part in parts) == 1:
        # Of the two products the one whose scaling was taken into a projection has lost its name; they are equally large.
        work = replace(work, flops=2 * work.flops)
    read = min(_bytes(reads), work.read_bytes) if kind is OpKind.EMBEDDING else _bytes(reads)
    known = all(part.known for part in parts)
    return OpCost(kind, replace(work, read_bytes=read, written_bytes=_bytes(writes)), known)


def _results(name: str) -> tuple[str, ...]:
    """Names under which the exporter may know the result of the operation `name`: without its prefix, or unchanged."""
    return (name.removeprefix("node_"), name)


def _key(port: Any) -> tuple[str, int]:
    return port.get_node().get_friendly_name(), port.get_index()


def _info(op: Any, key: str) -> str:
    found = op.get_rt_info()
    return str(found[key].value) if key in found else ""


def _value(name: str, number: int, port: Any, *, constant: bool) -> Value:
    spec = _spec(port)
    return Value(f"{name}:{number}" if number else name, spec.shape, spec.dtype, constant)


def _spec(port: Any) -> TensorSpec:
    """Shape and dtype of a port; an axis that is still open counts as 1."""
    shape = tuple(axis.get_length() if axis.is_static else 1 for axis in port.get_partial_shape())
    return TensorSpec(shape, _dtype(port.get_element_type().get_type_name()), 0)


def _dtype(name: str) -> str:
    """`float32` for `f32`, `int64` for `i64`; a type that has no other name is taken as bytes."""
    for short, long in (("bf", "bfloat"), ("f", "float"), ("i", "int"), ("u", "uint")):
        if name.startswith(short) and name[len(short) :].isdigit():
            name = long + name[len(short) :]
            break
    name = {"boolean": "bool"}.get(name, name)
    try:
        bits_of(name)
    except UsageError:
        return "uint8"
    return name


def _specs(values: Sequence[Value]) -> tuple[TensorSpec, ...]:
    return tuple(TensorSpec(v.shape, v.dtype, 0) for v in values)


def _bytes(values: Sequence[Value]) -> int:
    return sum(spec.bytes for spec in _specs(values))
