"""Texts of events to records and times, in whole numbers of nanoseconds."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

import msgspec
import numpy as np

from cyclescope.core.units import AnyArray, BoolArray, FloatArray, IntArray
from cyclescope.importing.formats.arguments import Kept
from cyclescope.importing.formats.dialect import Dialect
from cyclescope.importing.parsing.interning import Numbering
from cyclescope.importing.parsing.records import NONE, LooseRecord, Record, TimeText, number_of
from cyclescope.importing.trace import Kind

# Microseconds from here on do not keep three decimals in 53 bits: 2^43 µs are 102 days. Clocks that count from 1970 lie above.
_INEXACT_US = float(1 << 42)
# Microseconds since 1970 reach this in the year 5138; what is larger counts nanoseconds.
_NANOSECONDS = 1e17
_FEW = 64
# Nanoseconds that fit into 64 bits, with room for sums.
_MOST_NS = 1 << 62

_strict = msgspec.json.Decoder(list[Record])
_loose = msgspec.json.Decoder(list[LooseRecord])
_times = msgspec.json.Decoder(list[TimeText])


@dataclass(frozen=True)
class Batch:
    """Records with their times: `begin_ns`, `duration_ns` [n]; `timed` is false where there is no time that can be,
    `negative` where the duration is, and `no_number` where there is none; both are 0 then.
    """

    records: list[Record]
    begin_ns: IntArray
    duration_ns: IntArray
    timed: BoolArray
    negative: BoolArray
    no_number: BoolArray

    def records_at(self, rows: IntArray) -> list[Record]:
        return [self.records[i] for i in rows.tolist()]

    def ids_at(self, rows: IntArray, numbers: Numbering[str]) -> IntArray:
        """What ties marks to each other [rows]; `numbers` gives texts theirs."""
        return np.array([number_of(record.key, numbers) for record in self.records_at(rows)], np.int64)

    def argument_texts(self, rows: IntArray) -> list[bytes]:
        """The arguments of the events at `rows` as they are written."""
        return [bytes(record.args) for record in self.records_at(rows)]

    def arguments(
        self, dialect: Dialect, numbers: dict[Kind, Numbering[Kept]], rows: IntArray, kinds: AnyArray
    ) -> tuple[IntArray, IntArray, AnyArray]:
        """`correlation`, `external` and `detail` [rows]; `numbers` gives new details theirs."""
        correlation, external = np.full(len(rows), NONE, np.int64), np.full(len(rows), NONE, np.int64)
        detail = np.full(len(rows), NONE, np.int32)
        for kind in np.unique(kinds).tolist():
            reader = dialect.arguments.get(kind)
            if reader is None:
                continue
            at = np.flatnonzero(kinds == kind)
            found = reader.read([record.args for record in self.records_at(rows[at])])
            correlation[at], external[at] = found.correlation, found.external
            if found.kept:
                detail[at] = [numbers[kind][kept] if any(kept) else NONE for kept in found.kept]
        return correlation, external, detail


class Decoder:
    """Becomes `exact` when times need more than 53 bits, and stays so. `text_times` counts events whose times were texts."""

    def __init__(self) -> None:
        self.exact = False
        self.nanoseconds = False
        self.text_times = 0

    def batch(self, text: bytes) -> Batch:
        """The events of `text`, which stand between commas. Raises `msgspec.DecodeError` and `RecursionError`."""
        listed = b"[%b]" % text
        try:
            records = _strict.decode(listed)
        except msgspec.ValidationError:
            records = self._loosened(_loose.decode(listed))
        return self.timed(records, listed)

    def _loosened(self, loose: list[LooseRecord]) -> list[Record]:
        strict = [record.strict() for record in loose]
        self.text_times += sum(was_text for _, was_text in strict)
        return [record for record, _ in strict]

    def timed(self, records: list[Record], listed: bytes) -> Batch:
        """`records` with their times; `listed` is the text that they were parsed from, or empty where their floats are all there is."""
        ts = np.array([r.ts for r in records], np.float64)
        dur = np.array([r.dur for r in records], np.float64)
        with np.errstate(invalid="ignore"):
            large = np.abs(ts) >= _INEXACT_US
            self.exact = self.exact or bool((ts[large] % 1 != 0).any())
            self.nanoseconds = self.nanoseconds or bool((ts >= _NANOSECONDS).any())
        scale = 1 if self.nanoseconds else 1000
        begin, timed = _whole(ts, scale)
        # Of few times all may look whole: a quarter of a microsecond is all that a float keeps there.
        if listed and (self.exact or self.nanoseconds or (large.any() and len(ts) < _FEW)):
            begin = np.array([_exactly(t.ts, scale) for t in _times.decode(listed)], np.int64)
        duration, numbers = _whole(dur, scale)
        return Batch(records, begin, np.maximum(duration, 0), timed, duration < 0, ~numbers)


def batch_of(records: list[Record]) -> Batch:
    """`records` whose times are microseconds and fit into floats."""
    return Decoder().timed(records, b"")


def _whole(values: FloatArray, scale: int) -> tuple[IntArray, BoolArray]:
    """`values` · `scale` as whole numbers, and which of them can be: 0 stands for the others.

    What is whole is multiplied by itself, since a product of floats would round it.
    """
    with np.errstate(invalid="ignore"):
        possible = np.abs(values) < _MOST_NS / scale
    values = np.where(possible, values, 0.0)
    whole = np.floor(values)
    return whole.astype(np.int64) * scale + np.rint((values - whole) * scale).astype(np.int64), possible


def _exactly(text: msgspec.Raw, scale: int) -> int:
    """The number that is written in `text`, times `scale`, rounded; 0 where there is none."""
    written = bytes(text)
    whole, _, part = written.strip(b'"').partition(b".")
    if whole.isdigit() and (not part or part.isdigit()) and len(whole) <= 16 and len(part) <= 3 and scale == 1000:
        value = int(whole) * 1000 + int(part.ljust(3, b"0"))
        return value if value < _MOST_NS else 0
    try:
        exact = Decimal(written.strip(b'"').decode()) * scale
        return int(exact.to_integral_value()) if abs(exact) < _MOST_NS else 0
    except (InvalidOperation, ValueError, UnicodeDecodeError, OverflowError):
        return 0
