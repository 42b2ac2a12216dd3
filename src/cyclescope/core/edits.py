"""What a plan has changed in a model, as data: enough to do the same to the same model again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

LOAD_WEIGHTS = "load-weights"
CALIBRATED = "calibrated"


@dataclass(frozen=True, slots=True)
class Edit:
    """One edit: `what` is done to the module at `path`, with which `numbers` (rows, columns, layers that stay; a rank).

    `load-weights` is done to the whole model, and its `path` is the name of a file of weights (safetensors) that goes
    with the edits. `calibrated` is done to nothing: its `path` is the name of a file that an engine runs from, made with
    scales that were measured on texts, and `numbers` tell the weights that it was made of.
    """

    what: str
    path: str
    numbers: tuple[int, ...] = ()


def files_of(edits: Iterable[Edit]) -> tuple[str, ...]:
    """Names of the files that go with `edits`."""
    return tuple(edit.path for edit in edits if edit.what in (LOAD_WEIGHTS, CALIBRATED))


def calibrated(edits: Iterable[Edit]) -> tuple[Edit, ...]:
    """Those of `edits` that name what an engine runs from."""
    return tuple(edit for edit in edits if edit.what == CALIBRATED)
