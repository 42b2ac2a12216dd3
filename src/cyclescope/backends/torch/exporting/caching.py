"""How a model takes and keeps the keys and values of what it has read."""

from __future__ import annotations

import inspect
from typing import Any

import torch

_NAMES = ("cache", "past_key_values")  # what transformers has called it since 5.24, and before


def cache_argument(model: Any) -> str | None:
    """The name under which `model` takes the keys and values of earlier tokens; None where its signature names none."""
    taken = inspect.signature(model.forward).parameters
    return next((name for name in _NAMES if name in taken), None)


def given_cache(model: Any, cache: Any) -> dict[str, Any]:
    """`cache` as an argument of `model`, for which it takes `use_cache` too. A signature that names none may hand on the
    older name.
    """
    return {cache_argument(model) or _NAMES[-1]: cache, "use_cache": True}


def layers_kept(model: Any) -> list[Any]:
    """The layers of the cache of `model` after a call that has read two tokens."""
    from transformers import DynamicCache

    cache = DynamicCache(config=model.config)
    with torch.inference_mode():
        model(input_ids=torch.ones(1, 2, dtype=torch.int64), **given_cache(model, cache))
    layers: list[Any] = cache.layers
    return layers
