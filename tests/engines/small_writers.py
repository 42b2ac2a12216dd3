"""Small decoders with random weights, and what they write by themselves: what engines are held against."""

from __future__ import annotations

from typing import Any

import torch
import transformers

LAYERS, VOCABULARY = 2, 64
SMALL: dict[str, Any] = {
    "vocab_size": VOCABULARY,
    "hidden_size": 32,
    "num_hidden_layers": LAYERS,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "intermediate_size": 64,
    "max_position_embeddings": 256,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
}
SMALL_GPT2: dict[str, Any] = {
    "vocab_size": VOCABULARY,
    "n_embd": 32,
    "n_layer": LAYERS,
    "n_head": 4,
    "n_positions": 256,
    "bos_token_id": 1,
    "eos_token_id": 2,
}


def model_of(config: Any, scale: float = 1.0) -> Any:
    """Random weights; a `scale` of 8 makes them large enough for attention to prefer some tokens."""
    torch.manual_seed(0)
    model = transformers.AutoModelForCausalLM.from_config(config).eval()
    for weight in model.parameters():
        if weight.dim() > 1:
            weight.data *= scale
    return model


def written_by(model: Any, ids: Any, mask: Any, new_tokens: int) -> Any:
    settings: dict[str, Any] = {"max_new_tokens": new_tokens, "min_new_tokens": new_tokens, "do_sample": False}
    with torch.inference_mode():
        given = model.generate(torch.tensor(ids), attention_mask=torch.tensor(mask), pad_token_id=0, **settings)
    return given[:, ids.shape[1] :].numpy()
