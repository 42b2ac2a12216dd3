"""What a plan has changed in a model, as data: enough to do the same to the same model again."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Edit:
    """One edit: `what` is done to the module at `path`, with which `numbers` (rows, columns, layers that stay; a rank)."""

    what: str
    path: str
    numbers: tuple[int, ...] = ()
