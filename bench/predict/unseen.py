"""Architectures and shapes that nothing is fitted on: what `this_machine.py` predicts and measures.

Built-in architectures stand here by name, others as configurations: published ones with their source, and a mixture of
experts and deep narrow or wide shallow models of our own, since no published one is that small. Between 5 and 400 million parameters.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Unseen:
    """One workload: a `model` (built-in name, or a key of `CONFIGURATIONS`), its shape, and the group that it is reported in.

    `new_tokens` 0 is one forward pass; else the cycle is a generation, whose prefill and decode steps count apart.
    """

    model: str
    tokens: int
    batch: int = 1
    new_tokens: int = 0

    @property
    def name(self) -> str:
        """As it stands in tables and as the name of files."""
        written = f"+{self.new_tokens}" if self.new_tokens else ""
        return f"{self.model}-{self.batch}x{self.tokens}{written}"

    def reference(self, folder: Path) -> str:
        """What to open: a built-in name, or the folder of a `config.json` that is written below `folder`."""
        configuration = CONFIGURATIONS.get(self.model)
        if configuration is None:
            return self.model
        place = folder / self.model
        place.mkdir(parents=True, exist_ok=True)
        (place / "config.json").write_text(json.dumps(configuration))
        return str(place)


def _neox(hidden: int, layers: int, heads: int) -> dict[str, Any]:
    """https://huggingface.co/EleutherAI/pythia-70m/blob/main/config.json and its larger kin."""
    return {
        "model_type": "gpt_neox", "architectures": ["GPTNeoXForCausalLM"], "hidden_size": hidden,
        "num_hidden_layers": layers, "num_attention_heads": heads, "intermediate_size": 4 * hidden, "vocab_size": 50304,
        "rotary_pct": 0.25, "max_position_embeddings": 2048, "use_parallel_residual": True,
    }  # fmt: skip


def _smollm(hidden: int, layers: int, heads: int, shared: int, inner: int) -> dict[str, Any]:
    """https://huggingface.co/HuggingFaceTB/SmolLM2-135M/blob/main/config.json and SmolLM2-360M."""
    return {
        "model_type": "llama", "architectures": ["LlamaForCausalLM"], "hidden_size": hidden,
        "num_hidden_layers": layers, "num_attention_heads": heads, "num_key_value_heads": shared,
        "intermediate_size": inner, "vocab_size": 49152, "max_position_embeddings": 8192, "tie_word_embeddings": True,
    }  # fmt: skip


def _bert(hidden: int, layers: int, heads: int, inner: int) -> dict[str, Any]:
    """https://huggingface.co/BAAI/bge-small-en-v1.5/blob/main/config.json, bert-large-uncased and narrower ones."""
    return {
        "model_type": "bert", "architectures": ["BertModel"], "hidden_size": hidden, "num_hidden_layers": layers,
        "num_attention_heads": heads, "intermediate_size": inner, "vocab_size": 30522, "max_position_embeddings": 512,
    }  # fmt: skip


