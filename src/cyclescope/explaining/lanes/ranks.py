"""Ranks side by side: how long each is busy by itself, how long it waits for the others, and which one they wait for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cyclescope.core.lanes import EventKind, LaneSamples
from cyclescope.core.units import IntArray
from cyclescope.explaining.lanes.accounts import DeviceAccount


@dataclass(frozen=True, slots=True)
class RankRow:
    """One rank over its windows: `own_ns` = `total_ns` − its exposed communication is what the others may wait for.

    `last` counts the collectives at which it arrives last; it is 0 for all where the clocks do not let that be known.
    """

    rank: int
    steps: int
    total_ns: int
    compute_ns: int
    communication_ns: int
    idle_ns: int
    own_ns: int
    last: int


@dataclass(frozen=True, slots=True)
class Ranks:
    """All ranks of a trace. `slowest` is the one with the longest `own_ns`; `skew` is that ÷ the shortest − 1.

    Of `collectives` that all ranks have in one order, arrivals are apart by `apart_ns` (median) and at most `most_apart_ns`;
    `comparable` says whether the clocks agree, so that this means anything.
    """

    rows: tuple[RankRow, ...]
    slowest: int
    skew: float
    collectives: int
    apart_ns: float
    most_apart_ns: int
    comparable: bool


def compare_ranks(
    lanes: LaneSamples, windows: Sequence[tuple[int, IntArray]], accounts: Sequence[DeviceAccount]
) -> Ranks | None:
    """The ranks of `windows` (rank, its windows) side by side; None where there is only one."""
    if len(windows) < 2:
        return None
    arrivals, comparable = _arrivals(lanes, [rank for rank, _ in windows])
    last = np.argmax(arrivals, axis=0) if comparable and arrivals.size else np.zeros(0, dtype=np.int64)
    rows = []
    for k, (rank, bounds) in enumerate(windows):
        mine = [account for account in accounts if account.rank == rank]
        total = int((bounds[:, 1] - bounds[:, 0]).sum())
        communication = sum(account.communication_ns for account in mine)
        compute, idle = sum(account.compute_ns for account in mine), sum(account.idle_ns for account in mine)
        rows.append(
            RankRow(
                rank, len(bounds), total, compute, communication, idle, total - communication, int((last == k).sum())
            )
        )
    own = [row.own_ns / max(1, row.steps) for row in rows]
    apart = arrivals.max(axis=0) - arrivals.min(axis=0) if arrivals.size else np.zeros(0, dtype=np.int64)
    return Ranks(
        tuple(rows),
        rows[int(np.argmax(own))].rank,
        max(own) / min(own) - 1 if min(own) > 0 else 0.0,
        arrivals.shape[1] if arrivals.size else 0,
        float(np.median(apart)) if len(apart) else 0.0,
        int(apart.max(initial=0)),
        comparable,
    )


def _arrivals(lanes: LaneSamples, ranks: Sequence[int]) -> tuple[IntArray, bool]:
    """When each rank begins each collective [ranks, collectives], and whether their clocks agree.

    No rank leaves a collective before the last one has arrived; where that is so for all of them the clocks agree.
    """
    columns, ends, names = [], [], []
    for rank in ranks:
        mine = (lanes.kind == EventKind.COMMUNICATION) & (lanes.lane_rank[lanes.lane] == rank)
        rows = np.flatnonzero(mine)
        rows = rows[np.argsort(lanes.begin_ns[rows], kind="stable")]
        columns.append(lanes.begin_ns[rows])
        ends.append(lanes.end_ns[rows])
        names.append(lanes.name[rows])
    if not len(names[0]) or any(not np.array_equal(names[0], other) for other in names[1:]):
        return np.zeros((len(ranks), 0), dtype=np.int64), False
    arrived, left = np.asarray(columns), np.asarray(ends)
    return arrived, bool(np.mean(arrived.max(axis=0) <= left.min(axis=0)) > 0.95)
