"""The way back from numbers to something that a person reads, one for each head."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from cyclescope.backends.torch.loading.heads import EXTRACT, WRITE


class _LabelReader:
    """The way back of a classifier: the label of the highest score of each text."""

    def __init__(self, labels: dict[int, str]) -> None:
        self._labels = labels

    def __call__(self, result: Any) -> str:
        return ", ".join(self._labels.get(i, str(i)) for i in result.logits.argmax(-1).tolist())


class _TokenReader:
    """The way back of a masked language model: the likeliest token at each place, decoded to text."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer

    def __call__(self, result: Any) -> str:
        return " | ".join(self._tokenizer.batch_decode(result.logits.argmax(-1), skip_special_tokens=True))


class _Detokenizer:
    """The way back of a model that writes: the token ids that it returns, decoded to text."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer

    def __call__(self, result: Any) -> str:
        return " | ".join(self._tokenizer.batch_decode(result, skip_special_tokens=True))


class _AnswerReader:
    """The way back of a model that marks an answer: the tokens from the likeliest start to the likeliest end after it.

    `ids` [batch, tokens] are what the model reads, the same in every cycle.
    """

    def __init__(self, tokenizer: Any, ids: torch.Tensor) -> None:
        self._tokenizer = tokenizer
        self._ids = ids.tolist()

    def __call__(self, result: Any) -> str:
        starts = result.start_logits.argmax(-1).tolist()
        spans = []
        for ids, start, ends in zip(self._ids, starts, result.end_logits, strict=True):
            end = start + int(ends[start:].argmax())
            spans.append(ids[start : end + 1])
        return " | ".join(self._tokenizer.batch_decode(spans, skip_special_tokens=True))


def reader(head: str, config: Any, tokenizer: Any, inputs: dict[str, Any]) -> Callable[[Any], str] | None:
    """What reads out the result of a model with `head`; None where the result is the vector itself or cannot be read out."""
    if head == "classify":
        return _LabelReader(dict(getattr(config, "id2label", None) or {}))
    if tokenizer is None:
        return None
    if head == "fill":
        return _TokenReader(tokenizer)
    if head == WRITE:
        return _Detokenizer(tokenizer)
    if head == EXTRACT and "input_ids" in inputs:
        return _AnswerReader(tokenizer, inputs["input_ids"])
    return None
