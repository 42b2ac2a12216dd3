"""Texts to what a model writes on each of them, a few texts at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

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
    **settings: Any,
) -> list[Any]:
    """The token ids that `model` writes on each text, in the order of `texts`: `new_tokens` of them, or fewer where it
    ends its text and `exactly` does not forbid it. `settings` are further ones of `generate`.
    """
    behind = bool(model.config.is_encoder_decoder)  # a decoder behind an encoder does not repeat what was read
    settings |= {"max_new_tokens": new_tokens, "do_sample": False, "num_beams": 1}
    if exactly:
        settings["min_new_tokens"] = new_tokens

    def run(inputs: Any) -> Any:
        given = model.generate(**inputs, **settings)
        return given[:, 1 if behind else inputs["input_ids"].shape[1] :]

    return for_each(tokenizer, texts, run, size, by_length=by_length, beside=beside, longest=longest)
