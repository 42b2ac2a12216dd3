"""In which numbers OpenVINO computes a plan, by the names that it has for them; importing it imports no engine."""

from __future__ import annotations

from cyclescope.core.errors import Unsupported
from cyclescope.core.message import m
from cyclescope.core.plan import Plan, Quantization

_GROUP = 32  # activations that share a scale where they are quantized as they come
# By dtype: what the plugin calls it as a precision, and as a capability of the processor.
_PRECISIONS = {"float32": ("f32", "FP32"), "bfloat16": ("bf16", "BF16"), "float16": ("f16", "FP16")}


def precision_of(plan: Plan) -> str:
    """What the plugin calls the dtype of `plan`. Raises `Unsupported` for one that it has not."""
    return _names(plan)[0]


def capability_of(plan: Plan) -> str:
    """What a processor must be capable of for it. Raises like `precision_of`."""
    return _names(plan)[1]


def _names(plan: Plan) -> tuple[str, str]:
    if plan.dtype not in _PRECISIONS:
        raise Unsupported(
            m("OpenVINO does not compute in {dtype}.", dtype=plan.dtype),
            "",
            m("Use {precisions}.", precisions=", ".join(_PRECISIONS)),
        )
    return _PRECISIONS[plan.dtype]


def group_of(plan: Plan) -> int:
    """How many activations share a scale where they are quantized as they come; 0 where they are not."""
    return _GROUP if plan.quantization == Quantization.INT8_DYNAMIC else 0


def cache_precision_of(plan: Plan) -> str:
    """What keys and values are kept in: 8 bits where the weights are quantized too, else what is computed in.

    Left alone the plugin keeps them in 8 bits whatever is asked for.
    """
    return precision_of(plan) if plan.quantization == Quantization.OFF else "u8"
