"""Whether a package is there, found out without importing it: importing OpenVINO alone would send a usage event."""

from __future__ import annotations

from importlib.util import find_spec

import pytest


def needs(*packages: str) -> pytest.MarkDecorator:
    """A mark that skips where one of `packages` is not installed."""
    missing = [name for name in packages if find_spec(name) is None]
    return pytest.mark.skipif(bool(missing), reason=f"not installed: {', '.join(missing)}")


def skip_without(package: str) -> None:
    """Skip the test that runs where `package` is not installed."""
    if find_spec(package) is None:
        pytest.skip(f"not installed: {package}")
