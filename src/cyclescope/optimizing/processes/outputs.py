"""Results on their way from a trial process: plain arrays in a folder, never pickled."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path

import numpy as np

from cyclescope.core.errors import EngineError
from cyclescope.core.message import m
from cyclescope.core.results import Results

_ARRAYS = tuple(field.name for field in fields(Results) if field.name != "classes")
_CLASSES = "classes.json"


def write(results: Results, folder: Path) -> None:
    """Write what there is of `results` to `folder`, an array a file."""
    for name in _ARRAYS:
        value = getattr(results, name)
        if value is not None:
            np.save(folder / f"{name}.npy", value, allow_pickle=False)
    (folder / _CLASSES).write_text(json.dumps(results.classes))


def read(folder: Path) -> Results:
    """The results that `write` wrote. Raises `EngineError` for a file that is cut or foreign."""
    found = {}
    try:
        for name in _ARRAYS:
            path = folder / f"{name}.npy"
            if path.exists():
                found[name] = np.load(path, allow_pickle=False)
        classes = tuple(str(name) for name in json.loads((folder / _CLASSES).read_text()))
    except (ValueError, OSError, EOFError) as exc:
        raise EngineError(m("The outputs of a trial cannot be read."), str(exc)) from exc
    if "mask" not in found:
        raise EngineError(m("A trial has no outputs."))
    return Results(**found, classes=classes)
