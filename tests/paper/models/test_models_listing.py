"""The rows of `cyclescope models`."""

from __future__ import annotations

from pathlib import Path

import pytest
from model_folders import cached

from cyclescope.models import packaged
from cyclescope.models.catalog import architectures
from cyclescope.models.listing import model_rows


def test_every_built_in_has_a_row(tmp_path: Path) -> None:
    cached(tmp_path, "openai-community/gpt2", "model.safetensors")
    cached(tmp_path, "google-t5/t5-small")
    rows = {row.name: row for row in model_rows({"HF_HUB_CACHE": str(tmp_path)})}
    assert {a.name for a in architectures()} <= set(rows)
    assert [name for name, row in rows.items() if row.weights and name != "minilm"] == ["gpt2"]
    gpt2 = rows["gpt2"]
    assert (gpt2.parameters, gpt2.layers, gpt2.hidden, gpt2.vocabulary) == (124_439_808, 12, 768, 50257)


def test_a_broken_cache_does_not_break_the_list(tmp_path: Path) -> None:
    snapshot = cached(tmp_path, "openai-community/gpt2", "model.safetensors")
    (snapshot / "config.json").write_bytes(b"cut")
    rows = {row.name: row for row in model_rows({"HF_HUB_CACHE": str(tmp_path)})}
    assert not rows["gpt2"].weights


def test_minilm_is_listed_only_where_it_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packaged, "_PACKAGE", "a_package_that_nobody_has")
    assert "minilm" not in {row.name for row in model_rows({"HF_HUB_CACHE": "/nonexistent"})}
