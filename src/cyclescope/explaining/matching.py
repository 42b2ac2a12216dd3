"""Which operation of one graph is which of another: by place, then in sequence order for the rest."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TypeVar

import numpy as np

from cyclescope.core.graph.columns import numbered
from cyclescope.core.graph.graph import Graph
from cyclescope.core.units import IntArray
from cyclescope.explaining.places import Place

Key = TypeVar("Key", bound=Hashable)

# A table of this many cells is aligned exactly; beyond, and beyond so many in all, repeated names are paired in order.
_MOST_CELLS = 4_000_000
_MOST_CELLS_IN_ALL = 100_000_000


@dataclass(frozen=True, eq=False)
class Matching:
    """Operations `a` [m] of the first graph are operations `b` [m] of the second; all others are in one graph only."""

    a: IntArray
    b: IntArray


def match(a: Graph, b: Graph, places_a: Sequence[Place], places_b: Sequence[Place]) -> Matching:
    """Match the operations of `a` with those of `b`, each at most once.

    First by where they stand: place (`places_a` [operations], see `places.places`), layer, step, and which one there.
    What is left is aligned by name within the same stage, layer and step, in sequence order (longest common
    subsequence): modules that were renamed or nested otherwise are found again. Time and memory grow as n log n.
    """
    split = len(a)
    layer, step = np.concatenate([_locations(a), _locations(b)], axis=1)
    location = dense(layer, step)
    exact = _made_unique(dense(numbered(chain(places_a, places_b))[0], location), split)
    first = _shared(exact[:split], exact[split:])
    rest = _others(split, first[0]), _others(len(b), first[1])
    where = dense(numbered(chain(_stages(a), _stages(b)))[0], location)
    names = numbered(chain(a.names, b.names))[0]
    second = _aligned(rest, _sides(where, split), _sides(names, split))
    return Matching(np.concatenate([first[0], second[0]]), np.concatenate([first[1], second[1]]))


def dense(first: IntArray, *others: IntArray) -> IntArray:
    """Numbers [n] for rows of columns, the same for the same row, from 0 on without a gap."""
    code = first
    for column in (None, *others):
        if column is not None:
            low = int(column.min(initial=0))
            code = code * (int(column.max(initial=0)) - low + 1) + (column - low)
        code = np.unique(code, return_inverse=True)[1].reshape(-1)
    return code


def _sides(column: IntArray, split: int) -> tuple[IntArray, IntArray]:
    return column[:split], column[split:]


def _stages(graph: Graph) -> list[str]:
    return [graph.stage_of(i) for i in range(len(graph))]


def _locations(graph: Graph) -> IntArray:
    """Layer and step of every operation [2, n]; −1 where there is none."""
    slots = graph.slots
    sites = np.full((2, len(graph)), -1, dtype=np.int64)
    inside = slots.op >= 0
    sites[0, slots.op[inside]] = slots.layer[inside]
    sites[1, slots.op[inside]] = slots.step[inside]
    return sites


def _made_unique(code: IntArray, split: int) -> IntArray:
    """Numbers [n] of codes on each side of `split` and of how many equal ones came before, so that none is there twice."""
    before = np.concatenate([_occurrence(side) for side in _sides(code, split)])
    return dense(code, before)


def _occurrence(code: IntArray) -> IntArray:
    """How many equal codes came before each [n]."""
    order = np.argsort(code, kind="stable")
    begins = np.flatnonzero(np.diff(code[order], prepend=-1))
    numbers = np.empty(len(code), dtype=np.int64)
    numbers[order] = np.arange(len(code)) - np.repeat(begins, np.diff(begins, append=len(code)))
    return numbers


def _shared(a: IntArray, b: IntArray) -> tuple[IntArray, IntArray]:
    """Indices of the codes that are in both [m], in the order of the first. No code is on one side twice."""
    _, in_a, in_b = np.intersect1d(a, b, assume_unique=True, return_indices=True)
    order = np.argsort(in_a)
    return in_a[order], in_b[order]


def _others(count: int, chosen: IntArray) -> IntArray:
    kept = np.ones(count, dtype=bool)
    kept[chosen] = False
    return np.flatnonzero(kept)


def _aligned(
    rest: tuple[IntArray, IntArray], where: tuple[IntArray, IntArray], names: tuple[IntArray, IntArray]
) -> tuple[IntArray, IntArray]:
    """Pairs of operations among `rest` that stand in the same place of `where` and align by `names`."""
    found: tuple[list[IntArray], list[IntArray]] = ([], [])
    groups = [_split(where[side][rest[side]]) for side in (0, 1)]
    # Layers and steps repeat each other, so most alignments were made before.
    known: dict[tuple[bytes, bytes], tuple[IntArray, IntArray]] = {}
    budget = _MOST_CELLS_IN_ALL
    for key in groups[0].keys() & groups[1].keys():
        members = rest[0][groups[0][key]], rest[1][groups[1][key]]
        texts = names[0][members[0]], names[1][members[1]]
        signature = texts[0].tobytes(), texts[1].tobytes()
        if signature not in known:
            cells = len(texts[0]) * len(texts[1])
            exact = cells <= min(_MOST_CELLS, budget)
            budget -= cells if exact else 0
            known[signature] = common_subsequence(*texts) if exact else paired_in_order(*texts)
        for side in (0, 1):
            found[side].append(members[side][known[signature][side]])
    none = np.zeros(0, dtype=np.int64)
    return np.concatenate([none, *found[0]]), np.concatenate([none, *found[1]])


def _split(code: IntArray) -> dict[int, IntArray]:
    """Indices of each code, in order."""
    order = np.argsort(code, kind="stable")
    begins = np.flatnonzero(np.diff(code[order], prepend=-1))
    return {int(code[part[0]]): part for part in np.split(order, begins[1:]) if len(part)}


def common_subsequence(a: IntArray, b: IntArray) -> tuple[IntArray, IntArray]:
    """Indices [m] of a longest common subsequence of `a` [n] and `b` [k], by the classic table of n × k cells."""
    table = np.zeros((len(a) + 1, len(b) + 1), dtype=np.int32)
    for i, symbol in enumerate(a):
        above = table[i]
        table[i + 1, 1:] = np.maximum.accumulate(np.where(b == symbol, above[:-1] + 1, above[1:]))
    i, j = len(a), len(b)
    pairs = []
    while i and j:
        if table[i, j] == table[i - 1, j]:
            i -= 1
        elif table[i, j] == table[i, j - 1]:
            j -= 1
        else:
            i, j = i - 1, j - 1
            pairs.append((i, j))
    indices = np.asarray(pairs[::-1], dtype=np.int64).reshape(-1, 2)
    return indices[:, 0], indices[:, 1]


def paired_in_order(a: IntArray, b: IntArray) -> tuple[IntArray, IntArray]:
    """Indices [m] of a common subsequence of `a` [n] and `b` [k] that need not be the longest, in n log n.

    The first of a symbol goes with the first, the second with the second; of these pairs the longest chain that rises
    on both sides is kept (patience sorting).
    """
    unique = _made_unique(np.concatenate([a, b]), len(a))
    of_a, of_b = _shared(unique[: len(a)], unique[len(a) :])
    tops: list[int] = []
    top_at: list[int] = []
    before = np.full(len(of_b), -1, dtype=np.int64)
    for k, value in enumerate(of_b.tolist()):
        height = bisect_left(tops, value)
        if height:
            before[k] = top_at[height - 1]
        tops[height : height + 1] = [value]
        top_at[height : height + 1] = [k]
    rising = []
    k = top_at[-1] if top_at else -1
    while k >= 0:
        rising.append(k)
        k = int(before[k])
    kept = np.asarray(rising[::-1], dtype=np.int64)
    return of_a[kept], of_b[kept]
