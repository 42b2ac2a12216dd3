"""Sessions of ONNX Runtime: their settings, and how one is started without a word and without a connection."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import onnxruntime

from cyclescope.core.plan import Plan

_FATAL = 4

# It has a channel for usage events; where it is compiled in, this shuts it.
onnxruntime.disable_telemetry_events()


def settings(plan: Plan, *, spinning: bool = True) -> Any:
    """Session options for `plan`.

    With `spinning` idle threads wait in a loop for the next operation, which wakes them sooner than the system would;
    between calls they sleep all the same, so that an engine that idles leaves the cores to another.
    """
    options = onnxruntime.SessionOptions()
    options.log_severity_level = _FATAL
    options.intra_op_num_threads = plan.threads
    if plan.threads_between:
        options.execution_mode = onnxruntime.ExecutionMode.ORT_PARALLEL
        options.inter_op_num_threads = plan.threads_between
    wait = "1" if spinning else "0"
    options.add_session_config_entry("session.intra_op.allow_spinning", wait)
    options.add_session_config_entry("session.inter_op.allow_spinning", wait)
    options.add_session_config_entry("session.force_spinning_stop", "1")
    return options


def start(path: Path, options: Any) -> Any:
    """A session on the processor for the file `path`."""
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def as_prepared(plan: Plan, *, spinning: bool = True) -> Any:
    """Session options for a file that has been through the engine's passes already."""
    options = settings(plan, spinning=spinning)
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    return options
