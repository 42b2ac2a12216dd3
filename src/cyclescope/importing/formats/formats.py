"""THE tuples of formats."""

from __future__ import annotations

from pathlib import Path

from cyclescope.core.errors import TraceFileError
from cyclescope.core.message import m
from cyclescope.importing.formats.chakra import CHAKRA
from cyclescope.importing.formats.chrome import CHROME
from cyclescope.importing.formats.dialect import Dialect
from cyclescope.importing.formats.document import Document
from cyclescope.importing.formats.jax import JAX
from cyclescope.importing.formats.kineto import KINETO
from cyclescope.importing.formats.onnxruntime import ONNXRUNTIME
from cyclescope.importing.formats.openvino import OPENVINO, TABLES

# Lists of events, in the order in which they are asked; the last takes any.
DIALECTS: tuple[Dialect, ...] = (KINETO, ONNXRUNTIME, JAX, CHROME)
# Documents of another form, which are read as a whole.
DOCUMENTS: tuple[Document, ...] = (OPENVINO, CHAKRA)

TITLES: tuple[str, ...] = (
    *(dialect.title for dialect in DIALECTS),
    *(document.dialect.title for document in DOCUMENTS),
)


def can_be_document(start: bytes) -> bool:
    """Whether a text that begins so can be one of `DOCUMENTS`: they are objects or tables."""
    return start.lstrip().startswith((b"{", *TABLES))


def unknown_format(path: Path, empty: bool = False) -> TraceFileError:
    if empty:
        return TraceFileError(
            m("{file} must be a trace (it is empty).", file=path.name),
            m("The recording did not write anything, or the copy failed."),
            m("Record again, and close the profiler before the file is copied."),
        )
    return TraceFileError(
        m("{file} must be a trace of a known format.", file=path.name),
        m("Known are: {formats}.", formats=", ".join(TITLES)),
        m("Check that the file comes from a profiler, and export it as JSON."),
    )
