"""Files appear whole or not at all."""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path

from cyclescope.core.errors import OutputError


def write_text(path: Path | str, text: str) -> None:
    """Write `text` (UTF-8) to `path`: to a temporary file beside it, flushed to the disk, then renamed over it.

    A link stays a link, an existing file keeps its permissions, and a pipe or a device is written to as it is.
    Raises `OutputError`; then whatever was at `path` is untouched.
    """
    target = Path(os.path.realpath(path))
    try:
        if target.exists() and not target.is_file() and not target.is_dir():
            target.write_text(text, encoding="utf-8", newline="")
        else:
            _replace(target, text.encode("utf-8"))
    except OSError as exc:
        raise OutputError(
            f"Cannot write {path}.",
            f"{exc.strerror or exc}.",
            "Choose another place, make room, or change the permissions of the folder.",
        ) from exc


def _replace(target: Path, content: bytes) -> None:
    if target.is_dir():
        raise IsADirectoryError(None, "It is a folder")
    descriptor, name = tempfile.mkstemp(prefix=f".{target.name[:50]}.", suffix=".part", dir=target.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, _mode(target))
        os.replace(name, target)
    except BaseException:
        os.unlink(name)
        raise
    _sync_folder(target.parent)


def _mode(target: Path) -> int:
    """Permissions of the file that is replaced, else what the user's umask gives a new one."""
    if target.exists():
        return stat.S_IMODE(target.stat().st_mode)
    umask = os.umask(0)
    os.umask(umask)
    return 0o666 & ~umask


def _sync_folder(folder: Path) -> None:
    """The rename itself must reach the disk; where folders cannot be opened (Windows) the system sees to it."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
