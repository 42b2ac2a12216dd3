"""A trace file as a stream of text, plain or packed: bounded in memory, and read to the last byte that can be had."""

from __future__ import annotations

import sys
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any, Protocol

from cyclescope.core.errors import MissingExtra, TraceFileError
from cyclescope.core.message import m
from cyclescope.core.units import Bytes

# One reading from the disk, and about the size of what is handed on: large enough for few Python calls, small beside the columns.
PIECE: Bytes = 1 << 22

# The first reading is small: a format is known from few events.
_OPENING: Bytes = 1 << 16
# Packed bytes that are handed on at once where a damage would lose what they unpack to.
_STEP: Bytes = 1 << 12
_FEW: Bytes = 16

# Traces of profilers shrink by 8 to 40 (JSON of few distinct names); zeros by 1030. Only checked beyond a size that any machine has.
_MOST_UNPACKED = 400
_UNCHECKED: Bytes = 1 << 28

_GZIP, _ZSTANDARD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"


class _Unpacker(Protocol):
    """`zlib.decompressobj` and `ZstdDecompressor`, as far as they agree."""

    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...


class Stream:
    """Text of a file, piece by piece. `packing` is "", "gzip" or "zstandard"; `read` and `text` count bytes of file and text so far.

    `cut` becomes true where the packed file ends early or is damaged: what was unpacked until then has been handed on.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size: Bytes = path.stat().st_size
        self.packing = ""
        self.cut = False
        self.read: Bytes = 0
        self.text: Bytes = 0

    def pieces(self) -> Iterator[bytes]:
        """All text, in pieces of at most `PIECE` bytes. Raises `TraceFileError` where it unpacks without end."""
        with self.path.open("rb", buffering=0) as file:
            first = self._next(file, _OPENING)
            for piece in self._unpacked(file, first):
                self.text += len(piece)
                self._refuse_bombs()
                yield piece

    def _next(self, file: IO[bytes], most: Bytes = 0) -> bytes:
        data = file.read(most or (PIECE if not self.packing else PIECE >> 4))
        self.read += len(data)
        return data

    def _unpacked(self, file: IO[bytes], first: bytes) -> Iterator[bytes]:
        if first.startswith(_GZIP):
            self.packing = "gzip"
            return self._through(file, first, self._gzip)
        if first.startswith(_ZSTANDARD):
            self.packing = "zstandard"
            return self._through(file, first, self._zstandard)
        return self._plain(file, first)

    def _plain(self, file: IO[bytes], first: bytes) -> Iterator[bytes]:
        while first:
            yield first
            first = self._next(file)

    def _through(
        self, file: IO[bytes], data: bytes, member: Callable[[IO[bytes], bytes], Iterator[bytes]]
    ) -> Iterator[bytes]:
        """Member after member: files that were packed apart and joined are one file."""
        self._rest = data
        while self._rest and not self.cut:
            try:
                yield from member(file, self._rest)
            except _damages():
                self.cut = True

    def _gzip(self, file: IO[bytes], data: bytes) -> Iterator[bytes]:
        unpacker = zlib.decompressobj(wbits=31)
        while data:
            before = unpacker.copy()
            try:
                text = unpacker.decompress(data, PIECE)
            except zlib.error:
                yield from _filled(_before_damage(before, data))
                raise
            yield from _filled(text)
            data = unpacker.unconsumed_tail
            if unpacker.eof:
                break
            data = data or self._next(file)
        self._ended(file, unpacker, data)

    def _zstandard(self, file: IO[bytes], data: bytes) -> Iterator[bytes]:
        unpacker, at = _zstandard_unpacker(), 0
        while data and not unpacker.eof:
            step = data[at : at + _STEP] if unpacker.needs_input else b""
            at += len(step)
            yield from _filled(unpacker.decompress(step, PIECE))
            if unpacker.needs_input and at >= len(data) and not unpacker.eof:
                data, at = self._next(file), 0
        self._ended(file, unpacker, data)
        if unpacker.eof:
            self._rest = unpacker.unused_data + data[at:] or self._next(file)

    def _ended(self, file: IO[bytes], unpacker: _Unpacker, data: bytes) -> None:
        self.cut = not unpacker.eof
        self._rest = (unpacker.unused_data or self._next(file)) if unpacker.eof else b""
        if self.packing == "gzip" and not self._rest.startswith(_GZIP):
            self._rest = b""  # padding, as tapes and some servers append it

    def _refuse_bombs(self) -> None:
        if self.text > _UNCHECKED and self.text > _MOST_UNPACKED * self.read:
            raise TraceFileError(
                m("{file} must be a trace (it unpacks to more than {factor} times its size).", file=self.path.name, factor=_MOST_UNPACKED),
                m("Traces shrink to between a fortieth and an eighth when they are packed; this file would fill the memory or the disk."),
                m("If you trust it, unpack it yourself and import the unpacked file."),
            )  # fmt: skip


def _before_damage(unpacker: Any, data: bytes) -> bytes:
    """What `data` unpacks to until it cannot be unpacked, a few bytes at a time."""
    texts = []
    for at in range(0, len(data), _FEW):
        try:
            texts.append(unpacker.decompress(data[at : at + _FEW]))
        except zlib.error:
            break
    return b"".join(texts)


def _filled(text: bytes) -> Iterator[bytes]:
    if text:
        yield text


def _zstandard_unpacker() -> Any:
    """A new unpacker, from the standard library where it has one."""
    try:
        if sys.version_info >= (3, 14):
            from compression import zstd
        else:
            from backports import zstd
    except ImportError as missing:
        raise MissingExtra(
            m("{package} must be installed to read a trace packed with Zstandard.", package="backports.zstd"),
            "",
            m("Install it with {command}, or unpack the file.", command="pip install 'cyclescope[import]'"),
        ) from missing
    return zstd.ZstdDecompressor()


def _damages() -> tuple[type[Exception], ...]:
    """What the unpackers raise on damaged data."""
    zstd = sys.modules.get("compression.zstd") or sys.modules.get("backports.zstd")
    return (zlib.error, EOFError) if zstd is None else (zlib.error, EOFError, zstd.ZstdError)
