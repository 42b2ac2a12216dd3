"""Weights that are stored in another way than the model is run in: quantized, under other names, as an adapter."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cyclescope.core.errors import MissingExtra, ModelError, WeightsMissing
from cyclescope.core.workload import Weights
from cyclescope.models import quantized
from cyclescope.models.folder import read_folder
from cyclescope.models.quantized import StoredQuantization, quantization_of, require_reader
from cyclescope.models.weights import choose_weights, refuse_unread, unread_weights


def folder_with(path: Path, *files: str) -> Any:
    (path / "config.json").write_text(json.dumps({"model_type": "bert"}))
    for name in files:
        (path / name).write_bytes(b"weights")
    return read_folder(path)


@pytest.mark.parametrize(
    ("files", "why"),
    [
        (("model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"), "index.json is missing"),
        (("model.fp16.safetensors",), "must be model.safetensors"),
        (("llama-q4.gguf",), "by its own path"),
        (("weights.pt",), "Only safetensors"),
    ],
)
def test_weights_under_another_name_are_told_and_not_taken(tmp_path: Path, files: tuple[str, ...], why: str) -> None:
    folder = folder_with(tmp_path, *files)
    assert choose_weights(folder, "auto") is Weights.RANDOM
    assert files[0] in str(unread_weights(folder))
    assert why in str(unread_weights(folder))
    assert not files[0].endswith(".gguf") or f"Name the file: {tmp_path / files[0]}." in str(unread_weights(folder))
    for refused in (lambda: refuse_unread(folder), lambda: choose_weights(folder, "pretrained")):
        with pytest.raises(WeightsMissing) as error:
            refused()
        assert files[0] in str(error.value.cause)


@pytest.mark.parametrize(
    "files", [(), ("model.safetensors", "model.fp16.safetensors"), ("training_args.bin", "optimizer.pt", "vocab.txt")]
)
def test_other_files_are_no_weights_that_were_left(tmp_path: Path, files: tuple[str, ...]) -> None:
    folder = folder_with(tmp_path, *files)
    assert unread_weights(folder) == ""
    refuse_unread(folder)


def test_a_folder_with_nothing_but_a_gguf_file_points_to_the_file(tmp_path: Path) -> None:
    (tmp_path / "llama-q4.gguf").touch()
    with pytest.raises(ModelError) as error:
        read_folder(tmp_path)
    assert str(error.value.way_out) == f"Name the file: {tmp_path / 'llama-q4.gguf'}."


def test_an_adapter_is_called_one_with_the_model_that_it_is_for(tmp_path: Path) -> None:
    (tmp_path / "adapter_config.json").write_text(json.dumps({"base_model_name_or_path": "org/base"}))
    with pytest.raises(ModelError) as error:
        read_folder(tmp_path)
    assert "adapter for org/base" in str(error.value.cause)
    assert "merge_and_unload" in str(error.value.way_out)
    (tmp_path / "adapter_config.json").write_text("[]")
    with pytest.raises(ModelError, match="adapter for another model"):
        read_folder(tmp_path)


@pytest.mark.parametrize(
    ("said", "stored"),
    [
        ({"quant_method": "bitsandbytes", "load_in_4bit": True}, StoredQuantization("bitsandbytes", 4)),
        ({"load_in_8bit": True}, StoredQuantization("bitsandbytes", 8)),
        ({"quant_method": "gptq", "bits": 3}, StoredQuantization("gptq", 3)),
        ({"quant_method": "fp8"}, StoredQuantization("fp8", 8)),
        ({"quant_method": "novel"}, StoredQuantization("novel", 0)),
        ({}, None),
        (None, None),
        ("gptq", None),
    ],
)
def test_how_weights_are_stored_is_read_from_the_configuration(said: object, stored: StoredQuantization | None) -> None:
    assert quantization_of({"quantization_config": said}) == stored


def test_a_package_that_reads_them_is_asked_for_with_its_install_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quantized, "find_spec", lambda name: None if name == "gptqmodel" else object())
    with pytest.raises(MissingExtra) as error:
        require_reader(StoredQuantization("gptq", 4), "m")
    assert "gptq, 4 bits" in str(error.value.fact)
    assert "pip install gptqmodel." in str(error.value.way_out)
    require_reader(StoredQuantization("fp8", 8), "m")
    require_reader(StoredQuantization("novel", 0), "m")
