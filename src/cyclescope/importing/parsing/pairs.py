"""Beginnings and ends that stand apart: B with E on a thread, b with e and S with F by id, and the arrows s, t, f."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np

from cyclescope.core.units import AnyArray, IntArray
from cyclescope.importing.parsing.gathering import PHASES

Table = dict[str, AnyArray]

_BEGIN, _END = PHASES["B"], PHASES["E"]
_ASYNC_BEGIN, _ASYNC_END = (PHASES["b"], PHASES["S"]), (PHASES["e"], PHASES["F"])
_START, _STEP, _FINISH = PHASES["s"], PHASES["t"], PHASES["f"]


@dataclass(frozen=True)
class Matched:
    """Positions of beginnings and of their ends, and how many of each had no partner."""

    begins: IntArray
    ends: IntArray
    without_end: int
    without_begin: int


def on_threads(marks: Table) -> Matched:
    """An E ends the latest B of its thread that is open. At equal times the order of the file holds."""
    rows = np.flatnonzero(np.isin(marks["phase"], (_BEGIN, _END)))
    rows = rows[np.lexsort((marks["at_ns"][rows], marks["thread"][rows]))]
    return _matched(rows, marks["thread"][rows], marks["phase"][rows] == _BEGIN)


def by_id(marks: Table) -> Matched:
    """An end closes the latest open beginning of its category, id and name."""
    begins = np.isin(marks["phase"], _ASYNC_BEGIN)
    rows = np.flatnonzero(begins | np.isin(marks["phase"], _ASYNC_END))
    rows = rows[np.argsort(marks["at_ns"][rows], kind="stable")]
    keys = np.stack([marks[name][rows] for name in ("category", "id", "name")], axis=1)
    _, group = np.unique(keys, axis=0, return_inverse=True)
    return _matched(rows, group.reshape(-1), begins[rows])


def _matched(rows: IntArray, groups: AnyArray, begins: AnyArray) -> Matched:
    """Ends with the latest open beginning of their group, in the order of `rows`."""
    open_: defaultdict[int, list[int]] = defaultdict(list)
    pairs, lost = [], 0
    for row, group, is_begin in zip(rows.tolist(), groups.tolist(), begins.tolist(), strict=True):
        if is_begin:
            open_[group].append(row)
        elif open_[group]:
            pairs.append((open_[group].pop(), row))
        else:
            lost += 1
    found = np.array(pairs, np.int64).reshape(-1, 2)
    return Matched(found[:, 0], found[:, 1], sum(map(len, open_.values())), lost)


def arrows(marks: Table) -> tuple[IntArray, IntArray]:
    """Positions of both ends of each arrow: every t and f with the latest s or t of its name and id, or with the first if all are later."""
    rows = np.flatnonzero(np.isin(marks["phase"], (_START, _STEP, _FINISH)))
    order = np.lexsort((marks["phase"][rows] != _START, marks["at_ns"][rows], marks["id"][rows], marks["name"][rows]))
    rows = rows[order]
    if not len(rows):
        return rows, rows
    name, number, phase = marks["name"][rows], marks["id"][rows], marks["phase"][rows]
    first = np.r_[True, (np.diff(name) != 0) | (np.diff(number) != 0)]
    group = np.cumsum(first) - 1
    place = np.arange(len(rows))
    source = np.where(phase == _FINISH, -1, place)
    before = np.maximum.accumulate(np.r_[-1, source[:-1]])
    starts = np.full(group[-1] + 1, -1)
    at = np.flatnonzero(source >= 0)[::-1]
    starts[group[at]] = at  # the first of a group is written last
    inside = (before >= 0) & (group[np.maximum(before, 0)] == group)
    origin = np.where(inside, before, starts[group])
    to = np.flatnonzero((phase != _START) & (origin >= 0) & (origin != place))
    return rows[origin[to]], rows[to]
