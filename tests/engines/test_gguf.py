"""Without the packages that convert a GGUF file, it is told which are missing."""

from __future__ import annotations

from pathlib import Path

import pytest

from cyclescope.backends.torch.loading import gguf
from cyclescope.core.errors import MissingExtra
from cyclescope.models.reference import ConfigFile, GgufFile


def test_what_reads_a_gguf_file_is_named_where_it_is_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(gguf, "find_spec", lambda name: None if name == "accelerate" else object())
    with pytest.raises(MissingExtra, match="needs the packages gguf and accelerate") as caught:
        gguf.gguf_options(GgufFile(tmp_path / "model.gguf"))
    assert caught.value.way_out == "pip install gguf accelerate"
    monkeypatch.setattr(gguf, "find_spec", lambda name: object())
    assert gguf.gguf_options(GgufFile(tmp_path / "model.gguf")) == {"gguf_file": "model.gguf"}
    assert gguf.gguf_options(ConfigFile(tmp_path / "config.json", {})) == {}
