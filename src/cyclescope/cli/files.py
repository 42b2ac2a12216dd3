"""The files that commands read and write: texts a line each, and places that must be fit before minutes are spent."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from cyclescope.core.errors import OutputError, UsageError
from cyclescope.core.message import Text, m

STANDARD_INPUT = "-"


def given_texts(text: Sequence[str] | None, text_file: str | None) -> tuple[str, ...]:
    """The texts of `--text` or of `--text-file`. Raises `UsageError` where both are given."""
    if text and text_file is not None:
        raise UsageError(m("Only one of --text and --text-file can be given."), "", m("Remove one of them."))
    return tuple(text or (read_lines(text_file) if text_file is not None else ()))


def read_lines(name: str) -> list[str]:
    """The lines of a UTF-8 file, or of standard input, that are not empty, without white space at their ends.

    A byte order mark and the ends of lines of Windows belong to the file and not to its lines. Raises `UsageError`.
    """
    source: Text = m("Standard input") if name == STANDARD_INPUT else name
    try:
        content = (sys.stdin.buffer.read() if name == STANDARD_INPUT else Path(name).read_bytes()).decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        raise UsageError(
            m("{source} is not UTF-8 text.", source=source),
            m("{reason} at byte {position}.", reason=exc.reason, position=exc.start),
            m("Save it as UTF-8."),
        ) from exc
    except OSError as exc:
        raise UsageError(
            m("{source} cannot be read.", source=source),
            m("{reason}.", reason=exc.strerror or str(exc)),
            m("Name a text file with one text per line."),
        ) from exc
    lines = [line for line in map(str.strip, content.replace("\r", "\n").split("\n")) if line]
    if not lines:
        raise UsageError(
            m("{source} has no text in it.", source=source), m("Every line is empty."), m("Put one text on each line.")
        )
    return lines


def require_places(writes: Sequence[Path | None], reads: Sequence[Path | str | None] = ()) -> None:
    """Refuse files to write that are files to read, are named twice or cannot be written."""
    require_different(*writes, *reads)
    for path in writes:
        if path is not None:
            require_folder(path)


def require_different(*paths: Path | str | None) -> None:
    """Refuse two names of one file: what is written last would cost what was there before."""
    places = [Path(path).expanduser().resolve() for path in paths if path is not None]
    twice = next((place for place in places if places.count(place) > 1 and not place.is_char_device()), None)
    if twice is not None:
        raise UsageError(
            m("{path} is named twice.", path=str(twice)),
            m("One of its contents would be lost."),
            m("Name different files."),
        )


def require_folder(path: Path) -> None:
    """Refuse before minutes are spent a file that could not be written afterwards."""
    folder = path.expanduser().resolve().parent
    fact = m("Cannot write {path}.", path=str(path))
    if not folder.is_dir():
        raise OutputError(
            fact, m("There is no folder {folder}.", folder=str(folder)), m("Create the folder, or name another.")
        )
    if path.is_dir():
        raise OutputError(fact, m("It is a folder."), m("Name a file."))
    if not os.access(path if path.exists() else folder, os.W_OK):
        raise OutputError(fact, m("Permission denied."), m("Name a place where you may write."))


def unused(stem: str, suffix: str) -> Path:
    """A name in this folder that no file has yet."""
    number = 1
    path = Path(f"{stem}{suffix}")
    while path.exists():
        number += 1
        path = Path(f"{stem}-{number}{suffix}")
    return path
