"""One call of a transformers decoder as a model of OpenVINO that holds the keys and values of what it has read.

The graph is traced by OpenVINO's own reader of PyTorch models, with keys and values going in and out; its own transformation
then keeps these inside. The plugin computes attention and the growing cache in one node if the cache can be reordered by
rows before it is read (`beam_idx`), as beam search would; here rows stay where they are.
"""

from __future__ import annotations

import inspect
import warnings
from typing import Any

import numpy as np
import torch

from cyclescope.backends.openvino.quiet import import_openvino, without_telemetry
from cyclescope.backends.silence import silence
from cyclescope.backends.torch.exporting.caching import cache_argument, given_cache, layers_kept
from cyclescope.core.errors import Unsupported
from cyclescope.core.message import m
from cyclescope.core.plan import REFERENCE_ENGINE

_INPUTS = ("input_ids", "attention_mask", "position_ids", "wanted")
_ROWS, _READ, _NEW = 2, 3, 2  # of the example: which sizes are free is said afterwards
_WAY_OUT = m("Use --engine {engine}, which runs the model itself.", engine=REFERENCE_ENGINE)


def decoder_of(model: Any) -> Any:
    """A model of OpenVINO for one call of `model`. Raises `Unsupported` for a cache that is not keys and values alone.

    Goes in: `input_ids` and `position_ids` [B, n], `attention_mask` [B, read + n], `wanted` [k], the tokens of the call
    whose logits are asked for, `beam_idx` [B]. Comes out: `logits` [B, k, vocabulary].
    """
    openvino = import_openvino()
    from openvino._offline_transformations import apply_make_stateful_transformation

    shapes = _cache_of(model)
    past = [torch.rand(_ROWS, heads, _READ, width) for heads, width in shapes]
    ids = torch.ones(_ROWS, _NEW, dtype=torch.int64)
    mask = torch.ones(_ROWS, _READ + _NEW, dtype=torch.int64)
    example = (ids, mask, _READ + ids.cumsum(1) - 1, torch.arange(_NEW), *past)
    attention = model.config._attn_implementation
    with torch.no_grad(), without_telemetry(), silence(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the tracer: what it takes for constants is constant here
        model.set_attn_implementation("sdpa")
        try:
            made = openvino.convert_model(_Call(model), example_input=example)
        finally:
            model.set_attn_implementation(attention)
    names = {}
    for port, name in zip(made.inputs, _INPUTS, strict=False):
        _name(port, name, [-1] if name == "wanted" else [-1, -1])
    for k, (heads, width) in enumerate(shapes):
        names[f"past.{k}"] = f"present.{k}"
        _name(made.inputs[len(_INPUTS) + k], f"past.{k}", [-1, heads, -1, width])
        made.outputs[1 + k].get_tensor().set_names({f"present.{k}"})
    made.outputs[0].get_tensor().set_names({"logits"})
    made.validate_nodes_and_infer_types()
    apply_make_stateful_transformation(made, names)
    _begin_empty(made)
    made.validate_nodes_and_infer_types()
    return made


class _Call(torch.nn.Module):
    """The logits of the tokens that are wanted, and the keys and values of all; `past` are those of the tokens before."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def forward(
        self,
        input_ids: torch.Tensor,
        attention_mask: torch.Tensor,
        position_ids: torch.Tensor,
        wanted: torch.Tensor,
        *past: torch.Tensor,
    ) -> tuple[torch.Tensor, ...]:
        from transformers import DynamicCache
        from transformers.cache_utils import DynamicLayer

        before, now = past[0].shape[2], input_ids.shape[1]
        # Spelled out, since the way transformers makes masks depends on Python numbers, which a trace would freeze.
        later = torch.arange(before + now).reshape(1, -1) > torch.arange(before, before + now).reshape(-1, 1)
        hidden = later | (attention_mask == 0)[:, None, None, :]
        mask = torch.zeros(hidden.shape).masked_fill(hidden, torch.finfo(torch.float32).min)
        cache = DynamicCache()
        for keys, values in zip(past[::2], past[1::2], strict=True):
            layer = DynamicLayer()
            layer.lazy_initialization(keys, values)
            layer.keys, layer.values = keys, values
            cache.layers.append(layer)
        given = self.model(
            input_ids=input_ids,
            attention_mask=mask,
            position_ids=position_ids,
            logits_to_keep=wanted,
            **given_cache(self.model, cache),
        )
        return given.logits, *(tensor for layer in cache.layers for tensor in (layer.keys, layer.values))


def _cache_of(model: Any) -> list[tuple[int, int]]:
    """Heads and width of the keys and of the values of each layer [2 · layers]. Raises `Unsupported`."""
    from transformers.cache_utils import DynamicLayer, DynamicSlidingWindowLayer

    name, config = type(model).__name__, model.config.get_text_config()
    taken = inspect.signature(model.forward).parameters
    missing = [what for what in ("position_ids", "logits_to_keep") if what not in taken]
    missing += [] if cache_argument(model) else ["cache of earlier tokens"]
    if getattr(model.config, "is_encoder_decoder", False) or missing:
        why = m("It takes no {what}.", what=missing[0]) if missing else m("Its decoder also attends to an encoder.")
        raise Unsupported(m("Generation with a {name} is not supported on OpenVINO.", name=name), why, _WAY_OUT)
    kept = layers_kept(model)
    window = getattr(config, "sliding_window", None) or 0
    # A window that is as wide as the longest text hides nothing.
    wide = window >= (getattr(config, "max_position_embeddings", None) or window + 1)
    known = (DynamicLayer, DynamicSlidingWindowLayer) if wide else (DynamicLayer,)
    others = sorted({type(layer).__name__ for layer in kept if type(layer) not in known})
    if others or not kept:
        what = ", ".join(others) or m("no cache at all")
        why = m("It keeps more than keys and values of all tokens: {what}.", what=what)
        raise Unsupported(m("Generation with a {name} is not supported on OpenVINO.", name=name), why, _WAY_OUT)
    return [(t.shape[1], t.shape[3]) for layer in kept for t in (layer.keys, layer.values)]


def _name(port: Any, name: str, shape: list[int]) -> None:
    openvino = import_openvino()
    port.get_node().set_friendly_name(name)
    port.get_node().set_partial_shape(openvino.PartialShape(shape))
    port.get_tensor().set_names({name})


def _begin_empty(made: Any) -> None:
    """Have every state begin with as many rows as the call has, and no tokens; reordered by rows before it is read."""
    import_openvino()
    import openvino.opset13 as ops

    first = ops.constant(0, dtype=np.int64)
    shape = ops.shape_of(made.input("input_ids"), output_type="i64")
    rows = ops.gather(shape, ops.constant([0], dtype=np.int64), first)
    order = ops.parameter([-1], dtype=np.int32, name="beam_idx")
    order.output(0).get_tensor().set_names({"beam_idx"})
    made.add_parameters([order])
    for op in made.get_ops():
        if op.get_type_name() != "ReadValue":
            continue
        sizes = [0 if size.is_dynamic else size.get_length() for size in list(op.get_output_partial_shape(0))[1:]]
        whole = ops.concat([rows, ops.constant(sizes, dtype=np.int64)], axis=0)
        op.set_arguments([ops.broadcast(ops.constant(0.0, dtype=np.float32), whole)])
        readers = list(op.output(0).get_target_inputs())
        ordered = ops.gather(op.output(0), order, first)
        for reader in readers:
            reader.replace_source_output(ordered.output(0))
