"""Sessions of ONNX Runtime: their settings, and how one is started without a word and without a connection."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import onnxruntime

from cyclescope.backends.onnxruntime.standalone.onnx_model import session_options
from cyclescope.core.errors import Unsupported
from cyclescope.core.message import m
from cyclescope.core.plan import Plan

# It has a channel for usage events; where it is compiled in, this shuts it.
onnxruntime.disable_telemetry_events()


def settings(plan: Plan, *, spinning: bool = True) -> Any:
    """Session options for `plan`."""
    return session_options(plan.threads, plan.threads_between, spinning=spinning)


def start(path: Path, options: Any) -> Any:
    """A session on the processor for the file `path`."""
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def as_prepared(plan: Plan, *, spinning: bool = True) -> Any:
    """Session options for a file that has been through the engine's passes already."""
    options = settings(plan, spinning=spinning)
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    return options


def refuse_dtype(plan: Plan) -> None:
    """Raise `Unsupported` for a dtype that there are no kernels for."""
    if plan.dtype != "float32":
        raise Unsupported(
            m("ONNX Runtime does not compute in {dtype} on a CPU.", dtype=plan.dtype),
            m("Its CPU kernels compute in float32, and in 8 bits where the model is quantized."),
            m("Leave --dtype out, or quantize the model."),
        )
