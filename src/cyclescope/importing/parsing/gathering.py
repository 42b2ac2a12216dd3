"""Batches of records into columns. What repeats is numbered at once, so that no record outlives its batch."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

import numpy as np

from cyclescope.core.units import AnyArray, IntArray
from cyclescope.importing.counts import Defect
from cyclescope.importing.formats.arguments import Kept
from cyclescope.importing.formats.dialect import Dialect
from cyclescope.importing.parsing.columns import Columns
from cyclescope.importing.parsing.decoding import Batch
from cyclescope.importing.parsing.interning import Numbering
from cyclescope.importing.parsing.records import NONE
from cyclescope.importing.parsing.scanning.scanner import Scanned
from cyclescope.importing.parsing.sides import MEMORY, Sides
from cyclescope.importing.trace import Kind

Thread = tuple[int | str, int | str]

# Pieces of time; moments; ends of pieces and arrows, which are matched when all are there.
_SPANS, _INSTANTS, _MARKS = "X", "iIR", "BEbenSTFpstf"
_CODES = {phase: code for code, phase in enumerate(_SPANS + _INSTANTS + _MARKS)}
SPAN, COUNTER, METADATA, OTHER = 0, len(_CODES), len(_CODES) + 1, len(_CODES) + 2
PHASES = _CODES | {"C": COUNTER, "M": METADATA, "": METADATA}
INSTANTS = [PHASES[phase] for phase in _INSTANTS]
MARKS = [PHASES[phase] for phase in _MARKS]


class _Words(NamedTuple):
    """What stands in the words of each event of a chunk [n]: numbers of names, kinds, phases and threads."""

    name: AnyArray
    kind: AnyArray
    category: AnyArray
    phase: AnyArray
    thread: AnyArray


class Gathering:
    """All records of one file, in the words of one `dialect`."""

    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect
        self.names: Numbering[str] = Numbering()
        self.threads: Numbering[Thread] = Numbering()
        self.ids: Numbering[str] = Numbering()
        self.kept: dict[Kind, Numbering[Kept]] = {kind: Numbering() for kind in dialect.arguments}
        self.events, self.marks = Columns(), Columns()
        self.sides = Sides(self.names, self.threads)
        self.counts: Counter[Defect] = Counter()
        self.phases: Counter[int] = Counter()
        self._named: Numbering[tuple[str, str]] = Numbering()
        self._placed: Numbering[tuple[str, int | str, int | str]] = Numbering()
        self._table_named = np.empty((0, 3), np.int32)
        self._table_placed = np.empty((0, 2), np.int32)

    def add(self, batch: Batch) -> None:
        records = batch.records
        named = np.array([self._named[r.cat, r.name] for r in records], np.int64)
        placed = np.array([self._placed[r.ph, r.pid, r.tid] for r in records], np.int64)
        self._add(batch, named, placed)

    def add_scanned(self, chunk: Scanned) -> None:
        table = chunk.table
        table.named += [self._named[r.cat, r.name] for r in chunk.new_names]
        table.placed += [self._placed[r.ph, r.pid, r.tid] for r in chunk.new_places]
        named = np.array(table.named, np.int64)[chunk.named]
        placed = np.array(table.placed, np.int64)[chunk.placed]
        self._add(chunk, named, placed)

    def _add(self, chunk: Batch | Scanned, named: IntArray, placed: IntArray) -> None:
        self._extend_tables()
        words = _Words(*self._table_named[named].T, *self._table_placed[placed].T)
        phase = words.phase
        self.phases.update(dict(enumerate(np.bincount(phase, minlength=OTHER + 1).tolist())))
        timed = chunk.timed | (phase == METADATA)
        self.counts[Defect.NO_TIME] += int((~timed).sum())
        self.counts[Defect.UNKNOWN_PHASE] += int((phase == OTHER).sum())
        self._add_spans(chunk, np.flatnonzero((phase == SPAN) & timed), words)
        if len(other := np.flatnonzero((phase != SPAN) & (phase != OTHER) & timed)):
            phases = phase[other]
            self._add_marks(chunk, other[np.isin(phases, MARKS)], words)
            self._add_instants(chunk, other[np.isin(phases, INSTANTS)], words)
            self.sides.add_metadata(chunk.records_at(other[phases == METADATA]))
            counters = other[phases == COUNTER]
            self.sides.add_counters(chunk.records_at(counters), chunk.begin_ns[counters])

    def _extend_tables(self) -> None:
        """What a new pair of category and name, or of phase and thread, stands for."""
        if len(self._named) > len(self._table_named):
            new = [*self._named][len(self._table_named) :]
            rows = [
                (
                    self.names[self.dialect.named(category, name)],
                    self.dialect.kind(category, name),
                    self.names[category],
                )
                for category, name in new
            ]
            self._table_named = np.concatenate([self._table_named, np.array(rows, np.int32)])
        if len(self._placed) > len(self._table_placed):
            new_places = [*self._placed][len(self._table_placed) :]
            places = [(PHASES.get(phase, OTHER), self.threads[pid, tid]) for phase, pid, tid in new_places]
            self._table_placed = np.concatenate([self._table_placed, np.array(places, np.int32)])

    def _add_spans(self, chunk: Batch | Scanned, rows: IntArray, words: _Words) -> None:
        self.counts[Defect.NEGATIVE] += int(chunk.negative[rows].sum())
        self.counts[Defect.NOT_A_NUMBER] += int(chunk.no_number[rows].sum())
        kind = words.kind[rows]
        self.events.add(
            name=words.name[rows], kind=kind.astype(np.int8), begin_ns=chunk.begin_ns[rows], duration_ns=chunk.duration_ns[rows],
            thread=words.thread[rows], **self._arguments(chunk, rows, kind),
        )  # fmt: skip

    def _arguments(self, chunk: Batch | Scanned, rows: IntArray, kinds: AnyArray) -> dict[str, AnyArray]:
        """`correlation`, `external` and `detail` [rows]; details are numbered by kind."""
        correlation, external, detail = chunk.arguments(self.dialect, self.kept, rows, kinds)
        return {"correlation": correlation, "external": external, "detail": detail}

    def _add_marks(self, chunk: Batch | Scanned, rows: IntArray, words: _Words) -> None:
        if len(rows):
            kind = words.kind[rows]
            self.marks.add(
                phase=words.phase[rows].astype(np.int8), name=words.name[rows], kind=kind.astype(np.int8),
                at_ns=chunk.begin_ns[rows], thread=words.thread[rows], category=words.category[rows],
                id=chunk.ids_at(rows, self.ids), **self._arguments(chunk, rows, kind),
            )  # fmt: skip

    def _add_instants(self, chunk: Batch | Scanned, rows: IntArray, words: _Words) -> None:
        """Moments; those of the allocator are counters."""
        memory = words.name[rows] == self.names.get(MEMORY, NONE)
        at = rows[memory]
        if len(at) and self.sides.add_memory(chunk.argument_texts(at), chunk.begin_ns[at], words.thread[at]):
            rows = rows[~memory]
        none = np.full(len(rows), NONE, np.int64)
        self.events.add(
            name=words.name[rows], kind=np.full(len(rows), Kind.INSTANT, np.int8), begin_ns=chunk.begin_ns[rows],
            duration_ns=np.zeros(len(rows), np.int64), thread=words.thread[rows], correlation=none, external=none,
            detail=none.astype(np.int32),
        )  # fmt: skip
