"""A decoder of transformers that is called step by step, and a writer made of it: what engines are held against."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import transformers

from cyclescope.backends.artifacts.program import Arrays
from cyclescope.backends.artifacts.standalone.generating import Generation
from cyclescope.core.units import IntArray


class TorchStepper:
    """Implements `artifacts.standalone.generating.Stepper` with transformers' own cache. `forgotten` are the tokens dropped."""

    def __init__(self, model: Any) -> None:
        self._model = model
        self.forgotten: list[int] = []

    def start(self, rows: int) -> None:
        self._cache = transformers.DynamicCache(config=self._model.config)
        self.forgotten = []

    def __call__(self, ids: Any, mask: Any, positions: Any, last: int) -> Any:
        with torch.inference_mode():
            given = self._model(
                torch.as_tensor(ids),
                attention_mask=torch.as_tensor(mask),
                position_ids=torch.as_tensor(positions),
                past_key_values=self._cache,
                logits_to_keep=last,
            )
        return given.logits.numpy()

    def forget(self, tokens: int) -> None:
        self.forgotten.append(tokens)
        self._cache.crop(-tokens)


class TorchWriter:
    """Implements `artifacts.writer.EngineWriter` on a `TorchStepper`."""

    engine = "paper"
    how = "stamps around calls"
    files = ()

    def __init__(self, model: Any, looked_up: int = 0, never: Sequence[int] = ()) -> None:
        self._generation = Generation(TorchStepper(model), looked_up, tuple(never))

    @property
    def calls_ns(self) -> list[tuple[int, int]]:
        return self._generation.calls_ns

    @property
    def emitted_ns(self) -> list[int]:
        return self._generation.emitted_ns

    def write(self, arrays: Arrays, new_tokens: int) -> IntArray:
        written: IntArray = self._generation.write(arrays["input_ids"], arrays["attention_mask"], new_tokens)
        return written

    def close(self) -> None: ...
