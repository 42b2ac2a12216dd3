"""What is kept for a user (calibrations) lies elsewhere while tests run: neither do they see it, nor does it see them."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator

import pytest


@pytest.fixture(scope="session", autouse=True)
def _home_of_its_own() -> Iterator[None]:
    before = os.environ.get("CYCLESCOPE_HOME")
    with tempfile.TemporaryDirectory(prefix="cyclescope-tests-") as home:
        os.environ["CYCLESCOPE_HOME"] = home  # subprocesses take it over
        yield
    if before is None:
        del os.environ["CYCLESCOPE_HOME"]
    else:
        os.environ["CYCLESCOPE_HOME"] = before
