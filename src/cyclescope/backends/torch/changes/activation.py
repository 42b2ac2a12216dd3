"""Another activation in place of the model's own."""

from __future__ import annotations

import torch

from cyclescope.backends.torch.changes.change import Subject
from cyclescope.core.errors import Unsupported


def tanh_gelu(subject: Subject, amount: float) -> str:
    """GELU by its tanh form (Hendrycks and Gimpel, 2016, section 2) where the model has the exact one."""
    return _replaced(subject, "exact GELU", _is_exact_gelu, lambda: torch.nn.GELU(approximate="tanh"))


def relu(subject: Subject, amount: float) -> str:
    """ReLU where the model has GELU or SiLU of any form."""
    return _replaced(subject, "activation", _is_activation, torch.nn.ReLU)


def _replaced(subject: Subject, what: str, chosen, make) -> str:  # type: ignore[no-untyped-def]
    paths = [path for path, module in subject.model.named_modules(remove_duplicate=False) if chosen(module)]
    if not paths:
        raise Unsupported(f"The model has no {what} as a module of its own.")
    for path in paths:
        subject.replace(path, make())
    return f"{len(paths)} × {what} replaced"


def _is_exact_gelu(module: torch.nn.Module) -> bool:
    if isinstance(module, torch.nn.GELU):
        return module.approximate == "none"
    return type(module).__name__ == "GELUActivation"


def _is_activation(module: torch.nn.Module) -> bool:
    name = type(module).__name__.lower()
    return not list(module.children()) and ("gelu" in name or "silu" in name or "swish" in name)
