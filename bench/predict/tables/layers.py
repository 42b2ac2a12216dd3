"""vidur: the operations of a decoder layer, of a model that was not fitted on; the sum over the layer.

Fitted on the other models of the same device, and with less weight on those of other devices. The embedding of the tokens
comes before the first layer and is no part of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from tables.outcome import Outcome, left_out, outcome
from tables.products import Products, roofline, units_of
from tables.reading import Table
from tables.sheet import Sheet, no_sheet, sheet_of
from tables.transfer import plain_boosting
from tables.waves import Waves, fit_waves

from cyclescope.core.units import FloatArray
from cyclescope.predicting.intervals import LEVEL, group_quantile
from cyclescope.predicting.regression.fitting import BoostingSettings, boosting

_LAUNCH_S = 2e-6
_LOOKED_AT = 600  # rows that say how many tiles run at a time
_ELSEWHERE = 0.4  # the weight of a row of another device
_OUTSIDE = ("emb",)  # the embedding of the tokens comes before the first layer
_EVERY = 3  # of the rows that are fitted: they stand close


@dataclass(frozen=True, eq=False)
class _Operation:
    """All rows of one operation of one model: features and analytic seconds (of what is no product), the roofline, the true
    seconds, the sizes; and the product that it is.
    """

    x: FloatArray
    base: FloatArray
    roofline: FloatArray
    seconds: FloatArray
    sizes: FloatArray
    sheet: Sheet
    work: Products | None = None


def layer_rows(tables: Sequence[Table], known: dict[str, Sheet], seeds: int) -> Iterator[Outcome]:
    """A row for each model: of the layer, fitted on the other models."""
    found = {id(t): sheet for t in tables if (sheet := sheet_of(t.machine, known)) is not None}
    for table in tables:
        if id(table) not in found:
            left_out(table.path, no_sheet(table.machine))
    tables = [t for t in tables if id(t) in found]
    rows = {id(t): _operations(t, found[id(t)]) for t in tables}
    for target in tables:
        others = [t for t in tables if t.variant != target.variant]
        if others:
            yield _predict(target, others, rows, seeds)
        else:
            left_out(target.path, "there is no other model to fit on")


def _predict(target: Table, others: Sequence[Table], rows: dict[int, dict[str, _Operation]], seeds: int) -> Outcome:
    own = rows[id(target)]
    operations = [o for o in own if o not in _OUTSIDE and any(o in rows[id(t)] for t in others)]
    true = np.sum([own[o].seconds for o in operations], axis=0)
    predictions, boosted = [], np.zeros(len(true))
    half = _half_width(operations, others, rows)
    for seed in range(seeds):
        seconds = _layer(operations, target, others, rows, seed)
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
    for number, kept_out in enumerate(others):
        rest = [t for t in others if t.variant != kept_out.variant]
        known = [o for o in operations if o in rows[id(kept_out)]]
        if not rest or not known:
            continue
        own = rows[id(kept_out)]
        seconds = _layer(known, kept_out, rest, rows, 0)
        errors = np.abs(np.log(np.sum([own[o].seconds for o in known], axis=0) / seconds))
        scores.append(errors)
        groups.append(np.full(len(errors), number))
    return group_quantile(np.concatenate(scores), np.concatenate(groups), LEVEL) if scores else np.inf


def _layer(
    operations: Sequence[str],
    target: Table,
    others: Sequence[Table],
    rows: dict[int, dict[str, _Operation]],
    seed: int,
) -> FloatArray:
    """Seconds of all `operations` of `target`. Matrix products are fitted together, since what holds for a shape holds for all
    of them; each other operation alone.
    """
    own = rows[id(target)]
    together = [o for o in operations if own[o].work is not None]
    seconds = _products(together, target, others, rows, seed) if together else np.zeros(len(own[operations[0]].seconds))
    for operation in operations:
        if operation not in together:
            seconds = seconds + _moved(operation, target, others, rows, seed)
    return seconds


def _products(
    names: Sequence[str], target: Table, others: Sequence[Table], rows: dict[int, dict[str, _Operation]], seed: int
) -> FloatArray:
    """Seconds of all products of `target`: whole waves as on its device (else as on the other that has most rows), and boosting of
    what they leave.
    """
    devices: dict[str, list[_Operation]] = {}
    for table in others:
        found = [rows[id(table)][o] for o in names if o in rows[id(table)]]
        devices.setdefault(table.machine, []).extend(found)
    fits = {device: _Fit.of(operations, seed) for device, operations in devices.items() if operations}
    nearest = fits.get(target.machine) or max(fits.values(), key=lambda fit: len(fit.y))
    x = np.vstack([np.column_stack([fit.x, np.full(len(fit.y), float(fit is nearest))]) for fit in fits.values()])
    y = np.concatenate([fit.y for fit in fits.values()])
    weights = np.concatenate([np.full(len(fit.y), 1.0 if fit is nearest else _ELSEWHERE) for fit in fits.values()])
    settings = BoostingSettings(trees=100, rate=0.1, leaves=12, least_rows=30, folds=0, seed=seed)
    regression = boosting([str(i) for i in range(x.shape[1])], (), settings)(x, y, weights)
    total = 0.0
    for name in names:
        operation = rows[id(target)][name]
        assert operation.work is not None
        waves = Waves(operation.work, operation.sheet, nearest.units)
        columns = np.column_stack([waves.features(nearest.fitted), np.ones(len(operation.seconds))])
        total = total + waves.seconds(nearest.fitted)[0] * np.exp(regression.evaluate(columns).mean)
    return np.asarray(total)


@dataclass(frozen=True, eq=False)
class _Fit:
    """Waves fitted on the products of one device: features [rows, columns] and ln(true ÷ waves) of what it was fitted on."""

    units: int
    fitted: FloatArray
    x: FloatArray
    y: FloatArray

    @staticmethod
    def of(operations: Sequence[_Operation], seed: int) -> _Fit:
        sheet = operations[0].sheet
        works = [o.work for o in operations if o.work is not None]
        sizes = (np.concatenate([getattr(work, name) for work in works]) for name in ("m", "n", "k"))
        work = Products(*sizes, works[0].dtype)
        seconds = np.concatenate([o.seconds for o in operations])
        some = np.random.default_rng(seed).permutation(len(seconds))[:_LOOKED_AT]
        units = units_of(work[some], seconds[some], sheet)
        waves = Waves(work, sheet, units)
        fitted = fit_waves(waves, seconds, seed)
        return _Fit(units, fitted, waves.features(fitted), np.log(seconds / waves.seconds(fitted)[0]))


def _moved(
    name: str, target: Table, others: Sequence[Table], rows: dict[int, dict[str, _Operation]], seed: int
) -> FloatArray:
    """Seconds of an operation that is no product."""
    from_others = [(rows[id(t)][name], t.machine == target.machine) for t in others if name in rows[id(t)]]
    x = np.vstack([operation.x[::_EVERY] for operation, _ in from_others])
    y = np.concatenate([np.log(o.seconds / o.base)[::_EVERY] for o, _ in from_others])
    weights = np.concatenate(
        [np.full(len(o.seconds[::_EVERY]), 1.0 if near else _ELSEWHERE) for o, near in from_others]
    )
    settings = BoostingSettings(trees=50, rate=0.1, leaves=10, least_rows=12, folds=0, seed=seed)
    names = [str(i) for i in range(x.shape[1])]
    own = rows[id(target)][name]
    predicted: FloatArray = own.base * np.exp(boosting(names, names, settings)(x, y, weights).evaluate(own.x).mean)
    return predicted


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
    sizes, plain = np.column_stack([work.m, work.n, work.k]), roofline(work, sheet)
    return _Operation(np.empty((len(seconds), 0)), plain, plain, seconds, sizes, sheet, work)


def _moving(tokens: FloatArray, width: FloatArray, sheet: Sheet, seconds: FloatArray) -> _Operation:
    """An operation that reads and writes `width` numbers of 16 bits for each token."""
    plain = 4 * tokens * width / sheet.bytes_per_s
    machine = np.full(len(tokens), np.log(sheet.bytes_per_s / 1e12))
    x = np.column_stack([np.log(plain), np.log(tokens), np.log(plain + _LAUNCH_S), machine])
    return _Operation(x, plain + _LAUNCH_S, plain, seconds, np.column_stack([tokens, width]), sheet)
