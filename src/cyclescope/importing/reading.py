"""The door: a file, or a folder of the files of ranks, becomes one trace. The format is recognised from the content."""

from __future__ import annotations

from pathlib import Path

from cyclescope.core.message import m
from cyclescope.importing.errors import TraceFileError
from cyclescope.importing.events_file import EventsFile
from cyclescope.importing.packing import Stream
from cyclescope.importing.splitting import Splitter
from cyclescope.importing.trace import Trace


def read(path: Path) -> Trace:
    """The trace in `path`. Raises `TraceFileError` where there is none that can be read."""
    stream = Stream(path)
    splitter = Splitter(stream.pieces())
    head = splitter.head()
    if head is None:
        raise TraceFileError(m("{file} must be a trace.", file=path.name))
    return EventsFile(stream, splitter, head).trace()
