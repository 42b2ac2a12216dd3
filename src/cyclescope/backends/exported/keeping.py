"""The files of an engine that was calibrated: they are the result, as a student's weights are, and go with a recipe."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from cyclescope.backends.exported.shelf import made_in
from cyclescope.core.edits import CALIBRATED, Edit
from cyclescope.core.errors import UsageError

_MARKS = 8
_PER_WEIGHT = 1_000_000  # a mark is a weight in millionths
_APART = 2  # of these; random weights of one seed differ in the last bits from processor to processor


def marks_of(model: Any) -> tuple[int, ...]:
    """Some weights from all over the model, by which another model of the same class is told."""
    weights = [weight for weight in model.parameters() if weight.dim() >= 2]
    chosen = [weights[k * len(weights) // _MARKS] for k in range(_MARKS)] if weights else []
    with torch.no_grad():
        return tuple(round(float(w.flatten()[w.numel() // 3]) * _PER_WEIGHT) for w in chosen)


def keep(files: Sequence[Path], into: Path, prefix: str, marks: tuple[int, ...]) -> tuple[Edit, ...]:
    """Have `files` in the folder `into` under names of their own, and the edits that name them."""
    into.mkdir(parents=True, exist_ok=True)
    made = []
    for file in files:
        name = f"{prefix}-{file.name}"
        if not (into / name).exists():
            _place(file, into / name)
        made.append(Edit(CALIBRATED, name, marks))
    return tuple(made)


def adopt(edits: Sequence[Edit], source: Path, folder: Path, marks: tuple[int, ...]) -> None:
    """Have the files that `edits` name in `folder`, as the engine names them, for it to run. Raises `UsageError` where
    they were made of other weights than those with `marks`.
    """
    for edit in edits:
        same = len(edit.numbers) == len(marks)
        if not same or any(abs(a - b) > _APART for a, b in zip(edit.numbers, marks, strict=True)):
            raise UsageError(
                "The 8 bits of this recipe were made of other weights.",
                f"{edit.path} holds them, and they are not those of this model.",
                "Run `cyclescope optimize` on this model.",
            )
    own = {source / edit.path: edit.path.rpartition("-")[2] for edit in edits}
    made_in(folder, lambda: _place_all(own, folder))


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
