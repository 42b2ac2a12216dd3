"""Texts of one call in one row without padding, each token seeing those of its own text only."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import torch


class Packed(torch.nn.Module):
    """Stands in the place of an encoder: takes padded inputs and gives a padded last hidden state, and computes without
    padding in between.
    """

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.config = getattr(model, "config", None)
        self._model = model
        # RoBERTa and its kin count positions from the padding index on.
        tables = [part for path, part in model.named_modules() if path.endswith("position_embeddings")]
        self._first = next((t.padding_idx + 1 for t in tables if getattr(t, "padding_idx", None) is not None), 0)

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor, **others: torch.Tensor) -> Any:
        here = attention_mask.bool()
        lengths = here.sum(dim=1)
        text = torch.repeat_interleave(torch.arange(len(lengths)), lengths)
        own = text[:, None] == text[None, :]
        seen: torch.Tensor = own[None, None]
        if getattr(self.config, "_attn_implementation", None) != "sdpa":
            # Written out, attention adds its mask to the scores.
            least = torch.finfo(self._model.dtype).min
            seen = torch.zeros(seen.shape, dtype=self._model.dtype).masked_fill(~seen, least)
        positions = (torch.arange(input_ids.shape[1]) + self._first).expand_as(input_ids)[here][None]
        types = {name: value[here][None] for name, value in others.items() if value.shape == input_ids.shape}
        result = self._model(input_ids=input_ids[here][None], attention_mask=seen, position_ids=positions, **types)
        rows = result.last_hidden_state[0]
        hidden = rows.new_zeros((*input_ids.shape, rows.shape[-1]))
        hidden[here] = rows
        return _Vectors(last_hidden_state=hidden)


class _Vectors(SimpleNamespace):
    """Results by name, as those of a model."""

    last_hidden_state: torch.Tensor

    def items(self) -> Any:
        return self.__dict__.items()
