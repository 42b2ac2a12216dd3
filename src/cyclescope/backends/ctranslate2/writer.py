"""A model that writes, as CTranslate2 has loaded it: the engine is called once for a generation, and tells of every token."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from time import perf_counter_ns

import numpy as np

from cyclescope.backends.artifacts.program import Arrays
from cyclescope.backends.ctranslate2.program import files_of
from cyclescope.backends.ctranslate2.standalone.ctranslate2_writer import CTranslate2Writer
from cyclescope.core.units import IntArray, Nanoseconds


class CTranslate2EngineWriter:
    """Implements `artifacts.writer.EngineWriter` for the converted `folder`, on what a recipe's code uses.

    Its reported calls are the parts of the one call: up to the first token, then from token to token.
    """

    engine = "ctranslate2"
    how = "the engine's own callback for each token"

    def __init__(self, folder: Path, writer: CTranslate2Writer) -> None:
        self.files = files_of(folder)
        self.calls_ns: Sequence[tuple[Nanoseconds, Nanoseconds]] = ()
        self._writer: CTranslate2Writer | None = writer

    @property
    def emitted_ns(self) -> Sequence[Nanoseconds]:
        return self._writer.emitted_ns if self._writer is not None else ()

    def write(self, arrays: Arrays, new_tokens: int) -> IntArray:
        assert self._writer is not None
        begin = perf_counter_ns()
        tokens = self._writer.write(arrays["input_ids"], arrays.get("attention_mask"), new_tokens, exactly=True)
        self.calls_ns = tuple(pairwise((begin, *self._writer.emitted_ns[:-1], perf_counter_ns())))
        return np.asarray(tokens, dtype=np.int64)

    def close(self) -> None:
        self._writer = None
