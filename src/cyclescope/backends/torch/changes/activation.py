"""Another activation in place of the model's own."""

from __future__ import annotations

from collections.abc import Callable

import torch

from cyclescope.backends.torch.changes.change import Edits, Subject
from cyclescope.core.edits import Edit
from cyclescope.core.errors import Unsupported
from cyclescope.core.message import m


def tanh_gelu(subject: Subject, amount: float) -> Edits:
    """GELU by its tanh form (Hendrycks and Gimpel, 2016, section 2) where the model has the exact one."""
    return _replaced(subject, "tanh-gelu", "exact GELU", _is_exact_gelu)


def exact_gelu(subject: Subject, amount: float) -> Edits:
    """Exact GELU where the model has its tanh form."""
    return _replaced(subject, "exact-gelu", "GELU by tanh", _is_tanh_gelu)


def relu(subject: Subject, amount: float) -> Edits:
    """ReLU where the model has GELU or SiLU of any form."""
    return _replaced(subject, "relu", "activation", _is_activation)


def _replaced(subject: Subject, edit: str, what: str, chosen: Callable[[torch.nn.Module], bool]) -> Edits:
    paths = [path for path, module in subject.model.named_modules(remove_duplicate=False) if chosen(module)]
    if not paths:
        raise Unsupported(m("The model has no {what} module.", what=what))
    return Edits(tuple(Edit(edit, path) for path in paths), m("{count} × {what} replaced", count=len(paths), what=what))


def _is_exact_gelu(module: torch.nn.Module) -> bool:
    if isinstance(module, torch.nn.GELU):
        return module.approximate == "none"
    return type(module).__name__ == "GELUActivation"


def _is_tanh_gelu(module: torch.nn.Module) -> bool:
    if isinstance(module, torch.nn.GELU):
        return module.approximate == "tanh"
    return type(module).__name__ in ("NewGELUActivation", "GELUTanh", "FastGELUActivation", "AccurateGELUActivation")


def _is_activation(module: torch.nn.Module) -> bool:
    name = type(module).__name__.lower()
    return not list(module.children()) and ("gelu" in name or "silu" in name or "swish" in name)
