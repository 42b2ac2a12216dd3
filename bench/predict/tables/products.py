"""The analytic time of a matrix product [m, k] · [k, n] on a device that computes tiles in waves, and features of it.

Tiles and their efficiency: https://docs.nvidia.com/deeplearning/performance/dl-performance-matrix-multiplication (tile and wave
quantization). The number of units (SMs) stands in no datasheet of these tables: the one that explains the
training rows best is taken.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from tables.sheet import Sheet, bytes_of

from cyclescope.core.units import FloatArray

# Rows, columns, and the share of the peak that a tile reaches: the smaller, the more it loads for each product.
_TILES = (
    (256, 128, 1.0), (128, 256, 1.0), (128, 128, 0.95), (256, 64, 0.85), (64, 256, 0.85), (128, 64, 0.75), (64, 128, 0.75),
    (64, 64, 0.6), (128, 32, 0.45), (32, 128, 0.45), (64, 32, 0.4), (32, 64, 0.4), (32, 32, 0.25), (16, 64, 0.2), (16, 128, 0.25),
)  # fmt: skip
_SPLITS = (1, 2, 4, 8)  # of k, each part summed up at the end
_SUMMING_S = 0.5e-6
_LAUNCH_S = 2.2e-6
_UNITS = (
    24,
    30,
    40,
    48,
    56,
    60,
    68,
    72,
    80,
    84,
    92,
    96,
    104,
    108,
    114,
    120,
    128,
    132,
    142,
    144,
    148,
    160,
    170,
    188,
    192,
    208,
    304,
)


@dataclass(frozen=True, eq=False)
class Products:
    """Matrix products of one dtype: m, n, k, each [rows]."""

    m: FloatArray
    n: FloatArray
    k: FloatArray
    dtype: str

    def __getitem__(self, rows: object) -> Products:
        return Products(self.m[rows], self.n[rows], self.k[rows], self.dtype)  # type: ignore[index]

    def flops(self) -> FloatArray:
        """Two for each multiply and add."""
        return 2.0 * self.m * self.n * self.k

    def bytes(self) -> FloatArray:
        """Both operands and the result, once each; the result in 16 bits at least."""
        size = bytes_of(self.dtype)
        return size * (self.m * self.k + self.k * self.n) + max(size, 2.0) * self.m * self.n


def roofline(work: Products, sheet: Sheet) -> FloatArray:
    """The plain roofline of the datasheet, in seconds: what the bench stands against."""
    return np.maximum(work.flops() / sheet.peak(work.dtype), work.bytes() / sheet.bytes_per_s)


def tiled(work: Products, sheet: Sheet, units: int) -> FloatArray:
    """Seconds of the best tiling: whole waves of tiles over `units`, k in up to eight parts."""
    peak = sheet.peak(work.dtype)
    best = np.full(len(work.m), np.inf)
    for rows, columns, share in _TILES:
        tiles = np.ceil(work.m / rows) * np.ceil(work.n / columns)
        for parts in _SPLITS:
            waves = np.ceil(tiles * parts / units)
            depth = np.ceil(work.k / parts / 32) * 32
            seconds = waves * 2 * rows * columns * depth / (peak / units * share)
            if parts > 1:
                seconds += 4 * work.m * work.n * parts / sheet.bytes_per_s + _SUMMING_S
            np.minimum(best, seconds, out=best)
    return best


def analytic(work: Products, sheet: Sheet, units: int) -> FloatArray:
    """Seconds: tiles and memory overlap but for a corner between them, on top of a launch."""
    memory = work.bytes() / sheet.bytes_per_s
    return (tiled(work, sheet, units) ** 3 + memory**3) ** (1 / 3) + _LAUNCH_S


def features(work: Products, sheet: Sheet, units: int) -> tuple[tuple[str, ...], FloatArray]:
    """Names and columns [rows, features]: sizes, loss by tiles, tiles against memory, loss by waves."""
    tiles, memory = tiled(work, sheet, units), work.bytes() / sheet.bytes_per_s
    columns = {
        "log_m": np.log(work.m),
        "log_n": np.log(work.n),
        "log_k": np.log(work.k),
        "tile_loss": np.log(tiles / (work.flops() / sheet.peak(work.dtype))),
        "balance": np.log(tiles / memory),
        "log_time": np.log(analytic(work, sheet, units)),
    }
    for rows, tile in ((256, 128), (128, 128)):
        waves = np.ceil(work.m / rows) * np.ceil(work.n / tile) / units
        columns[f"waves_{rows}"] = np.log(np.ceil(waves) / waves).clip(0, 1)
    return tuple(columns), np.column_stack(list(columns.values()))


def units_of(work: Products, seconds: FloatArray, sheet: Sheet) -> int:
    """How many units explain the times of these rows best: the least mean |rest| of ln(seconds ÷ analytic) beside a quadratic
    function of the logarithms of the sizes. What is found is how many tiles run at a time, not always the number of SMs.
    """
    sizes = np.log(np.column_stack([work.m, work.n, work.k]))
    pairs = [sizes[:, i] * sizes[:, j] for i in range(3) for j in range(i, 3)]
    memory = work.bytes() / sheet.bytes_per_s

    def rest(units: int) -> float:
        y = np.log(seconds / analytic(work, sheet, units))
        balance = np.log(tiled(work, sheet, units) / memory)
        columns = [np.ones(len(y)), *sizes.T, *pairs, np.maximum(balance, 0), np.maximum(-balance, 0)]
        x = np.column_stack(columns)
        return float(np.abs(y - x @ np.linalg.lstsq(x, y, rcond=None)[0]).mean())

    return min(_UNITS, key=rest)
