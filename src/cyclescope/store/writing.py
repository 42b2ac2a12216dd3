"""Reports on disk, in full or not at all."""

from __future__ import annotations

from pathlib import Path

from cyclescope.core.errors import OutputError
from cyclescope.core.message import m
from cyclescope.store.atomic import atomic_writer


def write_text(path: Path | str, text: str) -> None:
    """Write `text` (UTF-8) to `path` in the way of `store.atomic`; a pipe or a device is written to directly.

    Raises `OutputError`; then whatever was at `path` is untouched.
    """
    target = Path(path)
    content = text.encode("utf-8")
    if target.exists() and not target.is_file() and not target.is_dir():
        try:
            target.write_bytes(content)
        except OSError as exc:
            raise OutputError(
                m("{path} cannot be written.", path=str(path)), f"{exc.strerror or exc}.", m("Choose another place.")
            ) from exc
        return
    with atomic_writer(target) as file:
        file.write(content)
