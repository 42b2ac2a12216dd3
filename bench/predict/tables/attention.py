"""The analytic time of the attention of a prompt (context) and of one new token (generation), and features of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from tables.reading import Table
from tables.sheet import Sheet, bytes_of

from cyclescope.core.units import FloatArray

_LAUNCH_S = 6e-6  # several kernels
_TILE = 128  # rows of queries that a unit holds
_FEW = 16  # rows that the smallest product of the tensor cores computes


@dataclass(frozen=True, eq=False)
class Attention:
    """Calls of one kind: sequences, tokens in each (of the prompt, or of the cache), heads, key-value heads, head size."""

    batch: FloatArray
    length: FloatArray
    heads: FloatArray
    kv_heads: FloatArray
    size: FloatArray
    is_context: bool
    dtype: str
    kv_bytes: float

    def __getitem__(self, rows: object) -> Attention:
        columns = (self.batch, self.length, self.heads, self.kv_heads, self.size)
        return Attention(*(c[rows] for c in columns), self.is_context, self.dtype, self.kv_bytes)  # type: ignore[index]

    def flops(self) -> FloatArray:
        """Scores and weighted values; of a prompt half, since it is causal."""
        each = 4 * self.batch * self.heads * self.size
        return each * self.length * self.length / 2 if self.is_context else each * self.length

    def bytes(self) -> FloatArray:
        """Queries, keys, values and the result, once each."""
        kv = 2 * self.batch * self.length * self.kv_heads * self.size * self.kv_bytes
        return kv + 2 * self.batch * (self.length if self.is_context else 1) * self.heads * self.size * 2.0


def attention(table: Table) -> Attention:
    """The rows of `table`. A prompt of which nothing is cached is one where `step` is 0 everywhere."""
    c = table.columns
    is_context = not (c["step"] > 0).any()
    length = c["isl"] if is_context else c["step"] + c["isl"]
    kv = np.where(c["num_key_value_heads"] > 0, c["num_key_value_heads"], c["num_heads"])
    dtype, cache = (str(c[n][0]) if n in c else "bfloat16" for n in ("attn_dtype", "kv_cache_dtype"))
    return Attention(c["batch_size"], length, c["num_heads"], kv, c["head_dim"], is_context, dtype, bytes_of(cache))


def roofline(work: Attention, sheet: Sheet) -> FloatArray:
    """The plain roofline of the datasheet, in seconds."""
    return np.maximum(work.flops() / sheet.peak(work.dtype), work.bytes() / sheet.bytes_per_s)


def serial(work: Attention, sheet: Sheet, units: int) -> FloatArray:
    """Seconds where no sequence is split over units: whole waves of blocks, each at the rate of one unit."""
    if work.is_context:
        tiles = np.ceil(work.length / _TILE)
        blocks = work.batch * work.heads * tiles
        rate = sheet.peak(work.dtype) / units
        mean = (tiles + 1) / 2 * 4 * _TILE * _TILE * work.size / rate
        return np.maximum(np.ceil(blocks / units) * mean, tiles * 4 * _TILE * _TILE * work.size / rate)
    blocks = work.batch * work.kv_heads
    return np.ceil(blocks / units) * work.length * work.size * 2 * work.kv_bytes / (sheet.bytes_per_s / units)


def analytic(work: Attention, sheet: Sheet, units: int) -> FloatArray:
    """Seconds: products (of a group of queries that shares keys, in whole rows of the tensor cores) and memory."""
    memory = work.bytes() / sheet.bytes_per_s
    if work.is_context:
        return np.hypot(serial(work, sheet, units), memory) + _LAUNCH_S
    group = np.ceil(work.heads / work.kv_heads / _FEW) * _FEW
    products = 4 * work.batch * work.kv_heads * group * work.length * work.size / sheet.peak(work.dtype)
    return np.hypot(np.maximum(products, memory), memory) + _LAUNCH_S


def features(work: Attention, sheet: Sheet, units: int) -> tuple[tuple[str, ...], FloatArray]:
    """Names and columns [rows, features]."""
    memory, alone = work.bytes() / sheet.bytes_per_s, serial(work, sheet, units)
    blocks = work.batch * (work.heads * np.ceil(work.length / _TILE) if work.is_context else work.kv_heads)
    waves = blocks / units
    columns = {
        "log_batch": np.log(work.batch),
        "log_length": np.log(work.length),
        "log_heads": np.log(work.heads),
        "log_kv_heads": np.log(work.kv_heads),
        "log_size": np.log(work.size),
        "log_time": np.log(analytic(work, sheet, units)),
        "alone": np.log(alone / memory),
        "log_alone": np.log(alone + _LAUNCH_S),
        "log_waves": np.log(waves),
        "wave_loss": np.log(np.ceil(waves) / waves).clip(0, 3),
    }
    return tuple(columns), np.column_stack(list(columns.values()))


# Two views of the same calls; the rows that are kept out decide between them.
VIEWS = (
    ("log_batch", "log_length", "log_heads", "log_kv_heads", "log_size", "log_time", "log_waves", "wave_loss"),
    ("log_batch", "log_length", "log_heads", "log_kv_heads", "log_size", "log_time", "alone", "log_alone"),
)
