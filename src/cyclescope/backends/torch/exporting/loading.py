"""A transformers model for an engine that does not take each of them: refused before there are weights."""

from __future__ import annotations

from typing import Any, Protocol

from cyclescope.backends.base import Request
from cyclescope.backends.torch.loading.heads import WRITE, auto_class
from cyclescope.backends.torch.loading.loading import Loaded, in_hand, load, recipe


class Refuse(Protocol):
    """Raises `Unsupported` for a model of this class that the engine does not take."""

    def __call__(self, class_name: str, config: Any, *, writes: bool) -> None: ...


def load_checked(request: Request, refuse: Refuse) -> Loaded:
    """The model that `request` names, unless the engine does `refuse` it."""
    if isinstance(request.model, str):
        found = recipe(request)
        kinds = auto_class(found.head, found.config)._model_mapping
        if type(found.config) in kinds:
            refuse(kinds[type(found.config)].__name__, found.config, writes=found.head == WRITE)
        return load(request)
    loaded = in_hand(request)
    config = getattr(loaded.model, "config", None)
    refuse(type(loaded.model).__name__, config, writes=loaded.head == WRITE)
    return loaded
