"""A cycle on disk, as one file: facts only, so that an old run gains from every newer version that reads it.

The file is a zip: `cycle.json` = {"schema": "cyclescope/cycle", "version": 2, "cycle": …} as `core.codec` encodes it,
and `arrays/N.npy` for the columns it refers to. Saving the same cycle twice gives the same bytes.

Versions of the format, all of which `load` reads:
1  (cyclescope 0.1.0) the first. Fields that are added later with a default need no new version: an older loader passes
   over them, and a newer one fills them in.
2  Notes and other texts may be messages, {"message": …}, where version 1 has English texts.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any

import numpy as np

from cyclescope.core.codec import CodecError, decode, encode
from cyclescope.core.cycle import Cycle
from cyclescope.core.errors import OutputError, RunFileError
from cyclescope.core.graph.graph import GraphError
from cyclescope.core.message import Message, Text, m
from cyclescope.store.archive import Archive, ArchiveError, read_archive, write_archive
from cyclescope.store.atomic import atomic_writer
from cyclescope.store.recognizing import SUFFIX

SCHEMA = "cyclescope/cycle"
VERSION = 2

_AGAIN = m("Measure again, or use an intact copy of the file.")
_NAME_ONE = m("Name a file that `cyclescope measure --out RUN{suffix}` wrote.", suffix=SUFFIX)


def save(cycle: Cycle, path: str | os.PathLike[str]) -> None:
    """Write `cycle` to `path`, in full or not at all. Raises `OutputError`; a file that was there before stays then."""
    path = Path(path)
    data, arrays = encode(cycle)
    try:
        with atomic_writer(path) as file:
            write_archive(file, Archive({"schema": SCHEMA, "version": VERSION, "cycle": data}, arrays))
    except ArchiveError as exc:
        raise OutputError(
            m("{path} cannot be written.", path=str(path)), exc.cause, m("Measure fewer or shorter cycles.")
        ) from exc


def load(path: str | os.PathLike[str]) -> Cycle:
    """The cycle in the file `path`, checked. Nothing is unpickled. Raises `RunFileError`."""
    path = Path(path)
    return _cycle(path, _document(path, _read(path)))


def _read(path: Path) -> Archive:
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):  # asked before opening: a pipe without a writer would never open
            raise RunFileError(_not_a_run(path), m("It is not an ordinary file."), _NAME_ONE)
        with path.open("rb") as file:
            if status.st_size == 0:
                raise RunFileError(_not_a_run(path), m("The file is empty."), _AGAIN)
            foreign = _foreign(file.read(8))
            if foreign:
                raise RunFileError(_not_a_run(path), foreign, _NAME_ONE)
            file.seek(0)
            return read_archive(file, status.st_size)
    except FileNotFoundError as exc:
        raise RunFileError(m("There is no file {path}.", path=str(path)), "", _NAME_ONE) from exc
    except ArchiveError as exc:
        raise RunFileError(m("{path} cannot be read as a saved run.", path=str(path)), exc.cause, _AGAIN) from exc
    except OSError as exc:
        raise RunFileError(m("{path} cannot be read.", path=str(path)), f"{exc.strerror or exc}.", _NAME_ONE) from exc


def _not_a_run(path: Path) -> Message:
    return m("{path} must be a saved run.", path=str(path))


def _foreign(head: bytes) -> Text:
    """What a file is that does not begin as a zip does; empty where it does."""
    if b"PK\x03\x04".startswith(head[:4]):
        return ""
    if head[:1] == b"\x80":
        return m("It looks like a Python pickle, which is never opened: it can run code.")
    if head.lstrip()[:1] in (b"{", b"["):
        return m("It looks like JSON; a saved run is a zip.")
    return m("It does not begin like a run file.")


def _document(path: Path, archive: Archive) -> Archive:
    """The archive with what stands under "cycle". Raises `RunFileError` for another schema or a newer version."""
    document = archive.document
    if not isinstance(document, dict) or document.get("schema") != SCHEMA:
        raise RunFileError(
            _not_a_run(path), m("Its {schema} document is missing or of another kind.", schema=repr(SCHEMA)), _NAME_ONE
        )
    version = document.get("version")
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise RunFileError(_not_a_run(path), m("Its format version is {version}.", version=repr(version)), _NAME_ONE)
    data = document.get("cycle")
    if version > VERSION:
        raise RunFileError(
            m("{path} is too new for this cyclescope.", path=str(path)),
            m(
                "It is in format {version}, written by cyclescope {writer}; this one reads up to format {known}.",
                version=version,
                writer=_writer(data),
                known=VERSION,
            ),
            m("Read it with cyclescope {writer} or later.", writer=_writer(data)),
        )
    return Archive(data, archive.arrays)


def _writer(data: Any) -> str:
    """The version that took the run, as far as a format that is not known yet tells it."""
    version = data.get("version") if isinstance(data, dict) else None
    return version if isinstance(version, str) and 0 < len(version) <= 40 and version.isprintable() else "(unknown)"


def _cycle(path: Path, archive: Archive) -> Cycle:
    try:
        cycle = decode(Cycle, archive.document, list(archive.arrays))
        cycle.graph.self_check()
        _check_samples(cycle)
    except (CodecError, GraphError) as exc:
        raise RunFileError(m("{path} contradicts itself.", path=str(path)), f"{exc}.", _AGAIN) from exc
    except (TypeError, ValueError, IndexError, KeyError, AttributeError, OverflowError) as exc:
        # Only a file that was made or changed by something else gets here: a column of another type or out of range.
        raise RunFileError(
            m("{path} contradicts itself.", path=str(path)),
            m("A part of it is of the wrong kind ({why}).", why=str(exc)),
            _AGAIN,
        ) from exc
    return cycle


def _check_samples(cycle: Cycle) -> None:
    """Raise `ValueError` unless the columns of samples belong together and to the graph."""
    uninstrumented, instrumented = cycle.samples.uninstrumented, cycle.samples.instrumented
    rows = {
        "plain": (uninstrumented.wall_ns, uninstrumented.cpu_ns, uninstrumented.started_ns),
        "light": (instrumented.cpu_ns, instrumented.started_ns),
    }
    counts = {"plain": len(uninstrumented.wall_ns), "light": len(instrumented.boundaries_ns)}
    for name, columns in rows.items():
        if any(column.shape != (counts[name],) or column.dtype.kind not in "iu" for column in columns):
            raise ValueError(f"the {name} samples have columns of different shapes")
    if instrumented.boundaries_ns.ndim != 2 or instrumented.boundaries_ns.dtype.kind not in "iu":
        raise ValueError("the stamps are not a table of whole numbers")
    if len(instrumented) and instrumented.boundaries_ns.shape[1] != len(cycle.graph.slots) + 1:
        raise ValueError("the stamps do not fit the graph")
    if len(instrumented) and bool(np.any(np.diff(instrumented.boundaries_ns, axis=1) < 0)):
        raise ValueError("the stamps run backwards")
    if cycle.samples.memory is not None:
        cycle.samples.memory.self_check(len(cycle.graph))
    if cycle.samples.processor is not None:
        cycle.samples.processor.self_check(len(cycle.graph.slots))
    if cycle.samples.lanes is not None:
        cycle.samples.lanes.self_check(len(cycle.graph))
    if cycle.samples.device is not None:
        cycle.samples.device.self_check(len(cycle.graph.slots), len(cycle.graph))
