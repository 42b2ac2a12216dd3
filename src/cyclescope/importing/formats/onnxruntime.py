"""Profiles of ONNX Runtime (`SessionOptions.enable_profiling`): a list of events, times in whole microseconds.

Categories: onnxruntime/core/common/profiler_common.h (Session, Node, Kernel, Api). The arguments of a node have its shapes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cyclescope.importing.formats.arguments import ArgumentReader
from cyclescope.importing.formats.dialect import Dialect, Opening
from cyclescope.importing.trace import Kind

_CATEGORIES = {"Session", "Node", "Kernel", "Api"}
_SETUP = ("model_loading", "session_initialization")
_TIME_OF_NODE = "_kernel_time"
_FENCES = ("_fence_before", "_fence_after")
_NODE = (
    "op_name", "provider", "node_index", "input_type_shape", "output_type_shape", "parameter_size", "activation_size", "output_size",
)  # fmt: skip


def _recognises(opening: Opening) -> bool:
    return (
        bool(opening.categories)
        and opening.categories <= _CATEGORIES
        and bool(opening.categories & {"Session", "Node"})
    )


def _kind(category: str, name: str) -> Kind:
    if category == "Node":
        return Kind.OVERHEAD if name.endswith(_FENCES) else Kind.OPERATION
    if category == "Session":
        return Kind.SPAN if name.startswith(_SETUP) else Kind.ANNOTATION
    return {"Kernel": Kind.KERNEL, "Api": Kind.RUNTIME}.get(category, Kind.SPAN)


def _named(category: str, name: str) -> str:
    return name.removesuffix(_TIME_OF_NODE) if category == "Node" else name


def _properties(values: Mapping[str, Any]) -> dict[str, str]:
    return {}


ONNXRUNTIME = Dialect(
    "onnxruntime",
    "ONNX Runtime profile",
    _recognises,
    _kind,
    {Kind.OPERATION: ArgumentReader(kept=_NODE)},
    _properties,
    _named,
)
