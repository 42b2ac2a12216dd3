"""The text of a trace, cut at the borders of its events: head, chunks of whole events, tail. Memory stays at a few pieces.

A border is a guess: the place where one object ends and the next begins. Parsing proves it, since neither half of a text that was cut
within an object or a string is valid JSON.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from cyclescope.core.units import Bytes

# What stands before the events (devices, versions, packages of the run) has kilobytes; more than this is no trace.
MOST_HEAD: Bytes = 1 << 26
# An event with its arguments has hundreds of bytes, one with a long call stack some thousand.
MOST_EVENT: Bytes = 1 << 25

EVENTS = re.compile(rb'"traceEvents"\s*:\s*\[')
_BORDER = re.compile(rb"\}\s*,\s*\{")
_SPACE = b" \t\r\n"


@dataclass(frozen=True)
class Head:
    """What stands before the events. `text` is without the bracket that opens them; `whole` where the file is but a list of events."""

    text: bytes
    whole: bool


class Splitter:
    """`pieces` of a file in, chunks of whole events out. `ended` becomes true with the last chunk."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self.pieces = pieces
        self._held = b""
        self.ended = False

    def head(self) -> Head | None:
        """The head, or None where the file has no list of trace events. What follows it is given by `chunks`."""
        while True:
            text = self._held.lstrip(_SPACE + b"\xef\xbb\xbf")
            if text.startswith(b"["):
                self._held = text[1:]
                return Head(b"", whole=True)
            found = EVENTS.search(self._held) if text.startswith(b"{") else None
            if found:
                head, self._held = self._held[: found.start()], self._held[found.end() :]
                return Head(head, whole=False)
            if (text and not text.startswith(b"{")) or len(self._held) > MOST_HEAD or not self._more():
                return None

    def whole(self, most: Bytes) -> bytes | None:
        """All text that is left, or None where it is more than `most`."""
        while self._more():
            if len(self._held) > most:
                return None
        return self._held

    @property
    def held(self) -> bytes:
        """What was read and not given out."""
        return self._held

    def _more(self) -> bool:
        piece = next(self.pieces, b"")
        self._held += piece
        self.ended = not piece
        return bool(piece)

    def chunks(self) -> Iterator[bytes]:
        """Texts that end at a border, without its comma; the last one holds what is left, with the end of the list and the tail."""
        while self._more():
            end = self._last_border()
            if end:
                chunk, self._held = self._held[:end], self._held[self._held.index(b",", end) + 1 :]
                yield chunk
        left, self._held = self._held, b""
        yield left

    def put_back(self, text: bytes) -> None:
        """`text` stood before what is held, and is no whole event yet."""
        if len(text) > MOST_EVENT:
            raise TooLarge
        self._held = text + b"," + self._held

    def _last_border(self) -> int:
        """Behind the last object that another follows, or 0."""
        end = len(self._held)
        while (end := self._held.rfind(b"{", 0, end)) > 0:
            before = self._held[max(0, end - 64) : end].rstrip(_SPACE)
            if before.endswith(b","):
                object_ = before[:-1].rstrip(_SPACE)
                if object_.endswith(b"}"):
                    return max(0, end - 64) + len(object_)
        return 0


class TooLarge(Exception):
    """An event does not end within `MOST_EVENT` bytes."""


def borders(text: bytes) -> Iterator[tuple[int, int]]:
    """Where each object of a text ends, and the next begins: as far as can be seen without parsing."""
    for found in _BORDER.finditer(text):
        yield found.start() + 1, found.end() - 1
