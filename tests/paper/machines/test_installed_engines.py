"""Which engines there are on a machine, and of which version: that of the engine's own package and of no other."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from cyclescope.backends.engines import ENGINES, installed_engines


def test_what_engines_share_is_the_version_of_none(monkeypatch: pytest.MonkeyPatch) -> None:
    there = {"torch": "2.9", "onnx": "1.23", "onnxscript": "0.7", "onnxruntime": "1.32"}

    def versions(names: Iterable[str]) -> tuple[tuple[str, str], ...]:
        return tuple((name, there[name]) for name in names if name in there)

    monkeypatch.setattr("cyclescope.machines.host.package_versions", versions)
    assert dict(installed_engines()) == {"torch": "2.9", "onnxruntime": "1.32"}
    there["openvino"] = "2026.4"
    assert dict(installed_engines())["openvino"] == "2026.4"
    there.clear()
    assert installed_engines() == ()
    assert all(engine.packages for engine in ENGINES)
