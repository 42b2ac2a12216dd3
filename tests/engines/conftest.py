"""One thread: the models here are tiny, and idle threads that wait for each other cost more than they bring."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
import torch
from kept_exports import FOLDER, keep_exports, shared_folder


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session", autouse=True)
def _exports_are_kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    before = torch.onnx.export
    os.environ[FOLDER] = shared_folder(tmp_path_factory.getbasetemp())
    keep_exports(os.environ[FOLDER])
    yield
    torch.onnx.export = before
    del os.environ[FOLDER]
