"""A padded batch as CTranslate2 takes it: a list of numbers a text, without the padding."""

from __future__ import annotations

from typing import Any


def rows_of(numbers: Any, mask: Any) -> list[list[int]]:
    """The `numbers` [texts, tokens] of each text where `mask` (the same shape; None: everywhere) is not 0."""
    if mask is None or mask.all():
        return list(numbers.tolist())
    return [row[here > 0].tolist() for row, here in zip(numbers, mask, strict=True)]
