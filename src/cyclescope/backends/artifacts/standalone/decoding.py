"""Writes with an engine that is called step by step, as the settings of a model say where a text ends."""

from __future__ import annotations

from typing import Any

import numpy

from cyclescope.backends.artifacts.standalone.generating import Generation, Stepper


class Decoder:
    """`config` is the model's own; `generation` tells the tokens that end a text. `looked_up` tokens are guessed at a time."""

    def __init__(self, stepper: Stepper, config: Any, generation: Any, looked_up: int = 0) -> None:
        self.config = config
        self._stepper = stepper
        self._looked_up = looked_up
        self._ends = ends_in(generation)

    def write(self, ids: Any, mask: Any, new_tokens: int, *, exactly: bool = False) -> list[Any]:
        """The token ids of each row behind its prompt in `ids` [rows, tokens], padded on the left where `mask` is 0:
        `new_tokens` of them, or those up to an end of the text where `exactly` does not forbid one.
        """
        mask = numpy.ones_like(ids) if mask is None else mask
        if exactly:
            return list(Generation(self._stepper, self._looked_up, self._ends).write(ids, mask, new_tokens))
        rows = Generation(self._stepper, self._looked_up).write(ids, mask, new_tokens, self._ends)
        ends = [numpy.flatnonzero(numpy.isin(row, self._ends)) for row in rows]
        return [row[: end[0] + 1] if len(end) else row for row, end in zip(rows, ends, strict=True)]


def ends_in(generation: Any) -> tuple[int, ...]:
    """The tokens that end a text, as the settings `generation` of a model have them."""
    ends = generation.eos_token_id
    return () if ends is None else tuple(ends) if isinstance(ends, (list, tuple)) else (int(ends),)
