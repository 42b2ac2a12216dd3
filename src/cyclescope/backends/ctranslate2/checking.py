"""Whether a converted model gives what the model itself gives: vectors, or how likely it finds tokens."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ctranslate2
import numpy as np
import torch

from cyclescope.backends.artifacts.program import Arrays
from cyclescope.backends.ctranslate2.standalone.ctranslate2_writer import names_in
from cyclescope.backends.ctranslate2.standalone.rows import rows_of
from cyclescope.core.units import AnyArray

_MOST_ROWS = 4  # of a batch that are looked at; longer ones are padded for the shorter ones all the same
_MOST_TOKENS = 8  # that are put behind a text for an encoder-decoder to judge


def real_rows(arrays: Arrays, mask: AnyArray | None) -> dict[str, AnyArray]:
    """`arrays` without what stands at padding, which means nothing and is not the same in two engines."""
    if mask is None:
        return dict(arrays)
    return {name: array[mask > 0] if array.shape[:2] == mask.shape else array for name, array in arrays.items()}


def likelihoods(folder: Path, model: Any, arrays: Arrays, threads: int) -> tuple[Arrays, Arrays]:
    """What the converted `folder` and the `model` say, in float32 and token by token, about the texts of `arrays` together."""
    rows = rows_of(arrays["input_ids"], arrays.get("attention_mask"))
    some = sorted(rows, key=len)[:: -(-len(rows) // _MOST_ROWS)]
    settings = {"device": "cpu", "compute_type": "float32", "inter_threads": 1, "intra_threads": threads}
    with torch.inference_mode():
        if not model.config.is_encoder_decoder:
            return _of_decoder(ctranslate2.Generator(str(folder), **settings), folder, model, some)
        return _of_both(ctranslate2.Translator(str(folder), **settings), folder, model, some)


def _of_decoder(engine: Any, folder: Path, model: Any, rows: list[list[int]]) -> tuple[Arrays, Arrays]:
    """The logits behind each token."""
    names, _ = names_in(str(folder))
    given = np.asarray(engine.forward_batch([[names[token] for token in row] for row in rows]))
    wanted = [model(input_ids=torch.tensor([row]), use_cache=False).logits[0].float().numpy() for row in rows]
    apart = [given[k, : len(row)].reshape(-1) for k, row in enumerate(rows)]
    return {"logits": np.concatenate(apart)}, {"logits": np.concatenate([logits.reshape(-1) for logits in wanted])}


def _of_both(engine: Any, folder: Path, model: Any, rows: list[list[int]]) -> tuple[Arrays, Arrays]:
    """The logarithms of the probabilities of the first tokens of a text, written behind the text itself."""
    read, written = names_in(str(folder))
    texts = [[read[token] for token in row] for row in rows]
    behind = [[token for token in row if token < len(written)][:_MOST_TOKENS] for row in rows]
    scored = engine.score_batch(texts, [[written[token] for token in some] for some in behind])
    given, wanted = [], []
    for row, some, score in zip(rows, behind, scored, strict=True):
        before = torch.tensor([[model.config.decoder_start_token_id, *some[:-1]]])
        # What a converter leaves out of what is written (the padding of Marian) is no choice.
        logits = model(input_ids=torch.tensor([row]), decoder_input_ids=before).logits[0, : len(some), : len(written)]
        wanted += logits.float().log_softmax(-1)[range(len(some)), some].tolist()
        given += list(score.log_probs[: len(some)])
    return {"probabilities": np.asarray(given)}, {"probabilities": np.asarray(wanted)}
