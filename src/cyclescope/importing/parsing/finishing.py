"""What was gathered from one file, as a trace: pairs matched, lanes named, events in order, and what is off counted."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from cyclescope.core.units import AnyArray
from cyclescope.importing import defects
from cyclescope.importing.counts import Count, Defect, Reading, Source
from cyclescope.importing.details import Details
from cyclescope.importing.formats.arguments import Kept
from cyclescope.importing.parsing import ordering, pairs
from cyclescope.importing.parsing.gathering import Gathering
from cyclescope.importing.parsing.records import NONE
from cyclescope.importing.parsing.threads import Apart, Lanes
from cyclescope.importing.trace import Codes, Counters, Events, Flows, Kind, Trace

# Nanoseconds since 1970; the clock of a machine that was started is far below.
_YEAR_2001 = 10**18

_MARKS = {
    "phase": np.int8, "name": np.int32, "kind": np.int8, "at_ns": np.int64, "thread": np.int32, "category": np.int32, "id": np.int64,
    "correlation": np.int64, "external": np.int64, "detail": np.int32,
}  # fmt: skip
_EVENTS = {
    "name": np.int32, "kind": np.int8, "begin_ns": np.int64, "duration_ns": np.int64, "thread": np.int32, "correlation": np.int64,
    "external": np.int64, "detail": np.int32,
}  # fmt: skip


def finished(gathering: Gathering, source: Source, values: Mapping[str, Any]) -> Trace:
    """The trace of what `gathering` holds, which is empty afterwards. `values` stood before and behind the events."""
    marks = {name: gathering.marks.pop(name, dtype) for name, dtype in _MARKS.items()}
    _add_pairs(gathering, marks)
    columns = {name: gathering.events.pop(name, dtype) for name, dtype in _EVENTS.items()}
    columns["detail"], details = _details(gathering, columns["kind"], columns["detail"])
    thread = columns.pop("thread")
    if gathering.dialect.placed is not None:
        columns["kind"] = _placed(gathering, columns, thread, details)
    device = columns["kind"] >= Kind.KERNEL
    lanes = Lanes([*gathering.threads], gathering.sides.titles, source.rank, thread, device)
    columns["lane"] = lanes.of(thread, device)
    gathering.counts[Defect.UNSORTED] += ordering.unsorted(columns["lane"], columns["begin_ns"])
    clock = ordering.on_clock(columns["begin_ns"], columns["duration_ns"])
    gathering.counts.update(clock.counts)
    columns["duration_ns"] = clock.duration_ns
    order = ordering.order(columns["begin_ns"], columns["duration_ns"], clock.kept)
    zero = int(columns["begin_ns"][order[0]]) if len(order) else 0
    columns["begin_ns"] -= zero
    for name in columns:
        columns[name] = columns[name][order]
    base = values.get("baseTimeNanoseconds")
    start = zero + (base if isinstance(base, int) else 0)
    counters, flows = _counters(gathering, lanes, zero), _flows(marks, lanes, zero)
    trace = Trace(
        format=gathering.dialect.name,
        names=tuple(gathering.names),
        lanes=tuple(lanes.lanes),
        details=details,
        events=Events(**columns),
        counters=counters,
        flows=flows,
        reading=Reading((source,), _counted(gathering, source.rank)),
        start_ns=start,
        epoch=start > _YEAR_2001,
        properties=gathering.dialect.properties(values),
    )
    reading = replace(
        trace.reading, counts=trace.reading.counts + defects.counted(trace, source.rank, gathering.dialect.launches)
    )
    return replace(trace, reading=reading)


def _add_pairs(gathering: Gathering, marks: pairs.Table) -> None:
    """Matched beginnings and ends become events; those by id stand on lanes of their own, since they overlap freely."""
    threads = [*gathering.threads]
    for matched, apart in ((pairs.on_threads(marks), False), (pairs.by_id(marks), True)):
        gathering.counts[Defect.NO_END] += matched.without_end
        gathering.counts[Defect.NO_BEGIN] += matched.without_begin
        begins = matched.begins
        thread = marks["thread"][begins]
        if apart:
            names = [*gathering.names]
            keys = [
                (threads[t][0], names[c])
                for t, c in zip(thread.tolist(), marks["category"][begins].tolist(), strict=True)
            ]
            thread = np.array([gathering.threads[pid, Apart(category)] for pid, category in keys], np.int32)
        gathering.events.add(
            name=marks["name"][begins], kind=marks["kind"][begins], begin_ns=marks["at_ns"][begins],
            duration_ns=np.maximum(marks["at_ns"][matched.ends] - marks["at_ns"][begins], 0), thread=thread,
            correlation=marks["correlation"][begins], external=marks["external"][begins], detail=marks["detail"][begins],
        )  # fmt: skip


def _details(gathering: Gathering, kind: AnyArray, detail: AnyArray) -> tuple[Codes, Details]:
    """Numbers of details, which are distinct within a kind, as positions in all details."""
    raw: list[bytes] = []
    for k, numbers in gathering.kept.items():
        if numbers:
            rows = (kind == k) & (detail != NONE)
            detail[rows] += len(raw)
            names = [json.dumps(name).encode() for name in gathering.dialect.arguments[k].kept]
            raw += [_object(names, kept) for kept in numbers]
    return detail, Details(tuple(raw))


def _object(names: Sequence[bytes], kept: Kept) -> bytes:
    if names == [b'""']:
        return kept[0]
    return b"{%b}" % b",".join([b"%b:%b" % pair for pair in zip(names, kept, strict=True) if pair[1]])


def _placed(gathering: Gathering, columns: Mapping[str, AnyArray], thread: AnyArray, details: Details) -> AnyArray:
    """The kind of every event [n], where it depends on the lane: distinct pairs of a thread and a name are few."""
    placed, titles = gathering.dialect.placed, gathering.sides.titles
    assert placed is not None
    kind, names, threads = columns["kind"].copy(), [*gathering.names], [*gathering.threads]
    mark = gathering.dialect.operations
    is_operation = np.array([mark in raw for raw in details.raw] + [False], np.bool_)
    kind[(kind == Kind.SPAN) & is_operation[columns["detail"]]] = Kind.OPERATION
    pairs_, which = np.unique(thread.astype(np.int64) * len(names) + columns["name"], return_inverse=True)
    found = []
    for pair in pairs_.tolist():
        pid, tid = threads[pair // len(names)]
        place = placed(titles.get((pid, None), ""), titles.get((pid, tid), ""), names[pair % len(names)])
        found.append(-1 if place is None else int(place))
    by_lane = np.array(found, np.int8)[which.reshape(-1)]
    return np.where(by_lane >= 0, by_lane, kind)


def _counters(gathering: Gathering, lanes: Lanes, zero: int) -> Counters:
    columns = gathering.sides.counters
    name, series, thread = (columns.pop(c, np.int32) for c in ("name", "series", "thread"))
    return Counters(
        name, series, lanes.near(thread, False), columns.pop("at_ns", np.int64) - zero, columns.pop("value", np.float64)
    )


def _flows(marks: pairs.Table, lanes: Lanes, zero: int) -> Flows:
    begins, ends = pairs.arrows(marks)
    thread, at = marks["thread"], marks["at_ns"] - zero
    return Flows(
        marks["name"][begins],
        marks["id"][begins],
        lanes.near(thread[begins], False),
        at[begins],
        lanes.near(thread[ends], True),
        at[ends],
    )


def _counted(gathering: Gathering, rank: int) -> tuple[Count, ...]:
    return tuple(Count(defect, number, rank=rank) for defect, number in gathering.counts.items() if number)
