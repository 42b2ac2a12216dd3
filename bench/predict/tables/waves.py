"""The time of a product as whole waves of the best tile, with what each tile reaches fitted on other products of the device.

`products.tiled` takes the efficiency of a tile from a table. Here each tile has its own efficiency and its own time before it computes, and the
memory, the launch, the cost of splitting k and the corner between memory and tiles are fitted too: some twenty numbers, by
least squares of the logarithms in which outliers count in proportion.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.optimize import least_squares
from tables.products import Products
from tables.sheet import Sheet

from cyclescope.core.units import FloatArray

_TILES = ((256, 128), (128, 256), (128, 128), (256, 64), (64, 256), (128, 64), (64, 128), (64, 64))
_SHARE = (0.8, 0.8, 0.78, 0.7, 0.7, 0.65, 0.65, 0.5)  # of the peak, where the fit begins
_SPLITS = (1, 2, 3, 4, 6, 8)
_PROLOGUE_US, _LAUNCH_US, _MEMORY, _SUMMING, _CORNER = 1.5, 2.5, 0.85, 1.0, 2.0
_AGAIN_S = 1e-6
_PULL = 0.05  # of what a fit begins with, against one row
_OUTLIER, _MOST_ROWS, _STEPS = 0.05, 1500, 30
_QUANTISED = ((256, 128), (128, 256), (128, 128), (64, 64))


@dataclass(frozen=True, eq=False)
class Waves:
    """Products on a device: in how many waves each tile and split computes them [tiles, splits, rows]."""

    work: Products
    sheet: Sheet
    units: int

    @cached_property
    def waves(self) -> FloatArray:
        tiles = [np.ceil(self.work.m / rows) * np.ceil(self.work.n / columns) for rows, columns in _TILES]
        splits = np.array(_SPLITS, dtype=np.float64)[None, :, None]
        found: FloatArray = np.ceil(np.array(tiles)[:, None, :] * splits / self.units)
        return found

    @cached_property
    def _depth(self) -> FloatArray:
        """k of each part [1, splits, rows]."""
        found: FloatArray = self.work.k / np.array(_SPLITS, dtype=np.float64)[None, :, None]
        return found

    @cached_property
    def _summing(self) -> FloatArray:
        """Seconds of writing and reading the parts at the bandwidth of the memory [1, splits, rows]; none where k is not split."""
        parts = np.array([split if split > 1 else 0 for split in _SPLITS], dtype=np.float64)[None, :, None]
        found: FloatArray = 4 * self.work.m * self.work.n * parts / self.sheet.bytes_per_s
        return found

    @cached_property
    def _again(self) -> FloatArray:
        """Seconds of starting once more to sum the parts up [1, splits, 1]."""
        return np.array([_AGAIN_S if split > 1 else 0.0 for split in _SPLITS])[None, :, None]

    def seconds(self, fitted: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Seconds [rows], and those of each tile at its best split [tiles, rows], memory and launch apart."""
        count = len(_TILES)
        share, prologue = np.exp(fitted[:count]), np.exp(fitted[count : 2 * count]) * 1e-6
        memory_share, launch, summing, corner = np.exp(fitted[2 * count :])
        peak = self.sheet.peak(self.work.dtype) / self.units
        work = self.work
        sizes = np.array([2.0 * rows * columns for rows, columns in _TILES])
        each = prologue[:, None, None] + (sizes / (peak * share))[:, None, None] * self._depth
        tiled = (self.waves * each + summing * self._summing + self._again).min(axis=1)
        memory = work.bytes() / (self.sheet.bytes_per_s * memory_share)
        power = 1 + corner
        both = (tiled.min(axis=0) ** power + memory**power) ** (1 / power)
        return both + launch * 1e-6, tiled

    def features(self, fitted: FloatArray) -> FloatArray:
        """Columns [rows, features] that what is left over may depend on."""
        work = self.work
        seconds, tiled = self.seconds(fitted)
        best = tiled.min(axis=0)
        columns = [
            np.log(work.m),
            np.log(work.n),
            np.log(work.k),
            np.log(seconds),
            np.log(best / (work.bytes() / self.sheet.bytes_per_s)),
            np.log(work.flops() / self.sheet.peak(work.dtype) / best),
            *np.log(best / tiled),
        ]
        for rows, width in _QUANTISED:
            waves = np.ceil(work.m / rows) * np.ceil(work.n / width) / self.units
            columns.append(np.log(np.ceil(waves) / waves).clip(0, 1.5))
        columns += [np.log(np.ceil(work.m / rows) * rows / work.m) for rows in (128, 256)]
        return np.column_stack([*columns, np.log(work.n * work.k)])


def fit_waves(product: Waves, seconds: FloatArray, seed: int) -> FloatArray:
    """The numbers that explain `seconds` best, from 1,500 rows at random where there are more."""
    rows = np.random.default_rng(seed).permutation(len(seconds))[:_MOST_ROWS]
    some = Waves(product.work[rows], product.sheet, product.units)
    ln = np.log(seconds[rows])
    others = (_MEMORY, _LAUNCH_US, _SUMMING, _CORNER)
    begin = np.log(np.array([*_SHARE, *[_PROLOGUE_US] * len(_TILES), *others]))

    def rest(fitted: FloatArray) -> FloatArray:
        off = np.log(some.seconds(fitted)[0]) - ln
        return np.concatenate([off, _PULL * (fitted - begin)])

    found = least_squares(rest, begin, loss="soft_l1", f_scale=_OUTLIER, max_nfev=_STEPS, diff_step=0.02)
    return np.asarray(found.x, dtype=np.float64)
