"""A home of its own for every test that keeps something."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where calibrations are kept in this test."""
    monkeypatch.setenv("CYCLESCOPE_HOME", str(tmp_path))
    return tmp_path / "calibrations"
