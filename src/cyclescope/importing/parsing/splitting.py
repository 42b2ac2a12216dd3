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
_END = re.compile(rb"\}\s*,?\s*\]")
_SPACE = b" \t\r\n"
# Brackets that are looked at from the end, and white space between two events: more than any profiler writes.
_MOST_TRIED = 4096
_MOST_BETWEEN = 256


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
        searched = 0
        while True:
            if not searched:
                self._held = self._held.lstrip(_SPACE + b"\xef\xbb\xbf")
            if self._held.startswith(b"["):
                self._held = self._held[1:]
                return Head(b"", whole=True)
            found = EVENTS.search(self._held, searched) if self._held.startswith(b"{") else None
            if found:
                head, self._held = self._held[: found.start()], self._held[found.end() :]
                return Head(head, whole=False)
            searched = max(0, len(self._held) - _MOST_BETWEEN)
            if (self._held and not self._held.startswith(b"{")) or len(self._held) > MOST_HEAD or not self._more():
                return None

    def whole(self, most: Bytes) -> bytes | None:
        """All text that is left, or None where it is more than `most`."""
        parts, size = [self._held], len(self._held)
        self._held = b""
        for piece in self.pieces:
            parts.append(piece)
            size += len(piece)
            if size > most:
                return None
        return b"".join(parts)

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
        """Texts that end at a border, without its comma; the last one holds what is left, with the end of the list and the tail.

        Raises `TooLarge` where no event ends.
        """
        piece = self._held
        self._held = b""
        while piece or not self.ended:
            end = _last_border(piece)
            if end:
                chunk = self._held + piece[:end]
                self._held = piece[piece.index(b",", end) + 1 :]
                yield chunk
            else:
                self._held += piece
                if len(self._held) > MOST_EVENT:
                    raise TooLarge
            piece = next(self.pieces, b"")
            self.ended = not piece
        left, self._held = self._held, b""
        yield left

    def put_back(self, text: bytes) -> None:
        """`text` stood before what is held, and is no whole event yet."""
        if len(text) + len(self._held) > MOST_EVENT:
            raise TooLarge
        self._held = text + b"," + self._held


class TooLarge(Exception):
    """An event does not end within `MOST_EVENT` bytes."""


def _last_border(text: bytes) -> int:
    """Behind the last object that another follows, or 0."""
    end = len(text)
    for _ in range(_MOST_TRIED):
        end = text.rfind(b"{", 0, end)
        if end <= 0:
            return 0
        first = max(0, end - _MOST_BETWEEN)
        before = text[first:end].rstrip(_SPACE)
        if before.endswith(b",") and (object_ := before[:-1].rstrip(_SPACE)).endswith(b"}"):
            return first + len(object_)
    return 0


def borders(text: bytes) -> Iterator[tuple[int, int]]:
    """Where each object of a text ends, and the next begins: as far as can be seen without parsing."""
    for found in _BORDER.finditer(text):
        yield found.start() + 1, found.end() - 1


def end_of_list(text: bytes) -> tuple[int, int] | None:
    """Where in the last chunk the last event ends, and where what stands behind the list begins: a guess, as all borders."""
    found = _END.search(text, max(0, text.rfind(b'"ph"')))
    return (found.start() + 1, found.end()) if found else None
