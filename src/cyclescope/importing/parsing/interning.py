"""Numbers for things that repeat: names, lanes, records of arguments."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TypeVar

K = TypeVar("K", bound=Hashable)


class Numbering(dict[K, int]):
    """Thing to number, in order of the first appearance: `numbers[thing]` is a look-up, and gives a new thing its number."""

    def __missing__(self, thing: K) -> int:
        self[thing] = number = len(self)
        return number
