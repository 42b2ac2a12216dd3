"""Who must finish before whom: found in columns, by sorting, for all operations at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cyclescope.core.units import BoolArray, IntArray


@dataclass(frozen=True, slots=True)
class Dependencies:
    """Edges `source` → `target` [m] between operations, and the tensor each goes through.

    `carries_data` [m] is False for an ordering edge (a write in place that must wait for an earlier reader).
    """

    source: IntArray
    target: IntArray
    tensor: IntArray
    carries_data: IntArray


@dataclass(frozen=True, eq=False)
class Entries:
    """Tensors that operations read or write, in order of time: operation, tensor and its storage [entries]."""

    op: IntArray
    tensor: IntArray
    storage: IntArray

    def __len__(self) -> int:
        return len(self.op)

    @staticmethod
    def of(offsets: IntArray, tensors: IntArray, storage_of: IntArray) -> Entries:
        """Those of the compressed rows `offsets` and `tensors`; `storage_of` [tensors of the graph], from 0 without gaps."""
        op = np.repeat(np.arange(len(offsets) - 1, dtype=np.int64), np.diff(offsets))
        return Entries(op, tensors, storage_of[tensors])

    def taken(self, chosen: IntArray | BoolArray) -> Entries:
        return Entries(self.op[chosen], self.tensor[chosen], self.storage[chosen])


def find_dependencies(reads: Entries, writes: Entries, is_view: BoolArray, in_place: BoolArray) -> Dependencies:
    """The edges, by target; each pair of operations has one, its first. `is_view` and `in_place` are by operation [n].

    A read depends on the last write to its memory, and on the maker of the tensor (of a view: on who made the view). A
    write in place waits for those that have read that memory since it was last written. O((reads + writes) log n).
    """
    n = len(is_view)
    real = writes.taken(~is_view[writes.op])
    writer = _last_before(real.storage, real.op, reads.storage, reads.op, n)
    maker = _last_before(writes.tensor, writes.op, reads.tensor, reads.op, n)
    waits, reader = _waiting(reads, real.taken(in_place[real.op]), real, n)
    source = np.concatenate([np.stack([writer, maker], axis=1).reshape(-1), reader])
    target = np.concatenate([np.repeat(reads.op, 2), waits.op])
    tensor = np.concatenate([np.repeat(reads.tensor, 2), waits.tensor])
    data = np.concatenate([np.ones(2 * len(reads), dtype=np.int64), np.zeros(len(waits), dtype=np.int64)])
    known = np.flatnonzero((source >= 0) & (source != target))
    known = known[np.argsort(target[known], kind="stable")]  # reads stand before writes: so they do for each target
    source, target, tensor, data = source[known], target[known], tensor[known], data[known]
    first = _first_of_each(target * n + source)
    return Dependencies(source[first], target[first], tensor[first], data[first])


def _first_of_each(keys: IntArray) -> IntArray:
    """Positions of the first of equal `keys`, ascending."""
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    fresh = np.ones(len(keys), dtype=bool)
    fresh[1:] = ordered[1:] != ordered[:-1]
    return np.sort(order[fresh])


def _last_before(held: IntArray, at: IntArray, wanted: IntArray, before: IntArray, n: int) -> IntArray:
    """Of the events on `held` at operation `at` [events], the operation of the last one on what is `wanted` that stands
    `before` [questions]; −1 where there is none. `at` < n is ascending.
    """
    order = np.argsort(held, kind="stable")
    keys = held[order] * n + at[order]
    found = np.searchsorted(keys, wanted * n + before) - 1
    last = order[np.maximum(found, 0)] if len(order) else np.zeros(len(wanted), dtype=np.int64)
    if not len(order):
        return np.full(len(wanted), -1, dtype=np.int64)
    there = (found >= 0) & (held[last] == wanted)
    return np.where(there, at[last], -1)


def _waiting(reads: Entries, in_place: Entries, writes: Entries, n: int) -> tuple[Entries, IntArray]:
    """Every write in place once for each operation that read that memory since the last of all `writes` to it, and
    that operation.
    """
    once = in_place.taken(_first_of_each(in_place.op * (int(in_place.storage.max(initial=0)) + 1) + in_place.storage))
    since = _last_before(writes.storage, writes.op, once.storage, once.op, n)
    order = np.argsort(reads.storage, kind="stable")
    keys = reads.storage[order] * n + reads.op[order]
    begin = np.searchsorted(keys, once.storage * n + since + 1)
    count = np.searchsorted(keys, once.storage * n + once.op) - begin
    # The readers of each stand together in the order of storage and time.
    start = np.cumsum(count) - count
    which = np.repeat(np.arange(len(once), dtype=np.int64), count)
    at = np.arange(len(which), dtype=np.int64) - start[which] + begin[which]
    return once.taken(which), reads.op[order[at]]
