"""What the decoder of an encoder-decoder starts from."""

from __future__ import annotations

from typing import Any

import torch


def start_of(model: Any, texts: int) -> dict[str, torch.Tensor]:
    """One token for each of so many texts."""
    start = getattr(model.config, "decoder_start_token_id", None)
    if not isinstance(start, int):
        start = getattr(model.config, "bos_token_id", None) or 0
    return {"decoder_input_ids": torch.full((texts, 1), start)}
