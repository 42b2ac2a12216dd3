"""An encoder that CTranslate2 has converted."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import ctranslate2
import numpy

from cyclescope.backends.ctranslate2.standalone.rows import rows_of


class CTranslate2Encoder:
    """Called with arrays by name; gives arrays by name. `config` is that of the model it was made from."""

    def __init__(self, path: str, config: Any, threads: int, compute_type: str) -> None:
        self.config = config
        self._encoder = ctranslate2.Encoder(
            path, device="cpu", compute_type=compute_type, inter_threads=1, intra_threads=threads
        )

    def __call__(self, **inputs: Any) -> SimpleNamespace:
        ids, mask, kinds = (
            None if inputs.get(name) is None else numpy.asarray(inputs[name])
            for name in ("input_ids", "attention_mask", "token_type_ids")
        )
        if mask is not None and mask.all():
            mask = None  # nothing is padding
        # All zeros is its default.
        more = {"token_type_ids": rows_of(kinds, mask)} if kinds is not None and kinds.any() else {}
        given = self._encoder.forward_batch(rows_of(ids, mask), **more)
        results = {"last_hidden_state": _placed(numpy.asarray(given.last_hidden_state), mask)}
        if given.pooler_output is not None:
            results["pooler_output"] = numpy.asarray(given.pooler_output)
        return SimpleNamespace(**results)


def _placed(rows: Any, mask: Any) -> Any:
    """`rows` [texts, longest, width], one a token from the left, each where its token stands in `mask` [texts, tokens]."""
    if mask is None:
        return rows
    lengths = mask.astype(bool).sum(axis=1)
    there = numpy.arange(mask.shape[1]) < lengths[:, None]
    if rows.shape[1] == mask.shape[1] and (there == (mask > 0)).all():
        return rows
    placed = numpy.zeros((*mask.shape, rows.shape[2]), rows.dtype)
    placed[mask > 0] = rows[there[:, : rows.shape[1]]]
    return placed
