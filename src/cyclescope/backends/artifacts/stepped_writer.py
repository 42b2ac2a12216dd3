"""Text written by an engine that is called step by step: the loop is `standalone/generating.py`, the engine its stepper."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from cyclescope.backends.artifacts.program import Arrays
from cyclescope.backends.artifacts.standalone.generating import Generation, Stepper
from cyclescope.core.plan import LOOKED_UP_TOKENS, Plan
from cyclescope.core.units import IntArray, Nanoseconds


class SteppedWriter:
    """Implements `artifacts.writer.EngineWriter` on `stepper`, which an engine has made of `files`.

    `never` are tokens that are not written, since they would end the text. Tokens are guessed where the plan wants that.
    """

    how = "stamps around calls"

    def __init__(
        self, engine: str, stepper: Stepper, files: Sequence[Path], plan: Plan, never: tuple[int, ...] = ()
    ) -> None:
        self.engine = engine
        self.files = tuple(files)
        looked_up = LOOKED_UP_TOKENS if plan.drafting == "prompt-lookup" else 0
        self._generation: Generation | None = Generation(stepper, looked_up, never)

    @property
    def calls_ns(self) -> Sequence[tuple[Nanoseconds, Nanoseconds]]:
        assert self._generation is not None
        return self._generation.calls_ns

    @property
    def emitted_ns(self) -> Sequence[Nanoseconds]:
        assert self._generation is not None
        return self._generation.emitted_ns

    def write(self, arrays: Arrays, new_tokens: int) -> IntArray:
        assert self._generation is not None
        ids = arrays["input_ids"]
        mask = arrays.get("attention_mask")
        written: IntArray = self._generation.write(ids, np.ones_like(ids) if mask is None else mask, new_tokens)
        return written

    def close(self) -> None:
        """Let go of the engine and of what it holds."""
        self._generation = None
