"""Texts to what a model writes on each of them, a few texts at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cyclescope.backends.torch.standalone.reading import calls_for, encoded, fed


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
    calls = calls_for(tokenizer, texts, size, by_length=by_length)
    settings |= {"max_new_tokens": new_tokens, "do_sample": False, "num_beams": 1}
    if exactly:
        settings["min_new_tokens"] = new_tokens

    def encode(some: Sequence[int]) -> Any:
        return encoded(tokenizer, [texts[k] for k in some], longest)

    found: dict[int, Any] = {}
    for some, inputs in zip(calls, fed(calls, encode, beside=beside), strict=True):
        given = model.generate(**inputs, **settings)
        begin = 1 if behind else inputs["input_ids"].shape[1]
        found |= dict(zip(some, given[:, begin:], strict=True))
    return [found[k] for k in range(len(texts))]
