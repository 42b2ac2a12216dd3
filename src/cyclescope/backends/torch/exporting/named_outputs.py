"""What a model gives, by name, whether it names its outputs itself or not."""

from __future__ import annotations

from typing import Any

import torch


def named_outputs(given: Any) -> dict[str, torch.Tensor]:
    """The tensors that a model gave: by its own names, or `output`, or `output_0`, `output_1`, …"""
    if isinstance(given, torch.Tensor):
        return {"output": given}
    if hasattr(given, "items"):
        named = given.items()
    else:
        named = ((f"output_{place}", value) for place, value in enumerate(given))
    return {str(name): value for name, value in named if isinstance(value, torch.Tensor)}
