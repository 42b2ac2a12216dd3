"""Structures that were traced, kept a file each, so that the same need not be traced twice.

A file is an archive like a run: {"schema": "cyclescope/structure", "version": 1, "key": …, "kind": …, "value": …} as `core.codec` encodes
it, with its columns. Its name is the digest of the key: the configuration of the model, the shapes and all else that a
trace depends on, never a text of the user's. The files stand in `structures` beside the calibrations. What cannot be read is
traced anew, and what was not used for the longest time gives way to what is new.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from cyclescope.core.codec import CodecError, decode, encode
from cyclescope.core.errors import OutputError
from cyclescope.core.graph.graph import Graph, GraphError
from cyclescope.store.archive import Archive, ArchiveError, read_archive, write_archive
from cyclescope.store.atomic import atomic_writer
from cyclescope.store.home import home_folder

T = TypeVar("T")
SCHEMA = "cyclescope/structure"
VERSION = 1
SUFFIX = ".structure"
MOST_BYTES = 200_000_000  # of all files together; a decoder of 80 layers takes 70 kB
_MOST_OF_ONE = 20_000_000
_READING = (
    OSError,
    ArchiveError,
    CodecError,
    GraphError,
    TypeError,
    ValueError,
    IndexError,
    KeyError,
    AttributeError,
    OverflowError,
)


def structures_folder() -> Path | None:
    """Where structures are kept; None where this user has no home."""
    return home_folder("structures")


def digest_of(key: Mapping[str, Any]) -> str:
    """A short name for `key`, plain JSON data, whatever the order of its entries."""
    text = json.dumps(key, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()[:32]


def find_structure(kind: type[T], digest: str) -> T | None:
    """The value of type `kind` that is kept under `digest`, a graph checked; None where there is none, or the file is cut or foreign."""
    path = _path(digest)
    if path is None:
        return None
    try:
        size = path.stat().st_size
        if not path.is_file() or size > _MOST_OF_ONE:
            return None
        with path.open("rb") as file:
            archive = read_archive(file, size)
        value = _value(kind, archive, digest)
    except _READING:
        return None
    with suppress(OSError):  # the last use decides what gives way, and a folder may be read-only
        os.utime(path)
    return value


def keep_structure(digest: str, value: object) -> Path | None:
    """Keep `value`, which `core.codec` knows, under `digest`, in full or not at all; its file, or None where it cannot be kept.

    Never raises for what the system refuses: without it, the next trace takes as long as this one did.
    """
    path = _path(digest)
    if path is None:
        return None
    data, arrays = encode(value)
    document = {"schema": SCHEMA, "version": VERSION, "key": digest, "kind": type(value).__name__, "value": data}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_writer(path) as file:
            write_archive(file, Archive(document, arrays))
    except (OSError, OutputError, ArchiveError):
        return None
    _make_room(path)
    return path


def _path(digest: str) -> Path | None:
    folder = structures_folder()
    return None if folder is None else folder / f"{digest}{SUFFIX}"


def _value(kind: type[T], archive: Archive, digest: str) -> T | None:
    document = archive.document
    if not isinstance(document, dict) or document.get("schema") != SCHEMA or document.get("version") != VERSION:
        return None
    if document.get("key") != digest or document.get("kind") != kind.__name__:
        return None
    value = decode(kind, document.get("value"), list(archive.arrays))
    if isinstance(value, Graph):
        value.self_check()
    return value


def _make_room(newest: Path) -> None:
    """Remove what was not used for the longest time until all files together keep to the limit; never `newest`."""
    files: list[tuple[float, int, Path]] = []
    with suppress(OSError):
        for path in newest.parent.glob(f"*{SUFFIX}"):
            with suppress(OSError):  # another process may have removed it
                status = path.stat()
                files.append((status.st_mtime, status.st_size, path))
    total = sum(size for _, size, _ in files)
    for _, size, path in sorted(files):
        if total <= MOST_BYTES:
            return
        if path != newest:
            with suppress(OSError):
                path.unlink()
                total -= size
