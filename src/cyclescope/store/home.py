"""Where cyclescope keeps what it found out, so that it need not be found out again."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path


def home_folder(name: str) -> Path | None:
    """The folder for things of one kind: `name` in `$CYCLESCOPE_HOME`, else in `cyclescope` of `$XDG_DATA_HOME` or
    `~/.local/share`. It need not exist. None where this user has no home.
    """
    if named := os.environ.get("CYCLESCOPE_HOME"):
        return Path(named).expanduser() / name
    data = os.environ.get("XDG_DATA_HOME", "")
    if os.path.isabs(data):  # a relative one is to be ignored: XDG Base Directory Specification 0.8
        return Path(data) / "cyclescope" / name
    with suppress(RuntimeError):
        return Path.home() / ".local" / "share" / "cyclescope" / name
    return None
