"""What a model gave for a text, in a line for a reader. One function a task."""

from __future__ import annotations

from typing import Any

import numpy


def vector_line(tokenizer: Any, config: Any, rows: Any) -> str:
    """The mean of the vectors of a text's tokens [tokens, width], by its first numbers."""
    mean = rows.mean(axis=0)
    return f"{len(rows)} tokens x {rows.shape[-1]}, mean {' '.join(f'{x:.4f}' for x in mean[:6].tolist())} ..."


def label_line(tokenizer: Any, config: Any, logits: Any) -> str:
    """The likeliest class [classes] and how likely it is."""
    best = int(logits.argmax())
    share = 1 / float(numpy.exp(logits - logits[best]).sum())
    return f"{config.id2label.get(best, best)} {share:.4f}"


def filled_line(tokenizer: Any, config: Any, logits: Any) -> str:
    """The likeliest token at each place [tokens, vocabulary]."""
    return str(tokenizer.decode(logits.argmax(axis=-1).tolist()))


def text_line(tokenizer: Any, config: Any, tokens: Any) -> str:
    """The text of what was written [tokens]."""
    return str(tokenizer.decode(tokens.tolist(), skip_special_tokens=True))
