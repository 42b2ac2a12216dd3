"""The operations in a file that ONNX Runtime runs, with costs estimated at the shapes that its profile saw."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import onnx

from cyclescope.backends.artifacts.program import Node, Scope, Value
from cyclescope.backends.onnxruntime.profile import Ran
from cyclescope.core.errors import UsageError
from cyclescope.core.graph.tensor import TensorSpec, bits_of
from cyclescope.cost.call import EngineCall
from cyclescope.cost.registry import estimate_cost


class File:
    """The prepared file `path`; `scopes` are the modules around its values."""

    def __init__(self, path: Path, scopes: Mapping[str, Scope]) -> None:
        graph = onnx.load(str(path), load_external_data=False).graph
        self._scopes = scopes
        self._by_name = {node.name: node for node in graph.node}
        self._constants = {
            t.name: Value(t.name, tuple(t.dims), _dtype(t.data_type), constant=True) for t in graph.initializer
        }
        self._made: dict[tuple[str, tuple[Value, ...], tuple[Value, ...]], Node] = {}

    def nodes(
        self, ran: Ran, given: Mapping[str, Value], stands_for: Callable[[Value], Value] = lambda value: value
    ) -> tuple[Node, ...]:
        """The operations of the call `ran`, whose profile tells shapes, on what it was `given`.

        `stands_for` says what is written where that is not all of a tensor.
        """
        values = {**self._constants, **given}
        found = []
        for name, shapes in zip(ran.names, ran.writes, strict=True):
            node = self._by_name[name]
            written = [output for output in node.output if output]
            values |= {v: stands_for(Value(v, s.shape, s.dtype)) for v, s in zip(written, shapes, strict=False)}
            reads = tuple(values[name] for name in node.input if name in values)
            writes = tuple(values[name] for name in node.output if name in values)
            found.append(self._node(node, reads, writes))
        return tuple(found)

    def _node(self, node: Any, reads: tuple[Value, ...], writes: tuple[Value, ...]) -> Node:
        """Most operations of a step have the shapes that they had in the one before: those are estimated once."""
        key = node.name, reads, writes
        if key not in self._made:
            call = EngineCall(
                name=f"onnx.{node.op_type}",
                reads=tuple(TensorSpec(v.shape, v.dtype, 0) for v in reads),
                writes=tuple(TensorSpec(v.shape, v.dtype, 0) for v in writes),
                arguments={a.name: onnx.helper.get_attribute_value(a) for a in node.attribute},
            )
            estimated = estimate_cost(call)
            scope = next((self._scopes[name] for name in node.output if name in self._scopes), ())
            facts = node.name, node.op_type, estimated.kind, estimated.cost, reads, writes, scope
            self._made[key] = Node(*facts, priced=estimated.known)
        return self._made[key]


def _dtype(number: int) -> str:
    """The name of an ONNX element type; one that has no other is taken as bytes."""
    name = str(onnx.TensorProto.DataType.Name(number)).lower()
    known = {"float": "float32", "double": "float64", "string": "text"}
    try:
        bits_of(known.get(name, name))
    except UsageError:
        return "uint8"
    return known.get(name, name)
