"""GGUF files, which transformers reads by undoing the quantization of their weights: what runs are float weights."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np

from cyclescope.core.errors import MissingExtra
from cyclescope.core.message import m
from cyclescope.models.reference import GgufFile, ModelSource

_NEEDED = ("gguf", "accelerate")  # transformers, integrations/ggml.py and modeling_utils.py


def gguf_options(source: ModelSource) -> dict[str, Any]:
    """What `from_pretrained` is told beside the folder of a GGUF file; nothing for other sources. Raises `MissingExtra`."""
    if not isinstance(source, GgufFile):
        return {}
    if any(find_spec(name) is None for name in _NEEDED):
        raise MissingExtra(
            m("Reading {path} needs the packages gguf and accelerate.", path=str(source.path)),
            m("transformers converts the weights of a GGUF file with them."),
            "pip install gguf accelerate",
        )
    return {"gguf_file": source.path.name}


@contextmanager
def parsed_once(source: ModelSource) -> Iterator[None]:
    """While open, a GGUF file is parsed once, for configuration, tokenizer and weights.

    transformers parses it for each of them, and shows a bar that its own switch for bars does not reach: here it does.
    Of a vocabulary of 262,144 tokens the reader makes a million small arrays: over a
    plain array, and not one that knows of its file, that takes a third of the time.
    """
    if not isinstance(source, GgufFile) or any(find_spec(name) is None for name in _NEEDED):
        yield
        return
    gguf: Any = import_module("gguf")
    usual = gguf.GGUFReader
    readers: dict[str, Any] = {}

    class Plain(usual):  # type: ignore[misc, valid-type]
        def __setattr__(self, name: str, value: Any) -> None:
            object.__setattr__(self, name, np.asarray(value) if name == "data" else value)

    def read(path: Any, *more: Any) -> Any:
        if str(path) not in readers:
            readers[str(path)] = Plain(path, *more)
        return readers[str(path)]

    reading: Any = import_module("transformers.modeling_gguf_pytorch_utils")
    bar = getattr(reading, "tqdm", None)
    gguf.GGUFReader, reading.tqdm = read, import_module("transformers.utils.logging").tqdm
    try:
        yield
    finally:
        gguf.GGUFReader, reading.tqdm = usual, bar


def forget_gguf(model: Any) -> None:
    """Take off what says that `model` is quantized: its weights no longer are, and copies of it are made as of any other."""
    vars(model.config).pop("quantization_config", None)
    for name in ("hf_quantizer", "quantization_method", "is_quantized"):
        vars(model).pop(name, None)
