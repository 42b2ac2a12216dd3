"""A model in OpenVINO's own file."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any

import numpy


def plugin_settings(threads: int, precision: str, group: int) -> dict[str, Any]:
    """For one request at a time, computing in `precision`; `group` activations share a scale where they are quantized
    as they come (0: they are not).
    """
    return {
        # Left alone it takes bfloat16 wherever the processor has it, whatever the model is stored in.
        "INFERENCE_PRECISION_HINT": precision,
        "PERFORMANCE_HINT": "LATENCY",
        "NUM_STREAMS": "1",
        "INFERENCE_NUM_THREADS": threads,
        "DYNAMIC_QUANTIZATION_GROUP_SIZE": group,
    }


class OpenVinoModel:
    """Called with arrays by name; gives arrays by name. `config` is that of the model it was made from."""

    def __init__(self, path: str, config: Any, threads: int, precision: str, group: int = 0) -> None:
        sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]  # or the import sends an event
        import openvino

        self.config = config
        compiled = openvino.Core().compile_model(path, "CPU", plugin_settings(threads, precision, group))
        self._request = compiled.create_infer_request()
        self._inputs = {value.any_name for value in compiled.inputs}
        self._outputs = [value.any_name for value in compiled.outputs]

    def __call__(self, **inputs: Any) -> SimpleNamespace:
        feed = {name: numpy.asarray(value) for name, value in inputs.items() if name in self._inputs}
        given = self._request.infer(feed, share_inputs=True)
        return SimpleNamespace(**{name: numpy.array(given[k]) for k, name in enumerate(self._outputs)})
