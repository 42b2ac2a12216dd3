"""`import`: a trace of any engine becomes a cycle."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from cyclescope.core.cycle import Cycle
from cyclescope.core.progress import Notify, silent
from cyclescope.importing.cycle import imported_cycle
from cyclescope.importing.overlay import Overlay
from cyclescope.importing.reading import read

# Names that say nothing about what a file holds; the folder's says more.
_PLAIN_NAMES = frozenset(("trace", "trace.json", "profile", "kineto_trace", ""))


def import_trace(
    path: str | os.PathLike[str],
    *,
    name: str = "",
    overlay: Callable[[Cycle], Overlay] | None = None,
    progress: Notify = silent,
) -> Cycle:
    """The cycle in the trace `path`: a file, or a folder with the files of ranks. Its format is recognised from its content.

    `name` is what the model is called where the trace names none; the name of the file unless given. `overlay` gives the model
    whose graph is laid over the operations, by what is known without it. Raises `TraceFileError`.
    """
    place = Path(path)
    progress("read", 0.0)
    trace = read(place)
    progress("structure", 0.0)
    return imported_cycle(trace, name or name_of(place), overlay)


def name_of(path: Path) -> str:
    """What a trace is called by its place."""
    stem = path.name
    for suffix in (".gz", ".zst", ".json", ".csv", ".pt.trace"):
        stem = stem.removesuffix(suffix)
    return path.resolve().parent.name if stem in _PLAIN_NAMES else stem
