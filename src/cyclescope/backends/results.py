"""What a model gave back, as numbers for comparing."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from cyclescope.core.results import Results
from cyclescope.core.units import AnyArray, IntArray

_LOGITS = ("logits", "start_logits")  # where a head gives several, the first speaks for all
OUTPUTS = ("last_hidden_state", "pooler_output", *_LOGITS)


def results_of(given: Mapping[str, AnyArray], inputs: Mapping[str, AnyArray], classes: tuple[str, ...] = ()) -> Results:
    """What a model gave for `inputs`, of which the `OUTPUTS` count."""
    mask = _mask(inputs)
    numbers = {name: np.asarray(given[name], dtype=np.float32) for name in OUTPUTS if name in given}
    hidden = numbers.get("last_hidden_state")
    if hidden is not None and hidden.shape[:2] != mask.shape:
        mask = np.ones(hidden.shape[:2], dtype=np.int64)  # a decoder's, which read other tokens than the mask is of
    return Results(
        mask,
        hidden=hidden,
        pooled=numbers.get("pooler_output"),
        logits=next((numbers[name] for name in _LOGITS if name in numbers), None),
        classes=classes,
    )


def generated_results(tokens: AnyArray, inputs: Mapping[str, AnyArray]) -> Results:
    """The token ids [texts, new tokens] that were generated for `inputs`."""
    read = inputs.get("input_ids")
    return Results(_mask(inputs), tokens=_integers(tokens), read=_integers(read) if read is not None else None)


def _mask(inputs: Mapping[str, AnyArray]) -> IntArray:
    mask = inputs.get("attention_mask")
    if mask is not None and mask.ndim == 2:
        return _integers(mask)
    first = next(iter(inputs.values()))
    return np.ones(first.shape[:2] if first.ndim >= 2 else (1, 1), dtype=np.int64)


def _integers(value: AnyArray) -> IntArray:
    integers: IntArray = np.asarray(value, dtype=np.int64)
    return integers
