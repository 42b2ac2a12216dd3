"""Chunks of plain events to columns by compiled code; everything unusual is left to `decoding.py`, which gives the same columns."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from cyclescope.core.units import AnyArray, BoolArray, IntArray
from cyclescope.importing.formats.dialect import Dialect
from cyclescope.importing.parsing.interning import Numbering
from cyclescope.importing.parsing.records import NONE, Record, number_of
from cyclescope.importing.trace import Kind

try:
    from cyclescope.importing.parsing.scanning import _scan
except ImportError:  # no compiler when the package was installed
    _scan = None  # type: ignore[assignment]  # asked for below

if TYPE_CHECKING:
    from cyclescope.importing.formats.arguments import Kept

_NO_TIME, _NO_DURATION, _NEGATIVE, _ODD_ID = 1, 2, 4, 8
_UNKNOWN = -2
_records = msgspec.json.Decoder(list[Record])


def compiled() -> bool:
    """Whether the compiled code is there."""
    return _scan is not None


class Scanned:
    """A chunk in columns, like a `Batch`: numbers of the scanner stand for its names, places and kept arguments.

    Raises `msgspec.DecodeError` where a new name is no UTF-8.
    """

    def __init__(self, text: bytes, columns: _scan.Columns, firsts: _scan.Firsts, table: Translation) -> None:
        named, placed, begin, duration, correlation, external, kept, flags, start, stop, id_, args, args_stop = columns
        self.text, self.table = text, table
        self.named: AnyArray = np.frombuffer(named, np.int32)
        self.placed: AnyArray = np.frombuffer(placed, np.int32)
        self.begin_ns: IntArray = np.frombuffer(begin, np.int64)
        self.duration_ns: IntArray = np.frombuffer(duration, np.int64)
        self.correlation: IntArray = np.frombuffer(correlation, np.int64)
        self.external: IntArray = np.frombuffer(external, np.int64)
        self.kept: AnyArray = np.frombuffer(kept, np.int32)
        marks = np.frombuffer(flags, np.uint8)
        self.timed: BoolArray = (marks & _NO_TIME) == 0
        self.negative: BoolArray = (marks & _NEGATIVE) != 0
        self.no_number: BoolArray = (marks & _NO_DURATION) != 0
        self._odd_id: BoolArray = (marks & _ODD_ID) != 0
        self._start, self._stop = np.frombuffer(start, np.int32), np.frombuffer(stop, np.int32)
        self._args, self._args_stop = np.frombuffer(args, np.int32), np.frombuffer(args_stop, np.int32)
        self._id: IntArray = np.frombuffer(id_, np.int64)
        new_names, new_places, _ = (np.array(rows, np.int64) for rows in firsts)
        self.new_names = _records.decode(self._text_at(new_names))
        self.new_places = _records.decode(self._text_at(new_places))

    def records_at(self, rows: IntArray) -> list[Record]:
        """The records at `rows`, parsed; what is no UTF-8 is replaced."""
        text = self._text_at(rows)
        try:
            return _records.decode(text)
        except msgspec.DecodeError:
            return _records.decode(text.decode("utf-8", "replace"))

    def ids_at(self, rows: IntArray, numbers: Numbering[str]) -> IntArray:
        """What ties marks to each other [rows]; `numbers` gives texts theirs."""
        ids = self._id[rows]
        if len(odd := np.flatnonzero(self._odd_id[rows])):
            ids[odd] = [number_of(record.key, numbers) for record in self.records_at(rows[odd])]
        return ids

    def argument_texts(self, rows: IntArray) -> list[bytes]:
        """The arguments of the events at `rows` as they are written."""
        return [self.text[a:b] for a, b in zip(self._args[rows].tolist(), self._args_stop[rows].tolist(), strict=True)]

    def _text_at(self, rows: IntArray) -> bytes:
        starts, stops = self._start[rows].tolist(), self._stop[rows].tolist()
        return b"[%b]" % b",".join([self.text[a:b] for a, b in zip(starts, stops, strict=True)])

    def arguments(
        self, dialect: Dialect, numbers: dict[Kind, Numbering[Kept]], rows: IntArray, kinds: AnyArray
    ) -> tuple[IntArray, IntArray, AnyArray]:
        """`correlation`, `external` and `detail` [rows]."""
        correlation, external = self.correlation[rows], self.external[rows]
        has_correlation, has_external = self.table.ids.T
        correlation = np.where(has_correlation[kinds], correlation, NONE)
        external = np.where(has_external[kinds], external, NONE)
        detail = np.full(len(rows), NONE, np.int32)
        for kind, reader in dialect.arguments.items():
            if reader.kept and len(at := np.flatnonzero((kinds == kind) & (self.kept[rows] >= 0))):
                codes = self.kept[rows[at]]
                table = self.table.of(kind, int(codes.max()))
                if (table[codes] == _UNKNOWN).any():
                    new, first = np.unique(codes[table[codes] == _UNKNOWN], return_index=True)
                    first = at[table[codes] == _UNKNOWN][first]
                    found = reader.read(self.argument_texts(rows[first]))
                    table[new] = [numbers[kind][kept] if any(kept) else NONE for kept in found.kept]
                detail[at] = table[codes]
        return correlation, external, detail


class Translation:
    """What the numbers of a scanner are in the numberings of a gathering: `named` and `placed`, and by kind those of kept arguments.

    `ids` [kinds, 2] says which kinds have a correlation and an external id.
    """

    def __init__(self, dialect: Dialect) -> None:
        self.named: list[int] = []
        self.placed: list[int] = []
        self._tables: dict[Kind, AnyArray] = {}
        self.ids = np.zeros((max(Kind) + 1, 2), np.bool_)
        for kind, reader in dialect.arguments.items():
            self.ids[kind] = bool(reader.correlation), bool(reader.external)

    def of(self, kind: Kind, most: int) -> AnyArray:
        table = self._tables.get(kind)
        if table is None or len(table) <= most:
            grown = np.full(2 * most + 64, _UNKNOWN, np.int32)
            if table is not None:
                grown[: len(table)] = table
            table = self._tables[kind] = grown
        return table


class Scanning:
    """One scanner for one file. Where it refuses a chunk it has numbered what stands before the reason, and another one is needed."""

    def __init__(self, dialect: Dialect) -> None:
        readers = [*dialect.arguments.values()]
        self._scanner = _scan.Scanner(
            _distinct(reader.correlation for reader in readers), _distinct(reader.external for reader in readers),
            _distinct(reader.kept for reader in readers), secrets.randbits(64),
        )  # fmt: skip
        self._table = Translation(dialect)

    def scan(self, text: bytes) -> Scanned:
        """The events of `text`. Raises `ValueError` where they are not plain, and `msgspec.DecodeError` where a name is no UTF-8."""
        return Scanned(text, *self._scanner.scan(text), self._table)


def _distinct(names: Iterable[Sequence[str]]) -> list[bytes]:
    return [name.encode() for name in dict.fromkeys(name for each in names for name in each)]
