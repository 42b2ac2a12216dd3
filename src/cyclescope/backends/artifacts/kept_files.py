"""The files of an engine, kept where the user wants them."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from cyclescope.core.errors import OutputError
from cyclescope.core.message import m


def keep_files(files: Sequence[Path], folder: Path) -> None:
    """Copy `files` into `folder`, which is made if need be. Raises `OutputError`."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for file in files:
            shutil.copyfile(file, folder / file.name)
    except OSError as exc:
        raise OutputError(
            m("Cannot write the exported model to {folder}.", folder=str(folder)),
            f"{exc.strerror or exc}.",
            m("Name a folder that you can write to."),
        ) from exc
