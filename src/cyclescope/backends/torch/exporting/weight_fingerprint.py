"""The numbers that distinguish another model of the same class from this one."""

from __future__ import annotations

from typing import Any

import torch

_WEIGHTS = 8
_PER_WEIGHT = 1_000_000  # a number is a weight in millionths


def weight_fingerprint(model: Any) -> tuple[int, ...]:
    """Some weights from all over the model, by which another model of the same class is told."""
    weights = [weight for weight in model.parameters() if weight.dim() >= 2]
    chosen = [weights[k * len(weights) // _WEIGHTS] for k in range(_WEIGHTS)] if weights else []
    with torch.no_grad():
        return tuple(round(float(w.flatten()[w.numel() // 3]) * _PER_WEIGHT) for w in chosen)
