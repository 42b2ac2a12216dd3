"""What guessing from the text itself would have brought, by the text that the unmodified model has generated."""

from __future__ import annotations

import numpy as np

from cyclescope.backends.artifacts.standalone.generating import seen_before
from cyclescope.core.plan import LOOKED_UP_TOKENS
from cyclescope.core.results import Results
from cyclescope.core.units import IntArray


def tokens_a_call(results: Results) -> float:
    """How many tokens each call would have written, had they been looked up in the text and what was written so far, on
    average over texts; 1 where nothing was written.
    """
    if results.tokens is None or not results.tokens.size:
        return 1.0
    texts, written = results.tokens.shape
    calls = 0
    for text in range(texts):
        read = results.tokens[text, :0]
        if results.read is not None and results.read.shape == results.mask.shape:
            read = results.read[text, results.mask[text] > 0]
        calls += _calls(read, results.tokens[text])
    return float(texts * written / calls)


def _calls(read: IntArray, written: IntArray) -> int:
    """Calls until `written` stands behind `read`: each checks what was looked up, and adds a token of its own."""
    done, calls = 1, 1
    while done < len(written):
        most = min(LOOKED_UP_TOKENS, len(written) - done - 1)
        guess = seen_before(np.concatenate([read, written[:done]]), most)[:most]
        right = int(np.cumprod(guess == written[done : done + len(guess)]).sum())
        done += right + 1
        calls += 1
    return calls
