"""What comes out of a cycle, as numbers that can be compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cyclescope.core.units import AnyArray, IntArray


@dataclass(frozen=True, eq=False)
class Results:
    """What one cycle gave; None where the model has no such thing. Floating point is float32, whatever it ran in.

    `hidden` [texts, tokens, width] is the last hidden state and `mask` [texts, tokens] tells tokens (1) from padding
    (0); `pooled` [texts, width]; `logits` [texts, classes] or [texts, tokens, vocabulary]; `tokens` [texts, written]
    the token ids of what was written, and `read` [texts, tokens] those of what it was written on. `classes` are the names of
    the classes of a classifier, in order.
    """

    mask: IntArray
    hidden: AnyArray | None = None
    pooled: AnyArray | None = None
    logits: AnyArray | None = None
    tokens: IntArray | None = None
    read: IntArray | None = None
    classes: tuple[str, ...] = ()


def joined(parts: Sequence[Results], order: Sequence[int] | None = None) -> Results:
    """The results of several calls as those of one: rows one below the other, shorter ones filled up with padding.

    `order` [texts] says which text each row belongs to; as they come unless given.
    """

    def stacked(name: str) -> AnyArray | None:
        values = [getattr(part, name) for part in parts]
        if any(value is None for value in values):
            return None
        if name != "pooled" and values[0].ndim > 1:
            values = [_filled(value, max(other.shape[1] for other in values)) for value in values]
        rows: AnyArray = np.concatenate(values)
        if order is not None:
            rows = rows[np.argsort(np.asarray(order), kind="stable")]
        return rows

    mask = stacked("mask")
    assert mask is not None
    hidden, pooled, logits, tokens, read = map(stacked, ("hidden", "pooled", "logits", "tokens", "read"))
    return Results(mask, hidden, pooled, logits, tokens, read, parts[0].classes)


LEAST_TO_HOLD_OUT = 8  # texts, of which two are held out and six remain


def can_hold_out(texts: int) -> bool:
    """Whether of so many texts some can be held out and enough be left."""
    return texts >= LEAST_TO_HOLD_OUT


def held_out(texts: int) -> tuple[int, ...]:
    """Numbers of the texts, of so many, that nothing may learn from: every fourth. On them is judged what has learned."""
    return tuple(range(3, texts, 4))


def only(results: Results, texts: Sequence[int]) -> Results:
    """The results of some texts, in their order."""
    rows = list(texts)

    def some(value: AnyArray | None) -> AnyArray | None:
        return None if value is None else value[rows]

    mask = np.asarray(results.mask)[rows]
    pooled, logits = some(results.pooled), some(results.logits)
    tokens, read = some(results.tokens), some(results.read)
    return Results(mask, some(results.hidden), pooled, logits, tokens, read, results.classes)


def _filled(value: AnyArray, length: int) -> AnyArray:
    widths = [(0, 0), (0, length - value.shape[1]), *[(0, 0)] * (value.ndim - 2)]
    filled: AnyArray = np.pad(value, widths)
    return filled
