"""A format that is no list of trace events: its records are translated into such, so that all else stays the same."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from cyclescope.importing.counts import Defect
from cyclescope.importing.formats.dialect import Dialect
from cyclescope.importing.parsing.records import Record


@dataclass(frozen=True)
class Translated:
    """`records` have times in µs; `counts` is what was found in the document beside them."""

    records: Sequence[Record]
    counts: Mapping[Defect, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Document:
    """`translate` gives None where the text is not of this format. It raises `TraceFileError` where it is, but holds no times."""

    dialect: Dialect
    translate: Callable[[bytes], Translated | None]
