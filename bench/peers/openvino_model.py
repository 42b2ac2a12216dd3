"""OpenVINO by hand: the converted model, and a compiled one that answers one request at a time."""

from __future__ import annotations

import sys
from typing import Any

import openvino
import torch
from hugging_face import feeds, model_of
from serving import Job, Ready

assert sys.modules["openvino_telemetry"] is None


def converted(job: Job) -> Any:
    """The encoder as OpenVINO reads it from PyTorch, its axes of batch and tokens open."""
    model = model_of(job, attn_implementation="sdpa")
    example = feeds(job)[0]()
    with torch.no_grad():
        made = openvino.convert_model(model, example_input=example)
    for value in made.inputs:
        value.get_node().set_partial_shape(openvino.PartialShape([-1, -1]))
    made.validate_nodes_and_infer_types()
    return made


def compiled(job: Job, model: Any, said: str = "", **hints: Any) -> Ready:
    settings = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_NUM_THREADS": job.threads, **hints}
    request = openvino.compile_model(model, "CPU", settings).create_infer_request()
    names = {name for value in model.inputs for name in value.names}
    calls = feeds(job, "np")
    several = len(calls) > 1

    def encode() -> list[Any]:
        given = []
        for feed in calls:
            arrays = {name: value for name, value in feed().items() if name in names}
            result = request.infer(arrays, share_inputs=True, share_outputs=not several)
            given.append((result[0], result[1]))
        return given

    return Ready(encode, lambda pair: {"hidden": pair[0], "pooled": pair[1]}, said)
