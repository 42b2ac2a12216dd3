"""vidur: the operations of a decoder layer, of a model that was not fitted on; the sum over the layer.

Fitted on the other models of the same device, and with less weight on those of other devices.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from tables.outcome import Outcome, outcome
from tables.products import Products, analytic, features, roofline
from tables.reading import Table
from tables.sheet import Sheet, sheet_of
from tables.transfer import plain_boosting

from cyclescope.core.units import FloatArray
from cyclescope.predicting.intervals import LEVEL, group_quantile
from cyclescope.predicting.regression.fitting import BoostingSettings, boosting

_LAUNCH_S = 2e-6
_UNITS = 108  # a guess that a regression on all of the shapes corrects
_ELSEWHERE = 0.4  # the weight of a row of another device
_OUTSIDE = ("emb",)  # the embedding of the tokens comes before the first layer
_EVERY = 3  # of the rows that are fitted: they stand close


@dataclass(frozen=True, eq=False)
class _Operation:
    """All rows of one operation of one model: features, the analytic seconds, the roofline, the true seconds, the sizes."""

    x: FloatArray
    base: FloatArray
    roofline: FloatArray
    seconds: FloatArray
    sizes: FloatArray


def layer_rows(tables: Sequence[Table], known: dict[str, Sheet], seeds: int) -> Iterator[Outcome]:
    """A row for each model: of the layer, fitted on the other models."""
    found = {id(t): sheet for t in tables if (sheet := sheet_of(t.machine, known)) is not None}
    tables = [t for t in tables if id(t) in found]
    rows = {id(t): _operations(t, found[id(t)]) for t in tables}
    for target in tables:
        others = [t for t in tables if t.variant != target.variant]
        if others:
            yield _predict(target, others, rows, seeds)


def _predict(target: Table, others: Sequence[Table], rows: dict[int, dict[str, _Operation]], seeds: int) -> Outcome:
    own = rows[id(target)]
    operations = [o for o in own if o not in _OUTSIDE and any(o in rows[id(t)] for t in others)]
    true = np.sum([own[o].seconds for o in operations], axis=0)
    predictions, boosted = [], np.zeros(len(true))
    half = _half_width(operations, others, rows)
    for seed in range(seeds):
        found = {
            o: ln for group in _groups(operations, own) for o, ln in _fitted(group, target, others, rows, seed).items()
        }
        seconds = np.sum([own[o].base * np.exp(found[o]) for o in operations], axis=0)
        predictions.append(
            (np.ones(len(true), dtype=np.bool_), seconds, seconds * np.exp(-half), seconds * np.exp(half))
        )
    same = [t for t in others if t.machine == target.machine] or others
    for o in operations:
        from_others = [rows[id(t)][o] for t in same if o in rows[id(t)]]
        sizes = np.log(np.vstack([own[o].sizes, *(other.sizes for other in from_others)]))
        seconds = np.concatenate([own[o].seconds, *(other.seconds for other in from_others)])
        boosted += np.exp(plain_boosting(sizes, np.log(seconds), np.arange(len(true), len(seconds)))[: len(true)])
    plain = np.sum([own[o].roofline for o in operations], axis=0)
    fitted = f"{len(same)} other models of the GPU, {len(others) - len(same)} elsewhere"
    return outcome(
        "layer of an unseen model", f"{target.machine} {target.variant}", fitted, true, predictions, plain, boosted
    )


def _half_width(operations: Sequence[str], others: Sequence[Table], rows: dict[int, dict[str, _Operation]]) -> float:
    """Of ln of the layer's time: each of the others left out in its turn, whole models being alike; the first seed only."""
    scores, groups = [], []
    for number, left_out in enumerate(others):
        rest = [t for t in others if t.variant != left_out.variant]
        known = [o for o in operations if o in rows[id(left_out)]]
        if not rest or not known:
            continue
        own = rows[id(left_out)]
        found = {o: ln for group in _groups(known, own) for o, ln in _fitted(group, left_out, rest, rows, 0).items()}
        seconds = np.sum([own[o].base * np.exp(found[o]) for o in known], axis=0)
        errors = np.abs(np.log(np.sum([own[o].seconds for o in known], axis=0) / seconds))
        scores.append(errors)
        groups.append(np.full(len(errors), number))
    return group_quantile(np.concatenate(scores), np.concatenate(groups), LEVEL) if scores else np.inf


