"""A model in one GGUF file is known by its content, and has weights."""

from __future__ import annotations

from pathlib import Path

import pytest

from cyclescope.core.errors import ModelError
from cyclescope.core.workload import Weights
from cyclescope.models.reference import GgufFile, resolve
from cyclescope.models.weights import choose_weights, require_weights, weights_folder


@pytest.mark.parametrize("name", ["model.gguf", "model-q4_k_m.bin"])
def test_a_gguf_file_is_a_model_whatever_it_is_called(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(b"GGUF\x03\x00\x00\x00")
    source = resolve(str(path))
    assert source == GgufFile(path)
    assert not source.needs_remote_code
    assert choose_weights(source, "auto") is choose_weights(source, "pretrained") is Weights.PRETRAINED
    assert choose_weights(source, "random") is Weights.RANDOM
    assert weights_folder(source) is None
    require_weights(source)


def test_a_file_that_only_says_so_in_its_name_is_none(tmp_path: Path) -> None:
    (tmp_path / "model.gguf").write_bytes(b"something else")
    with pytest.raises(ModelError, match="must be a model"):
        resolve(str(tmp_path / "model.gguf"))
