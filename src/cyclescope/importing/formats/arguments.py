"""The arguments of events of one kind: two ids as numbers, and some values as their own text, which is compared but not parsed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

import msgspec

from cyclescope.importing.parsing.records import NONE

# The texts of the kept values of one event, in the order of `ArgumentReader.kept`; empty where it has none.
Kept = tuple[bytes, ...]

_MOST_ID = 1 << 63


@dataclass(frozen=True)
class Arguments:
    """Of some events, a list each. `kept` is empty where their reader keeps nothing."""

    correlation: list[int]
    external: list[int]
    kept: list[Kept]


class ArgumentReader:
    """`correlation` and `external` are the names of the ids, in the order in which they are looked for; `kept` those of the values."""

    def __init__(self, correlation: Sequence[str] = (), external: Sequence[str] = (), kept: Sequence[str] = ()) -> None:
        self.kept = tuple(kept)
        self.correlation, self.external = tuple(correlation), tuple(external)
        ids = [*self.correlation, *self.external]
        rename = {f"i{n}": name for n, name in enumerate(ids)} | {f"k{n}": name for n, name in enumerate(kept)}
        columns: list[tuple[str, Any, Any]] = [(f"i{n}", int, NONE) for n in range(len(ids))]
        columns += [(f"k{n}", msgspec.Raw, msgspec.Raw()) for n in range(len(kept))]
        fitting = msgspec.defstruct("Fitting", columns, rename=rename, gc=False)
        self._decoder = msgspec.json.Decoder(list[fitting], strict=False)  # type: ignore[valid-type]
        self._kept_texts = attrgetter(*(f"k{n}" for n in range(len(kept)))) if len(kept) > 1 else None

    def read(self, raws: Sequence[Any]) -> Arguments:
        """`raws` are the texts of the arguments; one that is empty has none. Values that do not fit are left out."""
        texts = raws if all(raws) else [raw if raw else b"{}" for raw in raws]
        try:
            found = self._decoder.decode(b"[%b]" % b",".join(texts))
        except (msgspec.DecodeError, RecursionError):
            return self._loose([_values(raw) for raw in texts])
        first = len(self.correlation)
        return Arguments(
            _first_of(found, range(first)),
            _first_of(found, range(first, first + len(self.external))),
            self._kept(found),
        )

    def _kept(self, found: Sequence[Any]) -> list[Kept]:
        if self._kept_texts is None:
            return [(bytes(a.k0),) for a in found] if self.kept else []
        return [tuple(map(bytes, texts)) for texts in map(self._kept_texts, found)]

    def _loose(self, found: Sequence[Mapping[str, Any]]) -> Arguments:
        def ids(names: Sequence[str]) -> list[int]:
            return [next((number for name in names if (number := _id(a.get(name))) != NONE), NONE) for a in found]

        kept = [tuple(msgspec.json.encode(a[name]) if name in a else b"" for name in self.kept) for a in found]
        return Arguments(ids(self.correlation), ids(self.external), kept if self.kept else [])


class WholeReader(ArgumentReader):
    """Keeps all arguments, as they stand there."""

    def read(self, raws: Sequence[Any]) -> Arguments:
        none = [NONE] * len(raws)
        return Arguments(none, none, [(bytes(raw).strip(),) for raw in raws])


# `kept` without a name: the text of the arguments is the record.
WHOLE = WholeReader(kept=("",))


def _first_of(found: Sequence[Any], numbers: range) -> list[int]:
    """Of each of `found` the first of the ids `numbers` that it has."""
    if not numbers:
        return [NONE] * len(found)
    first = attrgetter(f"i{numbers[0]}")
    ids: list[int] = [*map(first, found)]
    for number in numbers[1:]:
        other = attrgetter(f"i{number}")
        ids = [own if own != NONE else other(a) for own, a in zip(ids, found, strict=True)]
    return [own if -_MOST_ID <= own < _MOST_ID else NONE for own in ids] if _outside(ids) else ids


def _outside(ids: Sequence[int]) -> bool:
    return bool(ids) and (min(ids) < -_MOST_ID or max(ids) >= _MOST_ID)


def _values(raw: Any) -> Mapping[str, Any]:
    try:
        found = msgspec.json.decode(raw)
    except (msgspec.DecodeError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _id(value: Any) -> int:
    """`value` as an id, or −1."""
    if isinstance(value, str):
        try:
            value = int(value, 0)
        except ValueError:
            return NONE
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    fits = isinstance(value, int) and not isinstance(value, bool) and -_MOST_ID <= value < _MOST_ID
    return value if fits else NONE