def _groups(operations: Sequence[str], own: dict[str, _Operation]) -> list[list[str]]:
    """Matrix products together, since what holds for a shape holds for all of them; each other operation alone."""
    width = max(operation.x.shape[1] for operation in own.values())
    together = [o for o in operations if own[o].x.shape[1] == width]
    return [together, *([o] for o in operations if o not in together)]


def _fitted(
    group: Sequence[str], target: Table, others: Sequence[Table], rows: dict[int, dict[str, _Operation]], seed: int
) -> dict[str, FloatArray]:
    """ln(true ÷ analytic) of each operation of `group`, from those of the others."""
    from_others = [(rows[id(t)][o], t.machine == target.machine) for t in others for o in group if o in rows[id(t)]]
    x = np.vstack([operation.x[::_EVERY] for operation, _ in from_others])
    y = np.concatenate([np.log(o.seconds / o.base)[::_EVERY] for o, _ in from_others])
    weights = np.concatenate(
        [np.full(len(o.seconds[::_EVERY]), 1.0 if near else _ELSEWHERE) for o, near in from_others]
    )
    large = len(group) > 1
    settings = BoostingSettings(
        trees=120 if large else 50, rate=0.1, leaves=20 if large else 10, least_rows=12, folds=0, seed=seed
    )
    names = [str(i) for i in range(x.shape[1])]
    fit = boosting(names, () if large else names, settings)
    regression = fit(x, y, weights)
    return {o: regression.evaluate(rows[id(target)][o].x).mean for o in group}


def _operations(table: Table, sheet: Sheet) -> dict[str, _Operation]:
    c = table.columns
    tokens, wide, inner = c["num_tokens"], c["n_embd"], c["n_expanded_embd"]
    parts = c["num_tensor_parallel_workers"]
    size = wide / c["n_head"]
    heads, kv = c["n_head"] * size / parts, c["n_kv_head"] * size / parts
    gates = 1 + c.get("use_gated_mlp", np.zeros(len(tokens)))
    shapes = {
        "attn_pre_proj": (heads + 2 * kv, wide),
        "attn_post_proj": (wide, heads),
        "mlp_up_proj": (gates * inner / parts, wide),
        "mlp_down_proj": (wide, inner / parts),
    }
    widths = {"attn_rope": heads + kv, "mlp_act": gates * inner / parts}
    found = {}
    for name, seconds in table.seconds.items():
        if name in shapes:
            n, k = shapes[name]
            found[name] = _product(Products(tokens, n + 0 * tokens, k + 0 * tokens, "float16"), sheet, seconds)
        else:
            found[name] = _moving(tokens, widths.get(name, wide) + 0 * tokens, sheet, seconds)
    return found


def _product(work: Products, sheet: Sheet, seconds: FloatArray) -> _Operation:
    _, x = features(work, sheet, _UNITS)
    base = analytic(work, sheet, _UNITS)
    machine = np.full(len(base), np.log(sheet.peak(work.dtype) / 1e14))
    sizes = np.column_stack([work.m, work.n, work.k])
    return _Operation(np.column_stack([x, machine]), base, roofline(work, sheet), seconds, sizes)


def _moving(tokens: FloatArray, width: FloatArray, sheet: Sheet, seconds: FloatArray) -> _Operation:
    """An operation that reads and writes `width` numbers of 16 bits for each token."""
    plain = 4 * tokens * width / sheet.bytes_per_s
    machine = np.full(len(tokens), np.log(sheet.bytes_per_s / 1e12))
    x = np.column_stack([np.log(plain), np.log(tokens), np.log(plain + _LAUNCH_S), machine])
    return _Operation(x, plain + _LAUNCH_S, plain, seconds, np.column_stack([tokens, width]))
