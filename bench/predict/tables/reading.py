"""Readers of tables of times that others measured. A table is recognised by its place and its columns, never by a name of
a model, a device or a framework.

| from | where | recognised by |
| --- | --- | --- |
| vidur | …/DEVICE/MODEL.csv | columns time_stats.OP.median, n_embd, n_expanded_embd, num_tokens |
| aiconfigurator | …/MACHINE/KIND/FRAMEWORK/VERSION/FILE.parquet | columns m, n, k or batch_size, isl, num_heads; and latency |
| Hardware-Aware Transformers | FILE.csv | columns latency_mean_encoder, latency_mean_decoder |

Times become seconds.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cyclescope.core.errors import MissingExtra, UsageError
from cyclescope.core.units import AnyArray, FloatArray

_MS = 1e-3
_TEXTS = ("gemm_dtype", "attn_dtype", "kv_cache_dtype", "kernel_source")


@dataclass(frozen=True, eq=False)
class Table:
    """One file: columns of equal length, the seconds of each row, and where it stands: `machine` is the folder of the
    device, `variant` what is between it and the file (framework and version; the model).
    """

    path: Path
    machine: str
    variant: str
    columns: dict[str, AnyArray]
    seconds: dict[str, FloatArray]


@dataclass(frozen=True, eq=False)
class Tables:
    """All tables of a folder, by kind."""

    layers: tuple[Table, ...]
    products: tuple[Table, ...]
    attention: tuple[Table, ...]
    networks: tuple[Table, ...]


def read_tables(folder: Path) -> Tables:
    """Every known table below `folder`. Raises `UsageError` where there is none, `MissingExtra` without a reader."""
    if not folder.is_dir():
        raise UsageError(f"{folder} must be a folder.", "", "Name a folder of tables with --data.")
    texts = [table for path in sorted(folder.rglob("*.csv")) if (table := _csv(path)) is not None]
    parquets = [table for path in sorted(folder.rglob("*.parquet")) if (table := _parquet(path)) is not None]
    found = Tables(
        tuple(t for t in texts if "n_embd" in t.columns),
        tuple(t for t in parquets if "m" in t.columns),
        tuple(t for t in parquets if "batch_size" in t.columns),
        tuple(t for t in texts if "n_embd" not in t.columns),
    )
    if not texts and not parquets:
        raise UsageError(
            f"{folder} holds no known table.",
            "Tables of vidur, aiconfigurator and Hardware-Aware Transformers are read.",
            "Keep the folders as those projects publish them.",
        )
    return found


def _csv(path: Path) -> Table | None:
    with path.open(newline="", encoding="utf-8") as file:
        rows = csv.reader(file)
        names = next(rows, [])
        vidur = {"n_embd", "n_expanded_embd", "num_tokens"} <= set(names)
        if not vidur and "latency_mean_encoder" not in names:
            return None
        content = [row for row in rows if len(row) == len(names)]
    values = {name: np.array([_number(row[i]) for row in content]) for i, name in enumerate(names)}
    if not content:
        return None
    if vidur:
        times = {
            n.split(".")[1]: v * _MS for n, v in values.items() if n.startswith("time_stats") and n.endswith(".median")
        }
        times = {name: v for name, v in times.items() if np.isfinite(v).all() and (v > 0).all()}
        known = {n: v for n, v in values.items() if not n.startswith("time_stats") and np.isfinite(v).all()}
        return Table(path, path.parent.name, path.name.split(".csv")[0], known, times)
    times = {n: values[f"latency_mean_{n}"] * _MS for n in ("encoder", "decoder")}
    return Table(path, path.stem, "", {n: v for n, v in values.items() if not n.startswith("latency")}, times)


def _number(text: str) -> float:
    flags = {"True": 1.0, "False": 0.0, "": np.nan}
    try:
        return flags[text] if text in flags else float(text)
    except ValueError:
        return np.nan


def _parquet(path: Path) -> Table | None:
    try:
        from pyarrow import parquet
    except ImportError as exc:
        raise MissingExtra(
            "pyarrow is not installed.", f"{path} is a Parquet file.", "Install it: pip install pyarrow."
        ) from exc
    names = set(parquet.read_schema(path).names)
    if "latency" not in names or not ({"m", "n", "k"} <= names or {"batch_size", "isl", "num_heads"} <= names):
        return None
    table: Any = parquet.read_table(path)
    columns: dict[str, AnyArray] = {}
    for name in table.column_names:
        if name in _TEXTS:
            columns[name] = np.array(table[name].to_pylist(), dtype=str)
        elif np.issubdtype((values := table[name].to_numpy()).dtype, np.number):
            columns[name] = values.astype(np.float64)
    keep = np.isfinite(columns["latency"]) & (columns["latency"] > 0)
    columns = {name: values[keep] for name, values in columns.items()}
    seconds = {"latency": columns.pop("latency") * _MS}
    parts = path.parts
    machine = parts[-5] if len(parts) >= 5 else path.parent.name
    return Table(path, machine, "/".join([*parts[-3:-1], path.stem.split("_")[0]]), columns, seconds)


def slices(table: Table, by: str) -> Iterator[tuple[str, AnyArray]]:
    """Each distinct value of the text column `by` with the rows that have it; all rows as one where there is no such column."""
    values = table.columns.get(by)
    if values is None:
        yield "", np.ones(len(next(iter(table.seconds.values()))), dtype=np.bool_)
        return
    for value in np.unique(values):
        yield str(value), values == value
