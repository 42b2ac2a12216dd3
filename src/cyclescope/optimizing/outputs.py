"""Results on their way from a trial process: plain arrays in a folder, never pickled."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import numpy as np

from cyclescope.core.errors import EngineError
from cyclescope.core.results import Results


def write(results: Results, folder: Path) -> None:
    """Write what there is of `results` to `folder`, an array a file."""
    for field in fields(results):
        value = getattr(results, field.name)
        if value is not None:
            np.save(folder / f"{field.name}.npy", value, allow_pickle=False)


def read(folder: Path) -> Results:
    """The results that `write` wrote. Raises `EngineError` for a file that is cut or foreign."""
    found = {}
    for field in fields(Results):
        path = folder / f"{field.name}.npy"
        if path.exists():
            try:
                found[field.name] = np.load(path, allow_pickle=False)
            except (ValueError, OSError, EOFError) as exc:
                raise EngineError("What a trial gave back cannot be read.", str(exc)) from exc
    if "mask" not in found:
        raise EngineError("A trial gave nothing back.")
    return Results(**found)
