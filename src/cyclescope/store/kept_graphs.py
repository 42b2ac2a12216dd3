"""Traced graphs, kept a file each, so that the same structure need not be traced twice.

A file is an archive like a run: {"schema": "cyclescope/graph", "version": 1, "key": …, "graph": …} as `core.codec` encodes
it, with its columns. Its name is the digest of the key: the configuration of the model, the shapes and all else that a
trace depends on, never a text of the user's. The files stand in `graphs` beside the calibrations. What cannot be read is
traced anew, and what was not used for the longest time gives way to what is new.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from cyclescope.core.codec import CodecError, decode, encode
from cyclescope.core.errors import OutputError
from cyclescope.core.graph.graph import Graph, GraphError
from cyclescope.store.archive import Archive, ArchiveError, read_archive, write_archive
from cyclescope.store.atomic import atomic_writer
from cyclescope.store.home import home_folder

SCHEMA = "cyclescope/graph"
VERSION = 1
SUFFIX = ".graph"
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


def graphs_folder() -> Path | None:
    """Where graphs are kept; None where this user has no home."""
    return home_folder("graphs")


def digest_of(key: Mapping[str, Any]) -> str:
    """A short name for `key`, plain JSON data, whatever the order of its entries."""
    text = json.dumps(key, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()[:32]


def find_graph(digest: str) -> Graph | None:
    """The graph that is kept under `digest`, checked; None where there is none, or the file is cut or foreign."""
    path = _path(digest)
    if path is None:
        return None
    try:
        size = path.stat().st_size
        if not path.is_file() or size > _MOST_OF_ONE:
            return None
        with path.open("rb") as file:
            archive = read_archive(file, size)
        graph = _graph(archive, digest)
    except _READING:
        return None
    with suppress(OSError):  # the last use decides what gives way, and a folder may be read-only
        os.utime(path)
    return graph


def keep_graph(digest: str, graph: Graph) -> Path | None:
    """Keep `graph` under `digest`, in full or not at all; its file, or None where it cannot be kept.

    Never raises for what the system refuses: without it, the next trace takes as long as this one did.
    """
    path = _path(digest)
    if path is None:
        return None
    data, arrays = encode(graph)
    document = {"schema": SCHEMA, "version": VERSION, "key": digest, "graph": data}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_writer(path) as file:
            write_archive(file, Archive(document, arrays))
    except (OSError, OutputError, ArchiveError):
        return None
    _make_room(path)
    return path


def _path(digest: str) -> Path | None:
    folder = graphs_folder()
    return None if folder is None else folder / f"{digest}{SUFFIX}"


def _graph(archive: Archive, digest: str) -> Graph | None:
    document = archive.document
    if not isinstance(document, dict) or document.get("schema") != SCHEMA or document.get("version") != VERSION:
        return None
    if document.get("key") != digest:
        return None
    graph = decode(Graph, document.get("graph"), list(archive.arrays))
    graph.self_check()
    return graph


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
