"""A file with a list of trace events, read from its first to its last whole event."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from cyclescope.core.errors import TraceFileError
from cyclescope.core.message import m
from cyclescope.core.units import Bytes
from cyclescope.importing.counts import Defect, Source
from cyclescope.importing.formats.dialect import Opening
from cyclescope.importing.formats.formats import DIALECTS, unknown_format
from cyclescope.importing.parsing.decoding import Batch, Decoder
from cyclescope.importing.parsing.finishing import finished
from cyclescope.importing.parsing.gathering import METADATA, PHASES, Gathering
from cyclescope.importing.parsing.packing import Stream
from cyclescope.importing.parsing.recovery import recover
from cyclescope.importing.parsing.scanning.scanner import Scanning, compiled
from cyclescope.importing.parsing.splitting import MOST_EVENT, Head, Splitter, TooLarge, end_of_list
from cyclescope.importing.ranks import rank_in_name
from cyclescope.importing.trace import Trace

# What stands behind the events: a name, devices, versions. More than this is something else, and is passed over.
_MOST_TAIL = 1 << 24
# Names of threads can fill the beginning of a trace; behind so many chunks of them no event is waited for.
_MOST_WAITING = 16
# A file of which so many chunks are not plain is not worth trying.
_MOST_REFUSED = 64


class EventsFile:
    """One reading of one file. `counts` is what was found in the text; what is found in the events is counted later."""

    def __init__(self, stream: Stream, splitter: Splitter, head: Head) -> None:
        self.stream, self.splitter, self.head = stream, splitter, head
        self.decoder = Decoder()
        self.gathering: Gathering | None = None
        self.scanning: Scanning | None = None
        self.waiting: list[Batch] = []
        self.refused = 0
        self.counts: Counter[Defect] = Counter()
        self.lost: Bytes = 0
        self.closed = False
        self.values = _values(head.text)

    def trace(self) -> Trace:
        """Raises `TraceFileError` where there is no event, none of a known format, or one without an end."""
        try:
            for chunk in self.splitter.chunks():
                if not self._scan(chunk):
                    self._parse(chunk)
                if self.closed:
                    break
        except TooLarge as error:
            raise _too_large(self.stream.path) from error
        if self.gathering is None:
            raise _no_events(self.stream.path)
        self.counts[Defect.TEXT_TIME] += self.decoder.text_times
        self.counts[Defect.NANOSECONDS] += int(self.decoder.nanoseconds)
        self.gathering.counts.update(self.counts)
        return finished(self.gathering, self._source(self.gathering), self.values)

    def _scan(self, chunk: bytes) -> bool:
        """Whether compiled code could take the chunk; of the last one what stands before the end of the list."""
        if self.scanning is None or self.gathering is None:
            return False
        end = end_of_list(chunk) if self.splitter.ended else None
        try:
            self.gathering.add_scanned(self.scanning.scan(chunk[: end[0]] if end else chunk))
        except (ValueError, msgspec.DecodeError):
            self.refused += 1
            self.scanning = Scanning(self.gathering.dialect) if self.refused < _MOST_REFUSED else None
            return False
        if end:
            self._close(chunk[end[1] :])
        return True

    def _parse(self, chunk: bytes) -> None:
        try:
            self.waiting.append(self.decoder.batch(chunk))
        except (msgspec.DecodeError, RecursionError):
            self._recover(chunk)
        self._gather(last=self.closed or self.splitter.ended)

    def _gather(self, last: bool) -> None:
        """Hands on what waits; at first only when there are enough events to tell whose they are."""
        if self.gathering is None:
            records = [record for batch in self.waiting for record in batch.records]
            known = any(record.ph not in ("M", "") for record in records)
            if not records or not (known or last or len(self.waiting) > _MOST_WAITING):
                return
            opening = Opening(self.values, records)
            dialect = next((dialect for dialect in DIALECTS if dialect.recognises(opening)), None)
            if dialect is None:
                raise unknown_format(self.stream.path)
            self.gathering = Gathering(dialect)
            self.scanning = Scanning(dialect) if dialect.plain and compiled() else None
        for batch in self.waiting:
            self.gathering.add(batch)
        self.waiting.clear()

    def _recover(self, chunk: bytes) -> None:
        ended = self.splitter.ended
        found = recover(chunk, self.decoder, ended)
        self.waiting += found.batches
        self.lost += found.lost
        self.counts[Defect.ESCAPED] += found.mended
        self.counts[Defect.BROKEN] += found.broken
        if found.tail is not None:
            self._close(found.tail)
        elif found.rest and not ended:
            self.splitter.put_back(found.rest)
        elif found.rest.strip():
            self.lost += len(found.rest)
            self.counts[Defect.CUT] += 1

    def _close(self, tail: bytes) -> None:
        self.closed = True
        self.values |= self._tail(tail)

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
        if not isinstance(rank, int) or isinstance(rank, bool) or not 0 <= rank < 1 << 31:
            rank = rank_in_name(name)
        # The bracket behind a bare list of events may be missing, as the format has it.
        cut = self.stream.cut or not (self.closed or (self.head.whole and not self.counts[Defect.CUT]))
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


def _too_large(path: Path) -> TraceFileError:
    return TraceFileError(
        m("An event of {file} must be smaller than {size} MB.", file=path.name, size=MOST_EVENT // 10**6),
        m("Events of profilers have hundreds of bytes; in this file one does not end, or it is nested without end."),
        m("Check that the file comes from a profiler, and record again."),
    )
