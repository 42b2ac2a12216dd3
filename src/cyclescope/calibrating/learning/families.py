"""Configurations of small models of each family, by where they stand between narrow and wide: numbers from 0 to 1."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

# A matrix unit likes multiples of 64, and published models have them; widths are of heads, so these are sizes of a head.
_HEADS = (32, 64, 64, 80, 128)
_RATIOS = (2.0, 2.67, 3.0, 3.5, 4.0, 4.0, 4.67)
_LEAST_WEIGHTS = 12_000_000  # of the layers: 48 MB, more than most last caches hold for one program
_MOST_LAYERS = 6


def _pick(values: tuple[float, ...], at: float) -> float:
    return values[min(int(at * len(values)), len(values) - 1)]


def _width(at: float, head: int, low: int = 256, high: int = 1152) -> int:
    """A multiple of `head` between `low` and `high`, evenly on the scale of logarithms."""
    return max(2, round(float(low * (high / low) ** at) / head)) * head


def _layers(per_layer: int) -> int:
    """So many that their weights exceed a last cache, two at least: what follows a layer differs from what follows all."""
    return min(_MOST_LAYERS, max(2, round(_LEAST_WEIGHTS / per_layer)))


def _vocabulary(at: float) -> int:
    return round(3000 * float(10**at) / 64) * 64


def _sizes(width_at: float, shape_at: float) -> tuple[int, int, int, float]:
    """Hidden size, heads, size of a head, and inner size over hidden size."""
    head = int(_pick(_HEADS, shape_at))
    hidden = _width(width_at, head)
    return hidden, hidden // head, head, _pick(_RATIOS, (shape_at * 7.31) % 1.0)


def _inner(hidden: int, ratio: float) -> int:
    return round(hidden * ratio / 32) * 32


def bert(width_at: float, shape_at: float, vocabulary_at: float) -> dict[str, Any]:
    """An encoder of BERT's kind (Devlin et al., 2019)."""
    hidden, heads, _, ratio = _sizes(width_at, shape_at)
    inner = _inner(hidden, ratio)
    return {
        "model_type": "bert", "architectures": ["BertModel"], "hidden_size": hidden, "num_attention_heads": heads,
        "num_hidden_layers": _layers(4 * hidden**2 + 2 * hidden * inner), "intermediate_size": inner,
        "vocab_size": _vocabulary(vocabulary_at), "max_position_embeddings": 512,
    }  # fmt: skip


def gpt2(width_at: float, shape_at: float, vocabulary_at: float) -> dict[str, Any]:
    """A decoder of GPT-2's kind (Radford et al., 2019)."""
    hidden, heads, _, ratio = _sizes(width_at, shape_at)
    inner = _inner(hidden, ratio)
    return {
        "model_type": "gpt2", "architectures": ["GPT2LMHeadModel"], "n_embd": hidden, "n_head": heads,
        "n_layer": _layers(4 * hidden**2 + 2 * hidden * inner), "n_inner": inner, "n_positions": 1024,
        "vocab_size": _vocabulary(vocabulary_at), "bos_token_id": 1, "eos_token_id": 1,
    }  # fmt: skip


def llama(width_at: float, shape_at: float, vocabulary_at: float) -> dict[str, Any]:
    """A decoder of Llama's kind with grouped keys and values (Touvron et al., 2023; Ainslie et al., 2023)."""
    hidden, heads, head, ratio = _sizes(width_at, shape_at)
    inner = _inner(hidden, ratio)
    shared = next(count for count in (4, 3, 2, 1) if heads % count == 0) if shape_at > 0.3 else heads
    per_layer = 2 * hidden**2 + 2 * hidden * shared * head + 3 * hidden * inner
    return {
        "model_type": "llama", "architectures": ["LlamaForCausalLM"], "hidden_size": hidden,
        "num_attention_heads": heads, "num_key_value_heads": shared, "num_hidden_layers": _layers(per_layer),
        "intermediate_size": inner, "vocab_size": _vocabulary(vocabulary_at), "max_position_embeddings": 2048,
        "tie_word_embeddings": vocabulary_at < 0.5,
    }  # fmt: skip


