"""The files of several ranks, as one trace: their lanes side by side, on one clock where they have one."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import TypeVar

import numpy as np

from cyclescope.core.errors import TraceFileError
from cyclescope.core.message import m
from cyclescope.core.units import NS_PER_S, AnyArray
from cyclescope.importing.counts import Count, Defect, Reading
from cyclescope.importing.details import Details
from cyclescope.importing.parsing.interning import Numbering
from cyclescope.importing.trace import Codes, Counters, Events, Flows, Trace

_RANK = re.compile(r"rank[-_. ]?\[?(\d+)", re.IGNORECASE)
_SUFFIXES = (".json", ".json.gz", ".json.zst", ".csv")
# Ranks of one run begin together; clocks that differ by more are not the same clock.
_SAME_CLOCK_NS = 3600 * NS_PER_S

Table = TypeVar("Table", Events, Counters, Flows)


def rank_in_name(name: str) -> int:
    """The rank that a file's name says, or 0."""
    found = _RANK.search(name)
    return int(found[1]) if found and len(found[1]) < 9 else 0


def rank_files(folder: Path) -> list[Path]:
    """The files of `folder` that can be traces, by rank and name."""
    files = [path for path in folder.iterdir() if path.is_file() and path.name.endswith(_SUFFIXES)]
    return sorted(files, key=lambda path: (rank_in_name(path.name), path.name))


def joined(folder: Path, read_file: Callable[[Path], Trace]) -> Trace:
    """The traces in `folder` as one. Files that are no traces are named in `Reading.skipped`; of two with the same rank the second
    gets the next that is free.
    """
    traces, skipped = [], []
    for path in rank_files(folder):
        try:
            traces.append(read_file(path))
        except TraceFileError:
            skipped.append(path.name)
    if not traces:
        raise TraceFileError(
            m("{folder} must hold at least one trace (got none).", folder=str(folder)),
            m("Traces are looked for in files that end with {suffixes}, and not in folders below.", suffixes=", ".join(_SUFFIXES)),
            m("Name the file of the trace, or the folder that holds the files of all ranks."),
        )  # fmt: skip
    formats = sorted({trace.format for trace in traces})
    if len(formats) > 1:
        raise TraceFileError(
            m("The traces of a folder must be of one format (got {formats}).", formats=", ".join(formats)),
            m("A folder is one import: its files are the ranks of one run."),
            m("Import the files one by one, or move those of one run into a folder."),
        )
    whole = traces[0] if len(traces) == 1 else _join(_ranked(traces))
    return replace(whole, reading=replace(whole.reading, skipped=tuple(skipped)))


def _ranked(traces: Sequence[Trace]) -> list[Trace]:
    """`traces` with a rank each: its own, or the next that is free."""
    taken: set[int] = set()
    found = []
    for trace in traces:
        rank = trace.reading.sources[0].rank
        while rank in taken:
            rank += 1
        taken.add(rank)
        lanes = tuple(replace(lane, rank=rank) for lane in trace.lanes)
        sources = tuple(replace(source, rank=rank) for source in trace.reading.sources)
        counts = tuple(replace(count, rank=rank) for count in trace.reading.counts)
        found.append(replace(trace, lanes=lanes, reading=Reading(sources, counts)))
    return sorted(found, key=lambda trace: trace.reading.sources[0].rank)


def _join(traces: Sequence[Trace]) -> Trace:
    starts = [trace.start_ns for trace in traces]
    shared = max(starts) - min(starts) < _SAME_CLOCK_NS
    names: Numbering[str] = Numbering()
    moves, lanes, details = [], 0, 0
    for trace in traces:
        renamed = np.array([names[name] for name in trace.names], np.int32)
        moves.append(_Move(renamed, lanes, details, trace.start_ns - min(starts) if shared else 0))
        lanes, details = lanes + len(trace.lanes), details + len(trace.details)
    events = _together(Events, [trace.events for trace in traces], moves)
    counts = [count for trace in traces for count in trace.reading.counts]
    if not shared:
        counts += [Count(Defect.NO_CLOCK, len(trace.events), rank=trace.reading.sources[0].rank) for trace in traces]
    return Trace(
        format=traces[0].format,
        names=tuple(names),
        lanes=tuple(lane for trace in traces for lane in trace.lanes),
        details=Details(tuple(raw for trace in traces for raw in trace.details.raw)),
        events=events.take(np.lexsort((-events.duration_ns, events.begin_ns))),
        counters=_together(Counters, [trace.counters for trace in traces], moves),
        flows=_together(Flows, [trace.flows for trace in traces], moves),
        reading=Reading(tuple(source for trace in traces for source in trace.reading.sources), tuple(counts)),
        start_ns=min(starts),
        epoch=shared and all(trace.epoch for trace in traces),
        properties=traces[0].properties,
    )


class _Move:
    """How the numbers of one trace change: names to new ones, lanes and details moved, times shifted."""

    def __init__(self, names: Codes, lanes: int, details: int, shift_ns: int) -> None:
        self.names, self.lanes, self.details, self.shift_ns = names, lanes, details, shift_ns

    def moved(self, column: str, values: AnyArray) -> AnyArray:
        if column in ("name", "series"):
            return self.names[values] if len(values) else values
        if column.endswith("lane"):
            return (values + self.lanes).astype(np.int32)
        if column == "detail":
            return np.where(values >= 0, values + self.details, values).astype(np.int32)
        return values + self.shift_ns if column in ("begin_ns", "at_ns", "end_ns") else values


def _together(made: type[Table], parts: Sequence[Table], moves: Sequence[_Move]) -> Table:
    columns = {}
    for f in fields(made):
        moved = [move.moved(f.name, getattr(part, f.name)) for part, move in zip(parts, moves, strict=True)]
        columns[f.name] = np.concatenate(moved)
    return made(**columns)
