"""Matrix products and attention on a device that was not seen: its datasheet and a few of its rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
from tables import attention, products
from tables.design import spread_out
from tables.outcome import Outcome, left_out, outcome
from tables.reading import Table, slices
from tables.sheet import Sheet, no_sheet, sheet_of
from tables.transfer import Source, plain_boosting, transfer

from cyclescope.core.units import AnyArray, FloatArray

Work: TypeAlias = products.Products | attention.Attention

_DEFAULT_UNITS = 108  # attention hardly depends on it; products choose it by their own rows


@dataclass(frozen=True, eq=False)
class _Set:
    """Calls of one kind on one device by one framework: the work, its seconds, the datasheet."""

    machine: str
    name: str
    path: Path
    work: Work
    seconds: FloatArray
    sheet: Sheet


def product_rows(
    tables: Sequence[Table], known: dict[str, Sheet], points: int, seeds: int, most: int
) -> Iterator[Outcome]:
    """A row for each table and dtype; the others are tables of other devices, of the same dtype where there are any."""
    found = []
    for table in tables:
        c = table.columns
        for dtype, rows in slices(table, "gemm_dtype"):
            work = products.Products(c["m"][rows], c["n"][rows], c["k"][rows], dtype or "bfloat16")
            found.append((table, f"{table.variant} {dtype}", work, table.seconds["latency"][rows]))
    sets = _with_sheets(found, known)
    for target in _large(sets, points):
        others = [s for s in sets if s.machine != target.machine]
        same = [s for s in others if s.work.dtype == target.work.dtype]
        row = "GEMM of an unseen GPU" if same else "GEMM of an unseen GPU, dtype unseen"
        yield _predict(row, target, same or others, points, seeds, most)


def attention_rows(
    tables: Sequence[Table], known: dict[str, Sheet], points: int, seeds: int, most: int
) -> Iterator[Outcome]:
    """A row for each table; the others are those of other devices, or where there is none of another framework."""
    found = [(t, t.variant, attention.attention(t), t.seconds["latency"]) for t in tables if "step" in t.columns]
    sets = _with_sheets(found, known)
    for target in _large(sets, points):
        alike = [s for s in sets if s.work.is_context == target.work.is_context and s is not target]  # type: ignore[union-attr]
        others = [s for s in alike if s.machine != target.machine]
        row = "attention of an unseen GPU" if others else "attention of an unseen framework"
        yield _predict(row, target, others or alike, points, seeds, most)


def _large(sets: Sequence[_Set], points: int) -> Iterator[_Set]:
    """Those of which more than `points` rows are there, so that some are left to be tested."""
    for one in sets:
        if len(one.seconds) > points:
            yield one
        else:
            left_out(one.path, f"{one.name} has {len(one.seconds)} rows, and {points} are fitted on")


def _with_sheets(found: Iterable[tuple[Table, str, Work, FloatArray]], known: dict[str, Sheet]) -> list[_Set]:
    """Those whose device has a datasheet; of the others one line says that they are left out."""
    sets = []
    for table, name, work, seconds in found:
        sheet = sheet_of(table.machine, known)
        if sheet is None:
            left_out(table.path, no_sheet(table.machine))
            continue
        sets.append(_Set(table.machine, f"{table.machine} {name}", table.path, work, seconds, sheet))
    return sets


def _predict(row: str, target: _Set, others: Sequence[_Set], points: int, seeds: int, most: int) -> Outcome:
    pool = np.random.default_rng(0).permutation(len(target.seconds))[:most]
    work, true = target.work[pool], target.seconds[pool]
    module = products if isinstance(work, products.Products) else attention
    shapes = _shapes(work)
    predictions, boosted, remarks = [], np.empty(0), set()
    for seed in range(seeds):
        own = spread_out(shapes, points, seed)
        units = _units(work[own], true[own], target.sheet)
        base = module.analytic(work, target.sheet, units)  # type: ignore[arg-type]
        views = _views(work, target.sheet, units)
        lent = [_source(other) for other in others]
        found = transfer(views, np.log(true / base), own, [[s[v] for s in lent] for v in range(len(views))], seed)
        tested = np.ones(len(true), dtype=np.bool_)
        tested[own] = False
        predictions.append((tested, *(base * np.exp(ln) for ln in (found.mean, found.low, found.high))))
        boosted = np.exp(plain_boosting(shapes, np.log(true), own))
        remarks.add(units)
    plain = module.roofline(work, target.sheet)  # type: ignore[arg-type]
    lenders = sorted({other.machine for other in others})
    fitted = f"{points} points, {', '.join(lenders) or 'nothing else'}"
    return outcome(
        row, target.name, fitted, true, predictions, plain, boosted, f"units {sorted(remarks)}, {target.sheet.source}"
    )


def _units(work: Work, seconds: FloatArray, sheet: Sheet) -> int:
    return products.units_of(work, seconds, sheet) if isinstance(work, products.Products) else _DEFAULT_UNITS


def _source(other: _Set) -> list[Source]:
    some = np.random.default_rng(0).permutation(len(other.seconds))[:9000]
    work, seconds = other.work[some], other.seconds[some]
    units = _units(work[slice(0, 1500)], seconds[:1500], other.sheet)
    module = products if isinstance(work, products.Products) else attention
    y = np.log(seconds / module.analytic(work, other.sheet, units))  # type: ignore[arg-type]
    return [Source(x, y) for x in _views(work, other.sheet, units)]


def _views(work: Work, sheet: Sheet, units: int) -> list[FloatArray]:
    if isinstance(work, products.Products):
        names, x = products.features(work, sheet, units)
        return [x[:, [names.index(n) for n in names if n != "log_time"]]]
    names, x = attention.features(work, sheet, units)
    return [x[:, [names.index(n) for n in view]] for view in attention.VIEWS]


def _shapes(work: Work) -> FloatArray:
    sizes: list[AnyArray] = (
        [work.m, work.n, work.k]
        if isinstance(work, products.Products)
        else [work.batch, work.length, work.heads, work.kv_heads]
    )
    return np.log(np.column_stack(sizes))