def mixtral(width_at: float, shape_at: float, vocabulary_at: float) -> dict[str, Any]:
    """A decoder with a mixture of experts (Jiang et al., 2024)."""
    hidden, heads, _, _ = _sizes(width_at * 0.7, shape_at)
    experts = int(_pick((4, 6, 8), vocabulary_at))
    return {
        "model_type": "mixtral", "architectures": ["MixtralForCausalLM"], "hidden_size": hidden,
        "num_attention_heads": heads, "num_key_value_heads": next(c for c in (3, 2, 1) if heads % c == 0),
        "num_hidden_layers": 2, "intermediate_size": _inner(hidden, 1.5), "num_local_experts": experts,
        "num_experts_per_tok": 2, "vocab_size": _vocabulary(vocabulary_at), "max_position_embeddings": 2048,
        "sliding_window": None,
    }  # fmt: skip


def lfm2(width_at: float, shape_at: float, vocabulary_at: float) -> dict[str, Any]:
    """A hybrid of short convolutions and attention (Liquid AI, 2025)."""
    hidden, heads, _, ratio = _sizes(width_at, shape_at)
    return {
        "model_type": "lfm2", "architectures": ["Lfm2ForCausalLM"], "hidden_size": hidden,
        "num_attention_heads": heads, "num_key_value_heads": next(c for c in (4, 3, 2, 1) if heads % c == 0),
        "num_hidden_layers": 3, "layer_types": ["conv", "full_attention", "conv"],
        "intermediate_size": _inner(hidden, ratio), "block_auto_adjust_ff_dim": False, "conv_L_cache": 3,
        "vocab_size": _vocabulary(vocabulary_at), "max_position_embeddings": 2048,
    }  # fmt: skip


def t5(width_at: float, shape_at: float, vocabulary_at: float) -> dict[str, Any]:
    """An encoder and a decoder of T5's kind (Raffel et al., 2020)."""
    hidden, heads, head, ratio = _sizes(width_at * 0.8, shape_at)
    return {
        "model_type": "t5", "architectures": ["T5ForConditionalGeneration"], "d_model": hidden, "d_kv": head,
        "num_heads": heads, "d_ff": _inner(hidden, ratio), "num_layers": 2, "num_decoder_layers": 2,
        "vocab_size": _vocabulary(vocabulary_at), "decoder_start_token_id": 0, "pad_token_id": 0, "eos_token_id": 1,
        "feed_forward_proj": "gated-gelu" if shape_at > 0.5 else "relu",
    }  # fmt: skip


def bart(width_at: float, shape_at: float, vocabulary_at: float) -> dict[str, Any]:
    """An encoder and a decoder of BART's kind (Lewis et al., 2020)."""
    hidden, heads, _, ratio = _sizes(width_at * 0.8, shape_at)
    inner = _inner(hidden, ratio)
    return {
        "model_type": "bart", "architectures": ["BartForConditionalGeneration"], "d_model": hidden,
        "encoder_attention_heads": heads, "decoder_attention_heads": heads, "encoder_layers": 2, "decoder_layers": 2,
        "encoder_ffn_dim": inner, "decoder_ffn_dim": inner, "vocab_size": _vocabulary(vocabulary_at),
        "max_position_embeddings": 1024, "decoder_start_token_id": 2, "forced_eos_token_id": 2,
    }  # fmt: skip


FAMILIES: Mapping[str, Callable[[float, float, float], dict[str, Any]]] = {
    "bert": bert, "gpt2": gpt2, "llama": llama, "mixtral": mixtral, "lfm2": lfm2, "t5": t5, "bart": bart,
}  # fmt: skip
