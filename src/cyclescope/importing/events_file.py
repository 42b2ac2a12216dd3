"""A file with a list of trace events, read from its first to its last whole event."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from cyclescope.core.message import m
from cyclescope.core.units import Bytes
from cyclescope.importing.counts import Defect, Source
from cyclescope.importing.decoding import Batch, Decoder
from cyclescope.importing.errors import TraceFileError
from cyclescope.importing.finishing import finished
from cyclescope.importing.formats.dialect import Opening
from cyclescope.importing.formats.formats import DIALECTS
from cyclescope.importing.gathering import METADATA, PHASES, Gathering
from cyclescope.importing.packing import Stream
from cyclescope.importing.recovery import recover
from cyclescope.importing.splitting import Head, Splitter
from cyclescope.importing.trace import Trace

_RANK_IN_NAME = re.compile(r"rank[-_. ]?(\d+)", re.IGNORECASE)
# What stands behind the events: a name, devices, versions. More than this is something else, and is passed over.
_MOST_TAIL = 1 << 24


class EventsFile:
    """One reading of one file."""

    def __init__(self, stream: Stream, splitter: Splitter, head: Head) -> None:
        self.stream, self.splitter, self.head = stream, splitter, head
        self.decoder = Decoder()
        self.gathering: Gathering | None = None
        self.lost: Bytes = 0
        self.closed = False
        self.values = _values(head.text)

    def trace(self) -> Trace:
        """Raises `TraceFileError` where no event can be read."""
        for chunk in self.splitter.chunks():
            try:
                self._add(self.decoder.batch(chunk))
            except (msgspec.DecodeError, RecursionError):
                self._recover(chunk)
            if self.closed:
                break
        if self.gathering is None:
            raise _no_events(self.stream.path)
        if self.decoder.text_times:
            self.gathering.counts[Defect.TEXT_TIME] += self.decoder.text_times
        if self.decoder.nanoseconds:
            self.gathering.counts[Defect.NANOSECONDS] += 1
        return finished(self.gathering, self._source(self.gathering), self.values)

    def _add(self, batch: Batch) -> None:
        if batch.records:
            if self.gathering is None:
                opening = Opening(self.values, batch.records)
                self.gathering = Gathering(next(dialect for dialect in DIALECTS if dialect.recognises(opening)))
            self.gathering.add(batch)

    def _recover(self, chunk: bytes) -> None:
        ended = self.splitter.ended
        found = recover(chunk, self.decoder, ended)
        for batch in found.batches:
            self._add(batch)
        self.lost += found.lost
        if self.gathering is not None:
            self.gathering.counts[Defect.ESCAPED] += found.mended
            self.gathering.counts[Defect.BROKEN] += found.broken
        if found.tail is not None:
            self.closed = True
            self.values |= self._tail(found.tail)
        elif found.rest and not ended:
            self.splitter.put_back(found.rest)
        elif found.rest.strip():
            self.lost += len(found.rest)
            if self.gathering is not None:
                self.gathering.counts[Defect.CUT] += 1

    def _tail(self, text: bytes) -> Mapping[str, Any]:
        """The values behind the events."""
        text += self.splitter.held
        for piece in self.splitter.pieces:
            text += piece
            if len(text) > _MOST_TAIL:
                return {}
        return _values(b"{" + text.strip().removeprefix(b",").removesuffix(b"}"))

    def _source(self, gathering: Gathering) -> Source:
        name = self.stream.path.name
        distributed = self.values.get("distributedInfo")
        rank = distributed.get("rank") if isinstance(distributed, dict) else None
        in_name = _RANK_IN_NAME.search(name)
        if not isinstance(rank, int):
            rank = int(in_name[1]) if in_name else 0
        cut = self.stream.cut or not (self.closed or (self.head.whole and not gathering.counts[Defect.CUT]))
        return Source(
            name, rank, self.stream.packing, self.stream.size, self.stream.text, self.stream.text - self.lost, cut,
            records=sum(gathering.phases.values()), metadata=gathering.phases[METADATA],
            arrows=sum(gathering.phases[PHASES[phase]] for phase in "stf"),
        )  # fmt: skip


def _values(text: bytes) -> dict[str, Any]:
    """What stands before or behind the events, an object without its end; nothing where it cannot be read."""
    try:
        found = msgspec.json.decode(text.rstrip(b", \t\r\n") + b"}")
    except (msgspec.DecodeError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _no_events(path: Path) -> TraceFileError:
    return TraceFileError(
        m("{file} must have at least one whole event (got none).", file=path.name),
        m("The recording was empty, or the file was cut before its first event ended."),
        m("Record again, and close the profiler before the file is copied."),
    )
