"""A file that holds no list of trace events, read as a whole and translated."""

from __future__ import annotations

from cyclescope.importing.counts import Source
from cyclescope.importing.formats.formats import DOCUMENTS, unknown_format
from cyclescope.importing.parsing.decoding import batch_of
from cyclescope.importing.parsing.finishing import finished
from cyclescope.importing.parsing.gathering import Gathering
from cyclescope.importing.parsing.packing import Stream
from cyclescope.importing.ranks import rank_in_name
from cyclescope.importing.trace import Trace


def read_document(stream: Stream, text: bytes) -> Trace:
    """The trace in `text`, which is all of the file. Raises `TraceFileError` where it is of no known format or has no times."""
    for document in DOCUMENTS:
        translated = document.translate(text)
        if translated is None or not translated.records:
            continue
        gathering = Gathering(document.dialect)
        gathering.add(batch_of([*translated.records]))
        gathering.counts.update(translated.counts)
        source = Source(
            stream.path.name, rank_in_name(stream.path.name), stream.packing, stream.size, stream.text, stream.text, stream.cut,
            records=len(translated.records),
        )  # fmt: skip
        return finished(gathering, source, {})
    raise unknown_format(stream.path, stream.text == 0)
