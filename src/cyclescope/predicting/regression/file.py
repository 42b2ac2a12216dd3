"""Fitted values on disk: a zip of one JSON document and its arrays, in full or not at all; nothing is unpickled.

{"schema": …, "version": …, "fitted": …} as `core.codec` encodes it: any frozen value that holds regressions can be kept.
"""

from __future__ import annotations

import stat
from pathlib import Path
from typing import TypeVar

from cyclescope.core.codec import CodecError, decode, encode
from cyclescope.core.errors import FittedModelError, OutputError
from cyclescope.core.message import Text, m
from cyclescope.store.archive import Archive, ArchiveError, read_archive, write_archive
from cyclescope.store.atomic import atomic_writer

T = TypeVar("T")
MEMBER = "fitted.json"
_MOST_BYTES = 200_000_000  # a large one has a few


def write_fitted(path: Path, value: object, schema: str, version: int) -> None:
    """Write `value` to `path`. Raises `OutputError`; a file that was there before stays then."""
    data, arrays = encode(value)
    document = {"schema": schema, "version": version, "fitted": data}
    try:
        with atomic_writer(path) as file:
            write_archive(file, Archive(document, arrays), MEMBER)
    except ArchiveError as exc:
        raise OutputError(m("{path} cannot be written.", path=str(path)), exc.cause) from exc


def read_fitted(path: Path, kind: type[T], schema: str, version: int, again: Text) -> T:
    """The value of type `kind` in the file `path`, checked; `again` says how to make it anew. Raises `FittedModelError`."""
    fact = m("{path} must be a fitted timing model.", path=str(path))
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode) or not 0 < status.st_size <= _MOST_BYTES:
            cause = m("The file is empty.") if status.st_size == 0 else m("It is no file of cyclescope.")
            raise FittedModelError(fact, cause, again)
        with path.open("rb") as file:
            archive = read_archive(file, status.st_size, MEMBER)
    except OSError as exc:
        raise FittedModelError(m("{path} cannot be read.", path=str(path)), f"{exc.strerror or exc}.", again) from exc
    except ArchiveError as exc:
        raise FittedModelError(fact, exc.cause, again) from exc
    document = archive.document
    if not isinstance(document, dict) or document.get("schema") != schema:
        raise FittedModelError(fact, m("It is of another kind."), again)
    found = document.get("version")
    if not isinstance(found, int) or isinstance(found, bool) or found != version:
        raise FittedModelError(
            fact,
            m("It is in format {version}; this cyclescope reads format {known}.", version=repr(found), known=version),
            again,
        )
    try:
        return decode(kind, document.get("fitted"), list(archive.arrays))
    except (CodecError, AttributeError, OverflowError) as exc:
        raise FittedModelError(m("{path} contradicts itself.", path=str(path)), f"{exc}.", again) from exc
