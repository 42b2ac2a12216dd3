"""What comes out of a cycle, as numbers that can be compared."""

from __future__ import annotations

from dataclasses import dataclass

from cyclescope.core.units import AnyArray, IntArray


@dataclass(frozen=True, eq=False)
class Results:
    """What one cycle gave; None where the model has no such thing. Floating point is float32, whatever it ran in.

    `hidden` [texts, tokens, width] is the last hidden state and `mask` [texts, tokens] tells tokens (1) from padding
    (0); `pooled` [texts, width]; `logits` [texts, classes] or [texts, tokens, vocabulary]; `tokens` [texts, written]
    the token ids of what was written. `classes` are the names of the classes of a classifier, in order.
    """

    mask: IntArray
    hidden: AnyArray | None = None
    pooled: AnyArray | None = None
    logits: AnyArray | None = None
    tokens: IntArray | None = None
    classes: tuple[str, ...] = ()
