"""Which rows to measure, chosen by their shape alone: the centres of as many clusters as may be measured."""

from __future__ import annotations

import numpy as np

from cyclescope.core.units import FloatArray, IntArray
from cyclescope.predicting.regression.domain import scale_of

_ROUNDS = 15
_MOST = 3000


def spread_out(shapes: FloatArray, count: int, seed: int) -> IntArray:
    """`count` rows of `shapes` [n, columns] nearest to the centres of clusters (k-means, Lloyd 1982, begun as k-means++).

    Of more than 3,000 rows that many are looked at, at random.
    """
    rng = np.random.default_rng(seed)
    looked_at = rng.permutation(len(shapes))[:_MOST]
    points = (shapes[looked_at] - shapes.mean(axis=0)) / scale_of(shapes)
    if count >= len(points):
        return np.sort(looked_at)
    centres = points[_begin(points, count, rng)]
    for _ in range(_ROUNDS):
        nearest = _squared(points, centres).argmin(axis=1)
        size = np.bincount(nearest, minlength=count)
        sums = np.stack([np.bincount(nearest, column, count) for column in points.T], axis=1)
        centres = np.where(size[:, None] > 0, sums / np.maximum(size, 1)[:, None], centres)
    chosen: list[int] = []
    taken = np.zeros(len(points), dtype=np.bool_)
    for distance in _squared(points, centres).T:
        best = int(np.where(taken, np.inf, distance).argmin())
        taken[best] = True
        chosen.append(best)
    return np.sort(looked_at[chosen])


def _begin(points: FloatArray, count: int, rng: np.random.Generator) -> list[int]:
    """Each next point with a probability in proportion to its squared distance from those before."""
    chosen = [int(rng.integers(len(points)))]
    distance = _squared(points, points[chosen])[:, 0]
    while len(chosen) < count:
        total = distance.sum()
        chosen.append(int(rng.choice(len(points), p=distance / total)) if total > 0 else int(rng.integers(len(points))))
        distance = np.minimum(distance, _squared(points, points[chosen[-1:]])[:, 0])
    return chosen


def _squared(a: FloatArray, b: FloatArray) -> FloatArray:
    squared = np.einsum("ij,ij->i", a, a)[:, None] + np.einsum("ij,ij->i", b, b) - 2 * a @ b.T
    return np.maximum(squared, 0.0)
