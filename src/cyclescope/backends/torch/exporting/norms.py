"""Norms by the root of the mean square as one operation each while a model is exported.

Spelled out, one is eight operations that an exporter looks at several times each: in a small decoder they are most of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch

OPERATOR, DOMAIN = "SimplifiedLayerNormalization", "com.microsoft"
_NAME = "RMSNorm"
_EPSILONS = ("variance_epsilon", "eps", "epsilon")


@contextmanager
def norms_in_one(model: Any) -> Iterator[None]:
    """Let norms of `model` be one operation each, where they compute what that does."""
    found = [(module, forward) for module in model.modules() if (forward := _in_one(module)) is not None]
    try:
        for module, forward in found:
            module.__dict__["forward"] = forward
        yield
    finally:
        for module, _ in found:
            del module.__dict__["forward"]


def _in_one(module: Any) -> Callable[[torch.Tensor], torch.Tensor] | None:
    """The forward of `module` as one operation; None where it is no such norm."""
    weights = dict(module.named_parameters())
    epsilon = next(
        (getattr(module, name) for name in _EPSILONS if isinstance(getattr(module, name, None), float)), None
    )
    if (
        _NAME not in type(module).__name__
        or set(weights) != {"weight"}
        or epsilon is None
        or "forward" in module.__dict__
    ):
        return None
    weight = weights["weight"]
    if weight.dim() != 1 or weight.dtype != torch.float32:
        return None
    added = next((added for added in (0.0, 1.0) if _computes(module, weight, added, epsilon)), None)
    if added is None:
        return None

    def forward(hidden_states: torch.Tensor) -> torch.Tensor:
        given: torch.Tensor = torch.onnx.ops.symbolic(
            f"{DOMAIN}::{OPERATOR}",
            (hidden_states, weight + added if added else weight),
            {"axis": -1, "epsilon": epsilon, "stash_type": 1},
            dtype=hidden_states.dtype,
            shape=hidden_states.shape,
            version=1,
        )
        return given

    return forward


def _computes(module: Any, weight: torch.Tensor, added: float, epsilon: float) -> bool:
    """Whether `module` gives x · (weight + `added`) / √(mean(x²) + `epsilon`), with numbers small enough for `epsilon` to tell."""
    x = torch.randn(2, 3, len(weight), generator=torch.Generator().manual_seed(0))
    for numbers in (x, x * epsilon**0.5):
        wanted = numbers * torch.rsqrt(numbers.square().mean(-1, keepdim=True) + epsilon) * (weight + added)
        try:
            given = module(numbers)
        except (TypeError, ValueError, RuntimeError):
            return False
        if not isinstance(given, torch.Tensor) or not torch.allclose(given, wanted, atol=1e-5, rtol=1e-4):
            return False
    return True
