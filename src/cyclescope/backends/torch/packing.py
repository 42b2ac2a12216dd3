"""Texts of one call in one row without padding, each token seeing those of its own text only."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import torch

from cyclescope.backends.torch.steps import Inputs, Steps
from cyclescope.core.errors import Unsupported


class Packed(torch.nn.Module):
    """Stands in the place of a model that gives vectors: takes padded inputs and gives padded results, and computes
    without padding in between.
    """

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.config = getattr(model, "config", None)
        self._model = model

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor, **others: torch.Tensor) -> Any:
        here = attention_mask.bool()
        lengths = here.sum(dim=1)
        text = torch.repeat_interleave(torch.arange(len(lengths)), lengths)
        own = text[:, None] == text[None, :]
        positions = torch.arange(input_ids.shape[1]).expand_as(input_ids)[here][None]
        types = {name: value[here][None] for name, value in others.items() if value.shape == input_ids.shape}
        result = self._model(
            input_ids=input_ids[here][None], attention_mask=own[None, None], position_ids=positions, **types
        )
        rows = result.last_hidden_state[0]
        hidden = rows.new_zeros((*input_ids.shape, rows.shape[-1]))
        hidden[here] = rows
        return _Vectors(last_hidden_state=hidden)


class _Vectors(SimpleNamespace):
    """Results by name, as those of a model."""

    last_hidden_state: torch.Tensor

    def items(self) -> Any:
        return self.__dict__.items()


def packed(steps: Steps, task: str) -> Packed:
    """What to call in place of the model of `steps`. Raises `Unsupported` where it would not be the same."""
    if task != "embed" or steps.writer is not None:
        raise Unsupported("Texts are packed for vectors of texts only.", "", "Use --task embed.")
    inputs: Inputs = steps.inputs()
    if "attention_mask" not in inputs:
        raise Unsupported("There is no mask that tells padding.", "", "")
    config: Any = getattr(steps.model, "config", None)
    if getattr(config, "is_encoder_decoder", False) or getattr(config, "is_decoder", False):
        raise Unsupported("Texts are packed for encoders only.", "", "")
    return Packed(steps.model)
