"""OpenVINO for a decoder, by hand: one step as a graph whose cache is its state, and the loop that asks for tokens.

`ov.convert_model` cannot read a whole generation. What it reads is one call with the keys and values of the tokens before;
OpenVINO's own transformation then keeps these inside, as its guide for stateful models has it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import openvino
import torch
from hugging_face import feeds, model_of
from openvino._offline_transformations import apply_make_stateful_transformation
from serving import Job, Ready
from transformers import DynamicCache


class _Step(torch.nn.Module):
    """The logits of the last token, and the keys and values of all; `past` are those of the tokens before."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def forward(self, input_ids: torch.Tensor, *past: torch.Tensor) -> tuple[torch.Tensor, ...]:
        before, now = past[0].shape[2], input_ids.shape[1]
        positions = torch.arange(before, before + now).unsqueeze(0)
        hidden = torch.arange(before + now).reshape(1, 1, 1, -1) > positions.reshape(1, 1, -1, 1)
        # Spelled out, since the way transformers makes masks depends on Python numbers, which a trace would freeze.
        mask = torch.zeros(hidden.shape).masked_fill(hidden, torch.finfo(torch.float32).min)
        cache = DynamicCache(config=self.model.config)
        for layer, keys, values in zip(cache.layers, past[::2], past[1::2], strict=True):
            layer.lazy_initialization(keys, values)
            layer.keys, layer.values = keys, values
        given = self.model(
            input_ids=input_ids, attention_mask=mask, position_ids=positions, past_key_values=cache, use_cache=True
        )
        flat = [tensor for layer in cache.layers for tensor in (layer.keys, layer.values)]
        return given.logits[:, -1], *flat


def stateful(job: Job) -> Any:
    """One step of the decoder for a batch of one, its cache inside."""
    model = model_of(job, attn_implementation="sdpa")
    config = model.config
    heads = config.num_key_value_heads
    width = config.hidden_size // config.num_attention_heads
    past = [torch.rand(1, heads, 3, width) for _ in range(2 * config.num_hidden_layers)]
    with torch.no_grad():
        made = openvino.convert_model(_Step(model), example_input=(torch.ones(1, 2, dtype=torch.int64), *past))
    names: dict[str, str] = {}
    for number, (value, result) in enumerate(zip(made.inputs[1:], made.outputs[1:], strict=True)):
        value.get_node().set_partial_shape(openvino.PartialShape([1, heads, -1, width]))
        value.get_tensor().set_names({f"past.{number}"})
        result.get_tensor().set_names({f"present.{number}"})
        names[f"past.{number}"] = f"present.{number}"
    made.inputs[0].get_node().set_partial_shape(openvino.PartialShape([1, -1]))
    made.validate_nodes_and_infer_types()
    apply_make_stateful_transformation(made, names)
    return made


def writing(job: Job, model: Any, **hints: Any) -> Ready:
    settings = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_NUM_THREADS": job.threads, **hints}
    request = openvino.compile_model(model, "CPU", settings).create_infer_request()
    calls = feeds(job, "np")

    def write() -> list[Any]:
        written = []
        for feed in calls:
            request.reset_state()
            ids, tokens = feed()["input_ids"], []
            for _ in range(job.new_tokens):
                token = int(request.infer([ids])[0].argmax())
                tokens.append(token)
                ids = np.asarray([[token]], dtype=np.int64)
            written.append(tokens)
        return written

    return Ready(write, lambda tokens: {"tokens": np.asarray([tokens], dtype=np.int64)}, "cache as state, by hand")
