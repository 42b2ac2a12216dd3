"""Small models of real transformers classes, from their configurations, with random weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
import transformers

_VOCABULARY = 500
_WIDTHS: dict[str, Any] = {
    "vocab_size": _VOCABULARY,
    "hidden_size": 64,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "intermediate_size": 128,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
}
_DEBERTA: dict[str, Any] = {"relative_attention": True, "pos_att_type": ["c2p", "p2c"], "position_biased_input": False}
_T5: dict[str, Any] = {
    "vocab_size": _VOCABULARY,
    "d_model": 64,
    "num_layers": 3,
    "num_heads": 4,
    "d_kv": 16,
    "d_ff": 128,
    "decoder_start_token_id": 0,
}
_BART: dict[str, Any] = {
    "vocab_size": _VOCABULARY,
    "d_model": 64,
    "encoder_layers": 3,
    "decoder_layers": 3,
    "encoder_attention_heads": 4,
    "decoder_attention_heads": 4,
    "encoder_ffn_dim": 128,
    "decoder_ffn_dim": 128,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "forced_eos_token_id": None,
    "decoder_start_token_id": 2,
}

# The encoders that the tool must know nothing about, by the name of their configuration.
ENCODERS: dict[str, dict[str, Any]] = {
    "BertConfig": _WIDTHS,
    "RobertaConfig": _WIDTHS,
    "DebertaConfig": {**_WIDTHS, **_DEBERTA},
    "DebertaV2Config": {
        **_WIDTHS,
        **_DEBERTA,
        "position_buckets": 16,
        "norm_rel_ebd": "layer_norm",
        "share_att_key": True,
    },
    "DistilBertConfig": {"vocab_size": _VOCABULARY, "dim": 64, "n_layers": 3, "n_heads": 4, "hidden_dim": 128},
    "AlbertConfig": {**_WIDTHS, "embedding_size": 32},
    "ModernBertConfig": {**_WIDTHS, "cls_token_id": 3, "sep_token_id": 4},
    "ElectraConfig": {**_WIDTHS, "embedding_size": 32},
    "MPNetConfig": _WIDTHS,
    "XLMRobertaConfig": _WIDTHS,
    "FNetConfig": _WIDTHS,
    "RoFormerConfig": {**_WIDTHS, "embedding_size": 64},
    "ConvBertConfig": {**_WIDTHS, "embedding_size": 64},
    "SqueezeBertConfig": {**_WIDTHS, "embedding_size": 64},
    "NystromformerConfig": _WIDTHS,
    "MobileBertConfig": {"vocab_size": _VOCABULARY, "num_hidden_layers": 3},
}
OTHERS: dict[str, dict[str, Any]] = {
    "GPT2Config": {
        "vocab_size": _VOCABULARY,
        "n_embd": 64,
        "n_layer": 3,
        "n_head": 4,
        "bos_token_id": 1,
        "eos_token_id": 2,
    },
    "LlamaConfig": {**_WIDTHS, "num_key_value_heads": 2},
    "Qwen3Config": {**_WIDTHS, "num_key_value_heads": 2, "head_dim": 16},
    "T5Config": _T5,
    "BartConfig": _BART,
    "MambaConfig": {"vocab_size": _VOCABULARY, "hidden_size": 64, "num_hidden_layers": 3},
}


def config(name: str) -> Any:
    """The small configuration of that name."""
    return getattr(transformers, name)(**{**ENCODERS, **OTHERS}[name])


def build(name: str, attention: str | None = None) -> torch.nn.Module:
    """A small model in evaluation mode, the same at each call."""
    torch.manual_seed(0)
    settings = {} if attention is None else {"attn_implementation": attention}
    model: torch.nn.Module = transformers.AutoModel.from_config(config(name), **settings)
    return model.eval()


def inputs_for(model: torch.nn.Module, batch: int = 1, tokens: int = 12) -> dict[str, torch.Tensor]:
    """Made-up ids for `model` [batch, tokens], and what a decoder starts from."""
    ids = torch.randint(5, _VOCABULARY, (batch, tokens), generator=torch.Generator().manual_seed(1))
    given = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
    if model.config.is_encoder_decoder:
        given["decoder_input_ids"] = ids[:, :3]
    return given


def folder(parent: Path, name: str, **changes: Any) -> str:
    """A folder in `parent` with the small configuration of that name: its weights are random, its tokenizer a stand-in."""
    place = parent / name
    if not place.exists():
        made = config(name)
        made.update(changes)
        place.mkdir()
        made.to_json_file(place / "config.json")
    return str(place)
