"""A sum of decision trees, evaluated in numpy for many rows at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cyclescope.core.units import AnyArray, FloatArray, IntArray

MOST_LEAVES = 64  # one bit each of the widest whole number
_BLOCK = 8192  # rows at a time, so that their columns stay in the second-level cache


@dataclass(frozen=True, eq=False)
class Trees:
    """`intercept` plus one leaf of each tree.

    Leaves are numbered from left to right. Node j of tree t sends a row right where its `feature[t, j]` is above
    `threshold[t, j]`, which rules out the leaves of its left side, the bits of `ruled_out[t, j]`; the leaf of a row is
    the first that is not ruled out, whatever the order of the nodes (Lucchese et al., QuickScorer, SIGIR 2015). Trees
    with fewer nodes are filled up with thresholds of infinity.

    feature, threshold, ruled_out [trees, nodes]; leaf [trees, nodes + 1].
    """

    intercept: float
    feature: IntArray
    threshold: FloatArray
    ruled_out: AnyArray
    leaf: FloatArray

    def __post_init__(self) -> None:
        trees, leaves = self.leaf.shape if self.leaf.ndim == 2 else (0, 0)
        shapes = {self.feature.shape, self.threshold.shape, self.ruled_out.shape}
        if shapes != {(trees, leaves - 1)} or not 1 <= leaves <= MOST_LEAVES:
            raise ValueError("the nodes and leaves of trees differ in number")
        kinds = [array.dtype.str[1:] for array in (self.feature, self.threshold, self.ruled_out, self.leaf)]
        if kinds != ["i8", "f8", "u8", "f8"]:
            raise ValueError("the nodes of trees are of another type")
        if not np.isfinite(self.leaf).all() or np.isnan(self.threshold).any() or (self.feature < 0).any():
            raise ValueError("a node of a tree is no number")
        if (self.ruled_out >> np.uint64(leaves - 1)).any():
            raise ValueError("a tree rules out all of its leaves")

    @property
    def columns(self) -> int:
        """The least number of columns that a row must have."""
        return int(self.feature.max(initial=-1)) + 1

    def evaluate(self, rows: FloatArray) -> FloatArray:
        """Its value for each of `rows` [n, columns]."""
        total = np.full(len(rows), self.intercept)
        narrow = np.dtype(f"u{max(1, 1 << (self.leaf.shape[1] - 1).bit_length() >> 3)}")
        ruled_out = self.ruled_out.astype(narrow)
        for start in range(0, len(rows), _BLOCK):
            part = slice(start, start + _BLOCK)
            columns = np.ascontiguousarray(rows[part].T)
            for tree in range(len(self.leaf)):
                total[part] += self._leaves(tree, columns, ruled_out[tree])
        return total

    def _leaves(self, tree: int, columns: FloatArray, ruled_out: AnyArray) -> FloatArray:
        gone = np.zeros(columns.shape[1], dtype=ruled_out.dtype)
        above = np.empty(len(gone), dtype=np.bool_)
        bits = np.empty_like(gone)
        for feature, threshold, mask in zip(self.feature[tree], self.threshold[tree], ruled_out, strict=True):
            if threshold == np.inf:
                continue
            np.greater(columns[feature], threshold, out=above)
            np.multiply(above, mask, out=bits)
            np.bitwise_or(gone, bits, out=gone)
        first = np.bitwise_count(gone & ~(gone + gone.dtype.type(1)))  # the ones below the lowest zero
        leaves: FloatArray = self.leaf[tree, first]
        return leaves
