"""Tests run alike wherever they run: in English, with a home of their own for calibrations, and Ctrl-C is heard."""

from __future__ import annotations

import gc
import os
import signal
import tempfile
from collections.abc import Iterator

import pytest
from hypothesis import settings

# How long an example takes says something about the machine and nothing about what is tested.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")
os.environ["CYCLESCOPE_LANG"] = "en"  # for subprocesses too, whatever language the developer's shell speaks


def pytest_collection_finish() -> None:
    """What was imported by now stays to the end: the collector need not go through it again and again."""
    gc.collect()
    gc.set_threshold(50_000, 20, 50)


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


@pytest.fixture(scope="session", autouse=True)
def _hears_ctrl_c() -> None:
    """A shell lets what it starts in the background ignore it, and all children would."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
