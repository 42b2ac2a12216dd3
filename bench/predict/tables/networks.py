"""Hardware-Aware Transformers: the latency of encoder–decoder networks from their ten columns, few or many of them measured."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from scipy.optimize import nnls
from tables.design import spread_out
from tables.outcome import Outcome, left_out, outcome
from tables.reading import Table
from tables.transfer import plain_boosting

from cyclescope.core.units import FloatArray, IntArray
from cyclescope.predicting.intervals import conformal_quantile
from cyclescope.predicting.regression.fitting import BoostingSettings, boosting
from cyclescope.predicting.regression.kept_out import kept_out, random_folds

_TESTED, _TESTED_SHARE = 400, 5  # the last rows; of a table with fewer than twice as many a fifth
_FEW, _FOLDS = 20, 4
_LEAST = 60  # of fewer rows too little is left to fit on and to test
_OUTLIER = 0.04  # relative errors beyond count in proportion and not squared (Huber, 1964): runs beside another load
_ROUNDS = 20


def network_rows(tables: Sequence[Table], seeds: int) -> Iterator[Outcome]:
    """Two rows for each table: fitted on 20 networks, on all but the last 400; tested on those (a fifth of a small table)."""
    for table in tables:
        true = table.seconds["encoder"] + table.seconds["decoder"]
        if len(true) < _LEAST:
            left_out(table.path, f"it has {len(true)} rows, and {_LEAST} are needed")
            continue
        seen = len(true) - (_TESTED if len(true) >= 2 * _TESTED else len(true) // _TESTED_SHARE)
        names, x = _features(table)
        raw = np.column_stack(list(table.columns.values()))
        work = [names.index("layers"), names.index("products")]
        few = [_few(x[:, work], true, spread_out(x[:seen, work], _FEW, seed)) for seed in range(5 * seeds)]  # cheap
        plain = plain_boosting(raw, np.log(true), spread_out(x[:seen, work], _FEW, 0))
        yield outcome(
            "20 measured networks",
            table.machine,
            f"{_FEW}",
            true[seen:],
            [_last(seen, p) for p in few],
            None,
            np.exp(plain[seen:]),
        )
        many = [_many(raw, x, true, seen, seed) for seed in range(seeds)]
        plain = plain_boosting(raw, np.log(true), np.arange(seen))
        yield outcome(
            f"{seen:,} measured networks",
            table.machine,
            f"{seen}",
            true[seen:],
            [_last(seen, p) for p in many],
            None,
            np.exp(plain[seen:]),
        )


def _last(
    seen: int, found: tuple[FloatArray, FloatArray, FloatArray]
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    predicted, low, high = (values[seen:] for values in found)
    return np.ones(len(predicted), dtype=np.bool_), predicted, low, high


def _features(table: Table) -> tuple[tuple[str, ...], FloatArray]:
    """Work of the decoder, which runs once a token: layers, multiplications of their weights, heads, keys of the encoder's
    layers; of the encoder, which runs once. Each relative to its mean, so that weights are times.
    """
    c = table.columns
    layers, wide, inner = c["decoder_layer_num"], c["decoder_embed_dim"], c["decoder_ffn_embed_dim_avg"]
    columns = {
        "layers": layers,
        "products": layers * (6 * wide**2 + 2 * wide * inner),
        "heads": layers * (c["decoder_self_attention_heads_avg"] + c["decoder_ende_attention_heads_avg"]),
        "attended": layers * c["decoder_arbitrary_ende_attn_avg"],
        "inner": layers * inner,
        "width": wide,
        "encoder": c["encoder_layer_num"]
        * (4 * c["encoder_embed_dim"] ** 2 + 2 * c["encoder_embed_dim"] * c["encoder_ffn_embed_dim_avg"]),
        "encoder_heads": c["encoder_layer_num"] * c["encoder_self_attention_heads_avg"],
    }
    x = np.column_stack(list(columns.values()))
    return tuple(columns), x / x.mean(axis=0)


def _few(x: FloatArray, true: FloatArray, own: IntArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """A time of its own, one for each layer and one for each multiplication, none below 0; intervals by leaving out."""
    predicted = _additive(x, true, own)
    errors = np.array([np.log(true[i] / _additive(x, true, own[own != i])[i]) for i in own])
    half = conformal_quantile(np.abs(errors))
    return predicted, predicted * np.exp(-half), predicted * np.exp(half)


def _additive(x: FloatArray, true: FloatArray, own: IntArray) -> FloatArray:
    """Seconds of all rows: the weights of at least 0 that have the least relative error on the rows `own`."""
    columns = np.column_stack([np.ones(len(x)), x])
    relative = columns[own] / true[own, None]
    weight = np.ones(len(own))
    for _ in range(_ROUNDS):
        root = np.sqrt(weight)
        found, _rest = nnls(relative * root[:, None], root)
        weight = 1 / np.maximum(np.abs(relative @ found - 1) / _OUTLIER, 1)
    seconds: FloatArray = columns @ found
    return seconds


def _many(
    raw: FloatArray, x: FloatArray, true: FloatArray, seen: int, seed: int
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Boosting of what the additive model leaves, averaged over the regressions that left a fold out."""
    base = _additive(x, true, np.arange(seen))
    y = np.log(true / base)
    settings = BoostingSettings(trees=200, rate=0.05, leaves=8, least_rows=12, folds=0, seed=seed)
    fit = boosting([str(i) for i in range(raw.shape[1])], (), settings)
    found = kept_out(fit, raw[:seen], y[:seen], random_folds(seen, _FOLDS, seed))
    mean = np.mean([regression.evaluate(raw).mean for regression in found.regressions], axis=0)
    half = conformal_quantile(np.abs(found.errors))
    return base * np.exp(mean), base * np.exp(mean - half), base * np.exp(mean + half)
