"""A model that runs through a compiled form of itself."""

from __future__ import annotations

from typing import Any

import torch


def compiled(model: Any, *, freezing: bool) -> Any:
    """`model` with calls of it compiled by Inductor at the first one; `freezing` makes constants of its weights."""
    if not getattr(model, "_is_compiled_in_place", False):
        import torch._inductor.config as inductor

        inductor.freezing = freezing
        model.forward = torch.compile(model.forward)
        model._is_compiled_in_place = True
    return model
