"""A model in a file that ONNX Runtime has prepared for this kind of processor."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy
import onnxruntime


def session_options(threads: int, between: int = 0, *, spinning: bool = True) -> Any:
    """Options for `threads` inside an operation and `between` independent ones (0: one after the other).

    With `spinning` idle threads wait in a loop for the next operation, which wakes them sooner than the system would;
    between calls they sleep all the same, so that an engine that idles leaves the cores to another.
    """
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4  # fatal
    options.intra_op_num_threads = threads
    if between:
        options.execution_mode = onnxruntime.ExecutionMode.ORT_PARALLEL
        options.inter_op_num_threads = between
    wait = "1" if spinning else "0"
    options.add_session_config_entry("session.intra_op.allow_spinning", wait)
    options.add_session_config_entry("session.inter_op.allow_spinning", wait)
    options.add_session_config_entry("session.force_spinning_stop", "1")
    return options


class OnnxModel:
    """Called with arrays by name; gives arrays by name. `config` is that of the model it was made from."""

    def __init__(self, path: str, config: Any, threads: int, between: int = 0) -> None:
        self.config = config
        options = session_options(threads, between)
        # The file has been through the engine's passes already.
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        self._session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        self._inputs = {value.name for value in self._session.get_inputs()}
        self._outputs = [value.name for value in self._session.get_outputs()]

    def __call__(self, **inputs: Any) -> SimpleNamespace:
        feed = {name: numpy.asarray(value) for name, value in inputs.items() if name in self._inputs}
        given = self._session.run(self._outputs, feed)
        return SimpleNamespace(**dict(zip(self._outputs, given, strict=True)))
