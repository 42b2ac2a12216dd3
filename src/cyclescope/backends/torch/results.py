"""What a model gave back, as numbers for comparing."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from cyclescope.backends.torch.steps import Inputs
from cyclescope.core.results import Results
from cyclescope.core.units import AnyArray, IntArray

_LOGITS = ("logits", "start_logits")  # where a head gives several, the first speaks for all


def results_of(given: Any, inputs: Inputs, written: int, classes: tuple[str, ...] = ()) -> Results:
    """`given` by the model for `inputs`; of one that writes, the last `written` token ids of each text."""
    mask = _mask(inputs)
    if written:
        read = inputs.get("input_ids")
        read = _integers(read) if isinstance(read, torch.Tensor) else None
        return Results(mask, tokens=_integers(given[:, -written:]), read=read)
    hidden = _numbers(getattr(given, "last_hidden_state", None))
    if hidden is not None and hidden.shape[:2] != mask.shape:
        mask = np.ones(hidden.shape[:2], dtype=np.int64)  # a decoder's, which read other tokens than the mask is of
    return Results(
        mask,
        hidden=hidden,
        pooled=_numbers(getattr(given, "pooler_output", None)),
        logits=next((found for name in _LOGITS if (found := _numbers(getattr(given, name, None))) is not None), None),
        classes=classes,
    )


def classes_of(config: Any) -> tuple[str, ...]:
    """Names of the classes of a classifier, in the order of its logits."""
    names = dict(getattr(config, "id2label", None) or {})
    return tuple(str(names.get(k, k)) for k in range(len(names)))


def _mask(inputs: Inputs) -> IntArray:
    mask = inputs.get("attention_mask")
    if isinstance(mask, torch.Tensor) and mask.dim() == 2:
        return _integers(mask)
    first = next(v for v in inputs.values() if isinstance(v, torch.Tensor))
    shape = tuple(first.shape[:2]) if first.dim() >= 2 else (1, 1)
    return np.ones(shape, dtype=np.int64)


def _numbers(value: Any) -> AnyArray | None:
    if not isinstance(value, torch.Tensor):
        return None
    numbers: AnyArray = value.detach().to("cpu", torch.float32).numpy()
    return numbers


def _integers(value: torch.Tensor) -> IntArray:
    integers: IntArray = value.detach().to("cpu", torch.int64).numpy()
    return integers
