"""The passes of ONNX Runtime over a graph."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import onnx
import onnxruntime

from cyclescope.backends.onnxruntime.runtime import settings
from cyclescope.core.plan import Plan

CONSTANTS = (
    onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
)  # those that compute what is constant, and drop what is of no use
ALL = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL


def passed(model: onnx.ModelProto, plan: Plan, level: Any) -> onnx.ModelProto:
    """`model`, which holds no large weights, as the engine would run it for `plan`."""
    with TemporaryDirectory(prefix="cyclescope-") as folder:
        path = Path(folder) / "passed.onnx"
        options = settings(plan)
        options.graph_optimization_level = level
        options.optimized_model_filepath = str(path)
        onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
        return onnx.load(str(path))
