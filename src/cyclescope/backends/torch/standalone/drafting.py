"""A draft of a model made of the model itself."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import torch

from cyclescope.backends.torch.standalone.editing import edit


def first_layers(model: Any, layers: int) -> Any:
    """A model of the first `layers` layers of `model` and its head, which shares its weights: no memory but the cache's.

    Handed to `generate` as `assistant_model`, it guesses tokens that the whole model checks.
    """
    draft = deepcopy(model, {id(weight): weight for weight in model.parameters()})
    stacks = [(len(part), path) for path, part in draft.named_modules() if isinstance(part, torch.nn.ModuleList)]
    return edit(draft, [("keep-layers", max(stacks)[1], range(layers))])
