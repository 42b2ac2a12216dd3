"""Texts to what a model of an engine writes on each of them, a few texts at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy
import transformers

from cyclescope.backends.standalone.reading import for_each


def write(
    tokenizer: Any,
    model: Any,
    texts: Sequence[str],
    new_tokens: int,
    *,
    exactly: bool = False,
    size: int = 0,
    by_length: bool = False,
    beside: bool = False,
    longest: int | None = None,
) -> list[Any]:
    """The token ids that `model` writes on each text, in the order of `texts`: `new_tokens` of them, or fewer where it
    ends its text and `exactly` does not forbid it.
    """

    def run(inputs: Any) -> Any:
        return model.write(inputs["input_ids"], inputs.get("attention_mask"), new_tokens, exactly=exactly)

    given = for_each(tokenizer, texts, run, size, by_length=by_length, beside=beside, longest=longest, kind="np")
    return [numpy.asarray(tokens, dtype=numpy.int64) for tokens in given]


def generation_of(reference: str, config: Any) -> Any:
    """What the model at `reference` (empty: there is none) says about writing, or what follows from its configuration."""
    if reference:
        try:
            return transformers.GenerationConfig.from_pretrained(reference)
        except OSError:
            pass
    return transformers.GenerationConfig.from_model_config(config)
