"""Columns that look like sequences of Python objects, and make an object only where one is asked for."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar, overload

import numpy as np

from cyclescope.core.units import BoolArray, IntArray

T = TypeVar("T")
K = TypeVar("K", bound=Hashable)


class Rows(Sequence[T]):
    """Rows of a table that is kept in columns. Equal to every sequence of equal rows; a slice is a tuple."""

    @abstractmethod
    def row(self, index: int) -> T:
        """Row `index`, from 0 up to and without the length."""

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[T, ...]: ...
    def __getitem__(self, index: int | slice) -> T | tuple[T, ...]:
        if isinstance(index, slice):
            return tuple(self.row(i) for i in range(*index.indices(len(self))))
        at = index + len(self) if index < 0 else index
        if not 0 <= at < len(self):
            raise IndexError(f"row {index} of {len(self)}")
        return self.row(at)

    def __iter__(self) -> Iterator[T]:
        return map(self.row, range(len(self)))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sequence) or isinstance(other, str):
            return NotImplemented
        return len(self) == len(other) and all(a == b for a, b in zip(self, other, strict=True))

    __hash__ = None  # type: ignore[assignment]  # rows may hold what cannot be hashed

    def __repr__(self) -> str:
        return repr(tuple(self))


@dataclass(frozen=True, eq=False, repr=False)
class Labels(Rows[K]):
    """A name (a text, or another value) for each of many things, of which few differ: `numbers` [n] are positions in `names`.

    `names` are distinct; not every one of them need appear.
    """

    numbers: IntArray
    names: tuple[K, ...]

    @staticmethod
    def of(labels: Iterable[K]) -> Labels[K]:
        """`labels` as a column; `names` are those that appear, in order of their first appearance."""
        if isinstance(labels, Labels):
            return labels.in_order
        numbers, names = numbered(labels)
        return Labels(numbers, tuple(names))

    def __len__(self) -> int:
        return len(self.numbers)

    def row(self, index: int) -> K:
        return self.names[int(self.numbers[index])]

    def __iter__(self) -> Iterator[K]:
        return map(self.names.__getitem__, self.numbers.tolist())

    @property
    def present(self) -> tuple[K, ...]:
        """The names that appear, in order of their first appearance."""
        return self.in_order.names

    @cached_property
    def in_order(self) -> Labels[K]:
        """The same with `names` that all appear, in order of their first appearance."""
        numbers, present = in_order_of_appearance(self.numbers)
        if np.array_equal(present, np.arange(len(self.names))):
            return self
        return Labels(numbers, tuple(map(self.names.__getitem__, present.tolist())))

    def where(self, wanted: Callable[[K], bool]) -> BoolArray:
        """Mask [n] of those whose name is `wanted`; asked once for each name."""
        mask: BoolArray = np.fromiter(map(wanted, self.names), np.bool_, len(self.names))[self.numbers]
        return mask


def numbered(keys: Iterable[T]) -> tuple[IntArray, list[T]]:
    """Number of each key [n], and the distinct keys in order of first appearance."""
    numbers: dict[Any, int] = {}
    listed = [numbers.setdefault(key, len(numbers)) for key in keys]
    return np.asarray(listed, dtype=np.int64), list(numbers)


def in_order_of_appearance(keys: IntArray) -> tuple[IntArray, IntArray]:
    """Number of each of `keys` [n], by first appearance (of a negative one: −1), and the distinct keys by their number."""
    distinct, first, number = np.unique(keys, return_index=True, return_inverse=True)
    none = int(np.searchsorted(distinct, 0))
    order = np.argsort(first[none:], kind="stable") + none
    rank = np.full(len(distinct), -1, dtype=np.int64)
    rank[order] = np.arange(len(order))
    return rank[number], distinct[order]
