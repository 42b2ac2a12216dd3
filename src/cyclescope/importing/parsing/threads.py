"""Threads of a file as lanes: a process and a thread can be the same numbers on the host and on a device, and are two lanes then."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from cyclescope.core.units import AnyArray, BoolArray
from cyclescope.importing.trace import Codes, Lane, Place

Id = int | str
Thread = tuple[Id, Id]


class Apart(str):
    """The thread of events that are tied by an id and not by a stack: they overlap freely."""

    __slots__ = ()


class Lanes:
    """The lanes of `threads` on which something stands; `titles` are the trace's names of processes (pid, None) and threads."""

    def __init__(
        self, threads: Sequence[Thread], titles: Mapping[tuple[Id, Id | None], str], rank: int,
        thread: AnyArray, on_device: BoolArray,
    ) -> None:  # fmt: skip
        used = np.unique(np.concatenate([thread.astype(np.int64) * 2 + on_device]))
        self._number = np.full(2 * len(threads) + 2, -1, np.int32)
        self._number[used] = np.arange(len(used), dtype=np.int32)
        self.lanes = [self._lane(threads[code // 2], bool(code % 2), titles, rank) for code in used.tolist()]
        self._threads, self._titles, self._rank = threads, titles, rank

    @staticmethod
    def _lane(thread: Thread, on_device: bool, titles: Mapping[tuple[Id, Id | None], str], rank: int) -> Lane:
        pid, tid = thread
        place = Place.DEVICE if on_device else Place.HOST
        return Lane(
            rank,
            place,
            str(pid),
            str(tid),
            titles.get((pid, tid), ""),
            titles.get((pid, None), ""),
            isinstance(tid, Apart),
        )

    def of(self, thread: AnyArray, on_device: BoolArray) -> Codes:
        """[n] the lane of each thread on the host or on a device."""
        found: Codes = self._number[thread.astype(np.int64) * 2 + on_device]
        return found

    def near(self, thread: AnyArray, on_device: bool) -> Codes:
        """[n] the lane of each thread where one is there, `on_device` if there are both; a new one on the host where there is none."""
        code = thread.astype(np.int64) * 2
        first, second = self._number[code + on_device], self._number[code + (not on_device)]
        found = np.where(first >= 0, first, second)
        for missing in np.unique(code[found < 0]).tolist():
            self._number[missing] = len(self.lanes)
            self.lanes.append(self._lane(self._threads[missing // 2], False, self._titles, self._rank))
        return np.where(found >= 0, found, self._number[code]).astype(np.int32)