CONFIGURATIONS: Mapping[str, Mapping[str, Any]] = {
    "pythia-70m": _neox(512, 6, 8),
    "pythia-160m": _neox(768, 12, 12),
    "smollm2-135m": _smollm(576, 30, 9, 3, 1536),
    "smollm2-360m": _smollm(960, 32, 15, 5, 2560),
    "bge-small": _bert(384, 12, 12, 1536),
    "bert-large": _bert(1024, 24, 16, 4096),
    "bert-narrow": _bert(192, 6, 3, 768),
    # https://huggingface.co/facebook/opt-125m/blob/main/config.json
    "opt-125m": {
        "model_type": "opt", "architectures": ["OPTForCausalLM"], "hidden_size": 768, "word_embed_proj_dim": 768,
        "num_hidden_layers": 12, "num_attention_heads": 12, "ffn_dim": 3072, "vocab_size": 50272,
        "max_position_embeddings": 2048,
    },
    # https://huggingface.co/google/gemma-3-270m/blob/main/config.json
    "gemma3-270m": {
        "model_type": "gemma3_text", "architectures": ["Gemma3ForCausalLM"], "hidden_size": 640, "num_hidden_layers": 18,
        "num_attention_heads": 4, "num_key_value_heads": 1, "head_dim": 256, "intermediate_size": 2048,
        "vocab_size": 262144, "max_position_embeddings": 32768, "sliding_window": 512,
    },
    # https://huggingface.co/microsoft/mpnet-base/blob/main/config.json
    "mpnet-base": {
        "model_type": "mpnet", "architectures": ["MPNetModel"], "hidden_size": 768, "num_hidden_layers": 12,
        "num_attention_heads": 12, "intermediate_size": 3072, "vocab_size": 30527, "max_position_embeddings": 514,
    },
    # https://huggingface.co/google/flan-t5-base/blob/main/config.json
    "flan-t5-base": {
        "model_type": "t5", "architectures": ["T5ForConditionalGeneration"], "d_model": 768, "d_kv": 64, "d_ff": 2048,
        "num_layers": 12, "num_decoder_layers": 12, "num_heads": 12, "vocab_size": 32128,
        "feed_forward_proj": "gated-gelu", "tie_word_embeddings": False, "decoder_start_token_id": 0, "pad_token_id": 0,
        "eos_token_id": 1,
    },
    # The blocks of Qwen3-30B-A3B (https://huggingface.co/Qwen/Qwen3-30B-A3B), narrower, with fewer experts and layers.
    "qwen3-moe-250m": {
        "model_type": "qwen3_moe", "architectures": ["Qwen3MoeForCausalLM"], "hidden_size": 640, "num_hidden_layers": 10,
        "num_attention_heads": 10, "num_key_value_heads": 2, "head_dim": 64, "intermediate_size": 1792,
        "moe_intermediate_size": 512, "num_experts": 16, "num_experts_per_tok": 4, "decoder_sparse_step": 1,
        "norm_topk_prob": True, "vocab_size": 50000, "max_position_embeddings": 4096, "tie_word_embeddings": True,
    },
    # The blocks of Qwen2.5 (https://huggingface.co/Qwen/Qwen2.5-0.5B), between its sizes and below.
    "qwen2-200m": {
        "model_type": "qwen2", "architectures": ["Qwen2ForCausalLM"], "hidden_size": 704, "num_hidden_layers": 20,
        "num_attention_heads": 11, "num_key_value_heads": 1, "intermediate_size": 2816, "vocab_size": 60000,
        "max_position_embeddings": 4096, "tie_word_embeddings": True,
    },
}  # fmt: skip

# Ordered so that an interrupted measurement has seen something of each kind.
CASES: tuple[Unseen, ...] = (
    Unseen("minilm", 128),
    Unseen("gpt2", 64, new_tokens=4),
    Unseen("t5-small", 48, new_tokens=4),
    Unseen("qwen3-moe-250m", 64, new_tokens=4),
    Unseen("lfm2-350m", 96, new_tokens=4),
    Unseen("bert-base-uncased", 128),
    Unseen("smollm2-135m", 128, new_tokens=4),
    Unseen("deberta-base", 96),
    Unseen("bge-small", 64, batch=8),
    Unseen("pythia-70m", 256, new_tokens=4),
    Unseen("bart-base", 64, new_tokens=4),
    Unseen("modernbert-base", 160),
    Unseen("distilbert-base-uncased", 32, batch=4),
    Unseen("llama-110m", 192, new_tokens=4),
    Unseen("xlm-roberta-base", 24),
    Unseen("albert-base-v2", 80),
    Unseen("opt-125m", 40, new_tokens=4),
    Unseen("electra-small", 64, batch=4),
    Unseen("opus-mt-en-zh", 32, new_tokens=4),
    Unseen("gemma3-270m", 72, new_tokens=4),
    Unseen("bert-large", 48),
    Unseen("bert-narrow", 200, batch=2),
    Unseen("roberta-base", 256),
    Unseen("mpnet-base", 112),
    Unseen("pythia-160m", 24, batch=4, new_tokens=4),
    Unseen("qwen2-200m", 320, new_tokens=4),
    Unseen("smollm2-360m", 32, new_tokens=4),
    Unseen("flan-t5-base", 100, new_tokens=4),
    Unseen("deberta-v3-base", 48),
    Unseen("minilm", 32, batch=16),
    Unseen("gpt2", 384),
    Unseen("smollm2-135m", 16, batch=8, new_tokens=4),
    Unseen("qwen3-moe-250m", 200),
    Unseen("lfm2-350m", 24),
    Unseen("bert-base-chinese", 40, batch=6),
    Unseen("electra-small", 400),
    Unseen("albert-base-v2", 20, batch=2),
    Unseen("distilbert-base-uncased", 8),
)
