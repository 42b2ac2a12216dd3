"""A model whose linear layers compute in 8 bits."""

from __future__ import annotations

import warnings
from typing import Any

import torch


def quantized(model: Any) -> Any:
    """`model` with weights scaled by output and activations by tensor, as they come."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that there is a newer way, which has no kernels for processors yet
        return torch.ao.quantization.quantize_dynamic(
            model, {torch.nn.Linear: torch.ao.quantization.per_channel_dynamic_qconfig}, inplace=True
        )
