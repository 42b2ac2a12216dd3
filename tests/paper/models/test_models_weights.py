"""Which weights a model runs with, by what is on the disk and what was asked for."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from model_folders import BERT, cached, folder

from cyclescope.core.errors import WeightsMissing
from cyclescope.core.workload import Weights
from cyclescope.models.reference import ModelSource, resolve
from cyclescope.models.weights import Wanted, choose_weights, require_weights, weights_folder


@pytest.fixture
def sources(tmp_path: Path) -> dict[str, ModelSource]:
    environment = {"HF_HUB_CACHE": str(tmp_path / "hub")}
    cached(tmp_path / "hub", "a/full", "model.safetensors")
    cached(tmp_path / "hub", "a/bare")
    (tmp_path / "config-only.json").write_text(json.dumps(BERT))
    cut = folder(tmp_path / "cut")
    (cut / "model.safetensors.index.json").write_text('{"weight_map": {"a": "model-1.safetensors"}}')
    references = {
        "full": folder(tmp_path / "full", "model.safetensors"),
        "bare": folder(tmp_path / "bare"),
        "pickled": folder(tmp_path / "pickled", "pytorch_model.bin"),
        "cut": cut,
        "file": tmp_path / "config-only.json",
        "built-in": "bert-tiny",
        "hub": "a/fetchable",
        "hub full": "a/full",
        "hub bare": "a/bare",
    }
    return {name: resolve(str(reference), environment) for name, reference in references.items()}


@pytest.mark.parametrize(
    ("name", "automatic", "pretrained"),
    [
        ("full", Weights.PRETRAINED, Weights.PRETRAINED),
        ("bare", Weights.RANDOM, None),
        ("pickled", None, None),
        ("cut", None, None),
        ("file", Weights.RANDOM, None),
        ("built-in", Weights.RANDOM, None),
        ("hub", Weights.PRETRAINED, Weights.PRETRAINED),
        ("hub full", Weights.PRETRAINED, Weights.PRETRAINED),
        ("hub bare", Weights.RANDOM, None),
    ],
)
def test_the_choice(
    sources: dict[str, ModelSource], name: str, automatic: Weights | None, pretrained: Weights | None
) -> None:
    choices: tuple[tuple[Wanted, Weights | None], ...] = (("auto", automatic), ("pretrained", pretrained))
    for wanted, expected in choices:
        if expected is None:
            with pytest.raises(WeightsMissing) as caught:
                choose_weights(sources[name], wanted)
            assert caught.value.exit_code == 3
            assert "--weights random" in str(caught.value.way_out)
        else:
            assert choose_weights(sources[name], wanted) is expected
    assert choose_weights(sources[name], "random") is Weights.RANDOM


def test_pickled_weights_are_named_with_the_way_to_convert_them(sources: dict[str, ModelSource]) -> None:
    with pytest.raises(WeightsMissing) as caught:
        require_weights(sources["pickled"])
    assert "pytorch_model.bin" in str(caught.value.fact)
    assert "save_pretrained" in str(caught.value.way_out)


def test_missing_shards_are_named(sources: dict[str, ModelSource]) -> None:
    with pytest.raises(WeightsMissing, match=r"model-1\.safetensors"):
        require_weights(sources["cut"])


def test_a_built_in_names_where_its_weights_are(sources: dict[str, ModelSource]) -> None:
    with pytest.raises(WeightsMissing, match=r"google/bert_uncased_L-2_H-128_A-2"):
        require_weights(sources["built-in"])


def test_a_built_in_takes_weights_that_the_cache_holds(tmp_path: Path) -> None:
    snapshot = cached(tmp_path / "hub", "openai-community/gpt2", "model.safetensors")
    source = resolve("gpt2", {"HF_HUB_CACHE": str(tmp_path / "hub")})
    assert choose_weights(source, "auto") is Weights.PRETRAINED
    folder_of_weights = weights_folder(source)
    assert folder_of_weights is not None
    assert folder_of_weights.path == snapshot
