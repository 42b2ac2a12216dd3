"""Every built-in configuration makes a real model of transformers with the published number of parameters."""

from __future__ import annotations

from typing import Any

import pytest

from cyclescope.models.catalog import Architecture, ModelFamily, architectures

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

# Parameters in billions or millions as the papers and model cards state them, with the digits they give.
PUBLISHED = {
    "bert-base-chinese": 102.3e6,
    "bert-base-uncased": 110e6,
    "bert-tiny": 4.4e6,
    "distilbert-base-uncased": 66e6,
    "electra-small": 14e6,
    "roberta-base": 125e6,
    "xlm-roberta-base": 278e6,
    "albert-base-v2": 12e6,
    "deberta-base": 139e6,
    "deberta-v3-base": 184e6,
    "modernbert-base": 149e6,
    "gpt2": 124e6,
    "llama-110m": 110e6,
    "llama-3.1-8b": 8.03e9,
    "llama-3.1-70b": 70.6e9,
    "qwen2.5-0.5b": 494e6,
    "qwen3-0.6b": 596e6,
    "mixtral-8x7b": 46.7e9,
    "jamba-v0.1": 51.6e9,
    "lfm2-350m": 354.5e6,
    "qwen3-next-80b-a3b": 80e9,
    "t5-small": 60.5e6,
    "bart-base": 139e6,
    "opus-mt-en-zh": 78e6,
}


def on_meta(entry: Architecture) -> Any:
    config = dict(entry.config)
    auto = {
        ModelFamily.ENCODER: transformers.AutoModel,
        ModelFamily.DECODER: transformers.AutoModelForCausalLM,
        ModelFamily.ENCODER_DECODER: transformers.AutoModelForSeq2SeqLM,
    }[entry.family]
    with torch.device("meta"):
        return auto.from_config(transformers.AutoConfig.for_model(config.pop("model_type"), **config))


@pytest.mark.parametrize("entry", architectures(), ids=lambda a: a.name)
def test_the_configuration_makes_the_published_model(entry: Architecture) -> None:
    model = on_meta(entry)
    assert sum(p.numel() for p in model.parameters()) == entry.parameters
    assert entry.parameters == pytest.approx(PUBLISHED[entry.name], rel=0.045)
    assert model.get_input_embeddings().weight.shape[0] == entry.config["vocab_size"]
    assert model.config.num_hidden_layers == entry.layers
    assert model.config.hidden_size == entry.hidden
