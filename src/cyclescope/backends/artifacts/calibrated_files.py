"""The files of an engine that was calibrated: they are the result, as a student's weights are, and go with a recipe."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from cyclescope.backends.artifacts.cache import build_once
from cyclescope.core.edits import CALIBRATED, Edit
from cyclescope.core.errors import UsageError
from cyclescope.core.message import m

_APART = 2  # millionths, the unit of a fingerprint; random weights of one seed differ in the last bits from processor to processor


def keep(files: Sequence[Path], into: Path, prefix: str, fingerprint: tuple[int, ...]) -> tuple[Edit, ...]:
    """Have `files` in the folder `into` under names of their own, and the edits that name them."""
    into.mkdir(parents=True, exist_ok=True)
    made = []
    for file in files:
        name = f"{prefix}-{file.name}"
        if not (into / name).exists():
            _place(file, into / name)
        made.append(Edit(CALIBRATED, name, fingerprint))
    return tuple(made)


def install_artifacts(edits: Sequence[Edit], source: Path, folder: Path, fingerprint: tuple[int, ...]) -> None:
    """Have the files that `edits` name in `folder`, as the engine names them, for it to run. Raises `UsageError` where
    they were made of other weights than those with that `fingerprint`.
    """
    for edit in edits:
        same = len(edit.numbers) == len(fingerprint)
        if not same or any(abs(a - b) > _APART for a, b in zip(edit.numbers, fingerprint, strict=True)):
            raise UsageError(
                m("The 8-bit files of this recipe were made from other weights."),
                m("{path} holds them, and this model has other weights.", path=edit.path),
                m("Run `cyclescope optimize` on this model."),
            )
    own = {source / edit.path: edit.path.rpartition("-")[2] for edit in edits}
    build_once(folder, lambda: _place_all(own, folder))


def _place_all(names: Mapping[Path, str], folder: Path) -> None:
    for file, name in names.items():
        _place(file, folder / name)


def _place(file: Path, there: Path) -> None:
    """The same file at another place, in full or not at all; a second name where the disk allows, a copy elsewhere."""
    try:
        os.link(file, there)
    except FileExistsError:
        return
    except OSError:
        half = there.with_name(f"{there.name}.{os.getpid()}")
        shutil.copyfile(file, half)
        os.replace(half, there)
