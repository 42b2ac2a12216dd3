"""The door: a file, or a folder of the files of ranks, becomes one trace. The format is recognised from the content."""

from __future__ import annotations

from pathlib import Path

from cyclescope.core.errors import TraceFileError
from cyclescope.core.message import m
from cyclescope.core.units import Bytes
from cyclescope.importing.formats.formats import can_be_document, unknown_format
from cyclescope.importing.parsing.document_file import read_document
from cyclescope.importing.parsing.events_file import EventsFile
from cyclescope.importing.parsing.packing import Stream
from cyclescope.importing.parsing.splitting import Splitter
from cyclescope.importing.ranks import joined
from cyclescope.importing.trace import Trace

# Documents that are no list of events are read as a whole.
_MOST_DOCUMENT: Bytes = 1 << 28


def read(path: Path) -> Trace:
    """The trace in the file `path`, or in the files of ranks in the folder `path`. Raises `TraceFileError` where there is none."""
    if path.is_dir():
        return joined(path, read_file)
    return read_file(path)


def read_file(path: Path) -> Trace:
    """The trace in one file."""
    try:
        return _read(Stream(path))
    except OSError as error:
        raise TraceFileError(
            m("{file} cannot be read.", file=str(path)),
            str(error.strerror or error),
            m("Check the path and its permissions."),
        ) from error


def _read(stream: Stream) -> Trace:
    splitter = Splitter(stream.pieces())
    head = splitter.head()
    if head is not None:
        return EventsFile(stream, splitter, head).trace()
    text = splitter.whole(_MOST_DOCUMENT) if can_be_document(splitter.held) else None
    if text is None:
        raise unknown_format(stream.path, empty=stream.text == 0)
    return read_document(stream, text)
