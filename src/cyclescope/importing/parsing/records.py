"""One record of a Chrome trace as it is parsed: only what is needed, typed, without a dictionary.

The format: "Trace Event Format", https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU (times in µs).
"""

from __future__ import annotations

import math
from typing import Any

import msgspec

from cyclescope.importing.parsing.interning import Numbering

NAN = math.nan
NONE = -1
_TEXT_IDS = 1 << 62


class Record(msgspec.Struct, gc=False):
    """An event as profilers write it. A text where a number belongs does not fit: then it is read as `LooseRecord`."""

    ph: str = ""
    cat: str = ""
    name: str = ""
    pid: int | str = NONE
    tid: int | str = NONE
    ts: float = NAN
    dur: float = NAN
    id: int | str = NONE
    args: msgspec.Raw = msgspec.Raw()
    id2: msgspec.Raw = msgspec.Raw()

    @property
    def key(self) -> int | str:
        """What ties this to other records: `id2` is {"local": "0x1"} or {"global": …}."""
        return bytes(self.id2).decode("utf-8", "replace") if self.id2 else self.id


def number_of(key: int | str, numbers: Numbering[str]) -> int:
    """An id as a number: a number stands for itself, a text for the next that no profiler counts up to."""
    return key if isinstance(key, int) and key < _TEXT_IDS else _TEXT_IDS + numbers[str(key)]


class TimeText(msgspec.Struct, gc=False):
    """The time of an event as it is written."""

    ts: msgspec.Raw = msgspec.Raw()


class LooseRecord(msgspec.Struct, gc=False):
    """Anything that calls itself an event."""

    ph: Any = ""
    cat: Any = ""
    name: Any = ""
    pid: Any = NONE
    tid: Any = NONE
    ts: Any = NAN
    dur: Any = NAN
    id: Any = NONE
    id2: msgspec.Raw = msgspec.Raw()
    args: msgspec.Raw = msgspec.Raw()

    def strict(self) -> tuple[Record, bool]:
        """As a `Record`, and whether a time was a text."""
        ts, ts_text = _number(self.ts)
        dur, dur_text = _number(self.dur)
        return (
            Record(
                _text(self.ph), _text(self.cat), _text(self.name), _id(self.pid), _id(self.tid), ts, dur,
                _id(self.id), self.args, self.id2,
            ),
            ts_text or dur_text,
        )  # fmt: skip


def _number(value: Any) -> tuple[float, bool]:
    if isinstance(value, str):
        try:
            return float(value), True
        except ValueError:
            return NAN, True
    if isinstance(value, bool) or not isinstance(value, int | float):
        return NAN, False
    try:
        return float(value), False
    except OverflowError:
        return math.inf, False


def _text(value: Any) -> str:
    return value if isinstance(value, str) else "" if value is None else str(value)[:200]


def _id(value: Any) -> int | str:
    if isinstance(value, int) and not isinstance(value, bool) and -(2**63) <= value < 2**63:
        return value
    return NONE if value is None else _text(value)
