"""Kernels that a network cannot tell apart put together before it is trained: a model repeats its layers.

After as many rounds of colour refinement as a network has layers, kernels of one colour have the same row in every layer
(Weisfeiler and Leman, 1968; Xu et al., ICLR 2019), so that one of them stands for all of its colour.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cyclescope.core.units import FloatArray, IntArray

_DECIMALS = 1  # of logarithms by which kernels count as equal: a decode step sees one token more than the one before it


@dataclass(frozen=True, eq=False)
class Merged:
    """The classes of kernels: the first of each [classes], the class of every kernel [kernels], and edges between classes:
    those from which each takes what came before it, and from which what comes behind it, [2, edges] giver and taker.
    """

    first: IntArray
    number: IntArray
    before: IntArray
    behind: IntArray


def merged(rows: FloatArray, segment: IntArray, source: IntArray, target: IntArray, layers: int) -> Merged:
    """The classes of kernels with features `rows` [kernels, inputs] that `layers` layers cannot tell apart."""
    rounded = np.column_stack([np.round(rows, _DECIMALS), segment])
    colour = np.ravel(np.unique(rounded, axis=0, return_inverse=True)[1])
    for _ in range(layers):
        names: dict[object, int] = {}
        keys = zip(
            colour.tolist(), _neighbours(colour, source, target), _neighbours(colour, target, source), strict=True
        )
        colour = np.asarray([names.setdefault(key, len(names)) for key in keys], dtype=np.int64)
    _, first, number = np.unique(colour, return_index=True, return_inverse=True)
    number = np.ravel(number)
    stands = np.zeros(len(rows), dtype=bool)
    stands[first] = True
    before, behind = (
        np.stack([number[giver[stands[taker]]], number[taker[stands[taker]]]])
        for giver, taker in ((source, target), (target, source))
    )
    return Merged(first, number, before, behind)


def _neighbours(colour: IntArray, giver: IntArray, taker: IntArray) -> list[tuple[int, ...]]:
    """The colours of the givers of each kernel, in order."""
    found: list[list[int]] = [[] for _ in range(len(colour))]
    for other, at in zip(colour[giver].tolist(), taker.tolist(), strict=True):
        found[at].append(other)
    return [tuple(sorted(each)) for each in found]
