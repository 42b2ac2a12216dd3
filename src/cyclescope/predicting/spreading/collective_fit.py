"""From measured times of a collective over sizes to its ceiling: a latency and a bandwidth in each piece between knees.

A line is fitted to the least relative error (weighted least squares, repeated with the errors as weights), knees are found
by dynamic programming over a grid of sizes, and their number by what it does to sizes that were left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from cyclescope.core.collectives import CollectiveCeiling, CollectiveKind, CollectivePiece
from cyclescope.core.units import FloatArray, IntArray
from cyclescope.predicting.intervals import conformal_quantile

_MOST_PIECES = 4  # more follow the noise of the largest sizes, of which there are most
_GRID = 28  # places where a knee can lie, evenly on the log scale
_LEAST_SIZES = 5  # of a piece: a line through fewer follows their noise
_FOLDS = 4
_REPEATS = 6
_WORTH = 0.97  # one more knee must bring the error of what was left out below this share


@dataclass(frozen=True, eq=False)
class Lines:
    """Pieces as columns: from what size on, latency and time of a byte [pieces]."""

    starts: FloatArray
    latency: FloatArray
    rate: FloatArray

    def at(self, sizes: FloatArray) -> FloatArray:
        """Nanoseconds for `sizes` [n]."""
        piece = self.piece(sizes)
        times: FloatArray = self.latency[piece] + self.rate[piece] * sizes
        return times

    def piece(self, sizes: FloatArray) -> IntArray:
        return np.maximum(np.searchsorted(self.starts, sizes, side="right") - 1, 0)


def fit_collective(
    kind: CollectiveKind, ranks: int, hosts: int, sizes: Sequence[float], ns: Sequence[float], source: str
) -> CollectiveCeiling:
    """The ceiling that `ns` [n] of messages of `sizes` [n] bytes make, any order. Raises `ValueError` for fewer than ten sizes."""
    x, y = np.asarray(sizes, dtype=np.float64), np.asarray(ns, dtype=np.float64)
    order = np.argsort(x)
    x, y = x[order], y[order]
    if len(x) < 2 * _LEAST_SIZES or (y <= 0).any():
        raise ValueError("a collective needs ten sizes or more, with times above 0")
    errors, lines = _chosen(x, y)
    piece = lines.piece(x)
    spreads = [conformal_quantile(np.abs(errors[piece == p])) for p in range(len(lines.starts))]
    pieces = tuple(
        CollectivePiece(int(start), float(latency), float(rate), spread)
        for start, latency, rate, spread in zip(lines.starts, lines.latency, lines.rate, spreads, strict=True)
    )
    return CollectiveCeiling(kind, ranks, hosts, pieces, len(x), source)


def _chosen(x: FloatArray, y: FloatArray) -> tuple[FloatArray, Lines]:
    """ln(true ÷ predicted) of each size when it was left out [n], and the lines of all sizes."""
    fold = np.arange(len(x)) % _FOLDS
    folds = [_all_numbers(x[fold != f], y[fold != f]) for f in range(_FOLDS)]
    best: tuple[float, FloatArray, int] | None = None
    for number in range(min(map(len, folds))):
        errors = np.empty(len(x))
        for f, fitted in enumerate(folds):
            errors[fold == f] = np.log(y[fold == f] / fitted[number].at(x[fold == f]))
        mean = float(np.abs(errors).mean())
        if best is None or mean < _WORTH * best[0]:
            best = (mean, errors, number)
    assert best is not None
    whole = _all_numbers(x, y)
    return best[1], whole[min(best[2], len(whole) - 1)]


def _all_numbers(x: FloatArray, y: FloatArray) -> list[Lines]:
    """The best lines of one piece, of two, and so on, for sizes `x` [n] in ascending order."""
    inner = np.exp(np.linspace(np.log(x[0]), np.log(x[-1]), _GRID + 1))[1:-1]
    edges = np.unique([0, *np.searchsorted(x, inner).tolist(), len(x)])
    count = len(edges) - 1
    cost = np.full((count + 1, count + 1), np.inf)
    lines: dict[tuple[int, int], tuple[float, float]] = {}
    for i in range(count):
        for j in range(i + 1, count + 1):
            part = slice(edges[i], edges[j])
            if edges[j] - edges[i] >= min(_LEAST_SIZES, len(x)):
                lines[i, j] = latency, rate = _line(x[part], y[part])
                cost[i, j] = np.abs((latency + rate * x[part]) / y[part] - 1).sum()
    best = np.full(count + 1, np.inf)
    best[0] = 0.0
    chains: list[tuple[int, ...]] = [(0,)] + [()] * count
    found: list[Lines] = []
    for _ in range(_MOST_PIECES):
        total = best[:, None] + cost
        last = total.argmin(axis=0)
        best, chains = total.min(axis=0), [(*chains[int(k)], j) for j, k in enumerate(last)]
        if np.isfinite(best[count]):
            found.append(_of_chain(chains[count], edges, x, lines))
    return found


def _of_chain(
    chain: Sequence[int], edges: IntArray, x: FloatArray, lines: dict[tuple[int, int], tuple[float, float]]
) -> Lines:
    fitted = [lines[i, j] for i, j in pairwise(chain)]
    # A knee lies between the last size before it and the first behind it.
    starts = [0.0] + [float(x[edges[k] - 1] + x[edges[k]]) / 2 for k in chain[1:-1]]
    return Lines(np.asarray(starts), np.asarray([a for a, _ in fitted]), np.asarray([b for _, b in fitted]))


def _line(x: FloatArray, y: FloatArray) -> tuple[float, float]:
    """Latency and time of a byte with the least sum of relative errors, neither below 0."""
    weight = 1.0 / y
    latency, rate = 0.0, 0.0
    for _ in range(_REPEATS):
        w, wx, wy = (weight**2).sum(), (weight**2 * x).sum(), (weight**2 * y).sum()
        wxx, wxy = (weight**2 * x * x).sum(), (weight**2 * x * y).sum()
        determinant = w * wxx - wx * wx
        rate = (w * wxy - wx * wy) / determinant if determinant > 1e-12 * w * wxx else 0.0
        latency = (wy - rate * wx) / w
        if rate < 0:
            rate, latency = 0.0, wy / w
        if latency < 0:
            rate, latency = wxy / wxx, 0.0
        off = np.abs((latency + rate * x) / y - 1)
        weight = 1.0 / y / np.sqrt(np.maximum(off, 0.01))
    return float(latency), float(rate)
