"""Writing a file so that it is there in full or not at all."""

from __future__ import annotations

import errno
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from cyclescope.core.errors import OutputError
from cyclescope.core.message import m

_SPACE = frozenset((errno.ENOSPC, errno.EDQUOT, errno.EFBIG))
_RIGHTS = frozenset((errno.EACCES, errno.EPERM, errno.EROFS))
# Some file systems cannot sync a folder, and a folder may be writable without being readable. The file's own content
# is on the disk by then; only its name may be lost in a power failure.
_NO_FOLDER_SYNC = frozenset((errno.EINVAL, errno.ENOTSUP, errno.EACCES, errno.EPERM, errno.EISDIR))


@contextmanager
def atomic_writer(path: Path) -> Iterator[BinaryIO]:
    """A binary file that takes the place of `path` when the block ends well; until then, and if it fails, the old one stays.

    The new content is written beside it, synced, renamed over it, and the folder is synced. A link is followed. Raises
    `OutputError` for whatever the system refuses; any other exception from the block passes through.
    """
    target = Path(os.path.realpath(path))
    temporary = target.with_name(f".cyclescope-{secrets.token_hex(8)}.tmp")
    try:
        mode = _mode_of(target)
        # Not 0o600: a run file is to be as readable as any other file of its owner (the umask has its say).
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
        try:
            with os.fdopen(descriptor, "wb") as file:
                yield file
                file.flush()
                if mode is not None:
                    os.chmod(temporary, mode)
                os.fsync(file.fileno())
            os.replace(temporary, target)
        except BaseException:
            with suppress(OSError):
                temporary.unlink()
            raise
        _sync_folder(target.parent)
    except OSError as exc:
        raise _output_error(path, exc) from exc


def _mode_of(target: Path) -> int | None:
    """Permissions of the file that is replaced; None for a new one. Raises `OSError` where it must not be replaced."""
    try:
        status = target.stat()
    except FileNotFoundError:
        return None
    if stat.S_ISDIR(status.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(target))
    if not stat.S_ISREG(status.st_mode):
        # A rename would take the device or pipe away from everyone else.
        raise OSError(errno.EINVAL, "It is not an ordinary file", str(target))
    if not os.access(target, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(target))
    return stat.S_IMODE(status.st_mode)


def _sync_folder(folder: Path) -> None:
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError as exc:
        if exc.errno in _NO_FOLDER_SYNC:
            return
        raise
    try:
        os.fsync(descriptor)
    except OSError as exc:
        if exc.errno not in _NO_FOLDER_SYNC:
            raise
    finally:
        os.close(descriptor)


def _output_error(path: Path, exc: OSError) -> OutputError:
    if exc.errno in _SPACE:
        way_out = m("Free some space there, or choose another place with --out.")
    elif exc.errno in _RIGHTS:
        way_out = m("Choose a place where you may write with --out, or change the permissions.")
    elif exc.errno in (errno.ENOENT, errno.ENOTDIR):
        way_out = m("Make the folder {folder} first, or choose another place with --out.", folder=str(path.parent))
    else:
        way_out = m("Choose another place with --out.")
    return OutputError(m("{path} cannot be written.", path=str(path)), f"{exc.strerror or exc}.", way_out)
