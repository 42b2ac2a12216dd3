"""How much memory is touched between one touch of a block and the next (Mattson, Gecsei, Slutz and Traiger, 1970)."""

from __future__ import annotations

import numpy as np

from cyclescope.core.units import IntArray


def stack_distances(blocks: IntArray, sizes: IntArray) -> IntArray:
    """Bytes of the distinct blocks touched since each touch's own block was, itself included [touches].

    `blocks` [touches] says which block is touched, in order of time, and `sizes` [touches] how many bytes of it. The
    touches repeat for ever, as a steady cycle does: the first touch of a block follows upon its last one in the
    cycle before. A cache that evicts what was used longest ago hits if it has at least this capacity. A block counts
    with the bytes of its latest touch. O(n log n), without a loop over touches.

    `sizes` [touches, cases] are several cases with the same blocks, and so is what is returned.
    """
    if not len(blocks):
        return np.zeros(sizes.shape, dtype=np.int64)
    # What the cycle before left behind is one touch of each block, in the order of their last touches.
    _, from_end = np.unique(blocks[::-1], return_index=True)
    left = np.sort(len(blocks) - 1 - from_end)
    before = len(left)
    block, size = np.concatenate([blocks[left], blocks]), np.concatenate([sizes[left], sizes])
    touch = np.arange(before, len(block))
    last = _previous(block)[before:]
    total = np.concatenate([np.zeros((1, *size.shape[1:]), dtype=np.int64), np.cumsum(size, axis=0)])
    between = total[touch] - total[last + 1]
    # A touch counts only if it is the latest of its block: those whose block is touched again in between do not.
    again = _larger_before(_ranks(last, len(block)), size[last])
    distances: IntArray = between - again + size[touch]
    return distances


def _previous(block: IntArray) -> IntArray:
    """Position of the touch of the same block before each touch [touches]; −1 for the first."""
    order = np.argsort(block, kind="stable")
    same = block[order[1:]] == block[order[:-1]]
    previous = np.full(len(block), -1, dtype=np.int64)
    previous[order[1:][same]] = order[:-1][same]
    return previous


def _ranks(values: IntArray, end: int) -> IntArray:
    """Rank of each of distinct `values` [n], which are from 0 up to and without `end`."""
    there = np.zeros(end, dtype=np.int64)
    there[values] = 1
    ranks: IntArray = (np.cumsum(there) - 1)[values]
    return ranks


def _larger_before(ranks: IntArray, weights: IntArray) -> IntArray:
    """Sum of the weights [n, …] of what stands before each element and is larger [n, …]; `ranks` are a permutation of 0 … n − 1.

    The elements are sorted bit by bit, the highest first, stably: before each pass, those that agree in the higher bits
    stand together in their first order, from the position that these bits spell. Among them, what has the next bit
    set is larger than what has not.
    """
    n = len(ranks)
    result = np.zeros(weights.shape, dtype=np.int64)
    # Half as wide as usual, since moving them is what takes the time; there are not 2³¹ touches in a graph.
    rank, home, place = ranks.astype(np.int32), np.arange(n, dtype=np.int32), np.arange(n, dtype=np.int32)
    ones, heavy = np.zeros(n + 1, dtype=np.int32), np.zeros((n + 1, *weights.shape[1:]), dtype=np.int64)
    weight, order = weights, np.empty(n, dtype=np.int32)
    for bit in range(max(n - 1, 0).bit_length() - 1, -1, -1):
        high = (rank >> bit) & 1
        start = (rank >> (bit + 1)) << (bit + 1)
        np.cumsum(high, out=ones[1:])
        np.cumsum((weight.T * high).T, axis=0, out=heavy[1:])
        low = np.flatnonzero(high == 0)
        result[home[low]] += heavy[low] - heavy[start[low]]
        ones_before = ones[:-1] - ones[start]
        order[np.where(high, start + (1 << bit) + ones_before, place - ones_before)] = place
        rank, weight, home = rank[order], weight[order], home[order]
    return result
