"""Where a model says that it may be left early."""

from __future__ import annotations

from typing import Any


def exits_of(model: Any) -> tuple[int, ...]:
    """Numbers of layers behind which the head may read: those that the model's own generation settings name.

    transformers has one declaration of that kind, `assistant_early_exit`, for models that were trained with one head
    behind many layers (Elhoushi et al., 2024, "LayerSkip"); no class of it has heads of its own behind earlier layers.
    """
    at = getattr(getattr(model, "generation_config", None), "assistant_early_exit", None)
    config: Any = getattr(model, "config", None)
    text = config.get_text_config() if hasattr(config, "get_text_config") else config
    layers = getattr(text, "num_hidden_layers", None) or 0
    return (at,) if isinstance(at, int) and not isinstance(at, bool) and 0 < at < layers else ()
