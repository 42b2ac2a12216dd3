"""All events of an imported trace as Chrome trace events, strictly nested: what crosses its neighbours gets a track beside theirs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np

from cyclescope.core.lanes import EventKind, LaneSamples
from cyclescope.core.units import IntArray
from cyclescope.report.names import printable

_NS_PER_US = 1000
# As the profiler of PyTorch calls them, so that its readers know them again.
_CATEGORIES = {
    EventKind.OTHER: "overhead", EventKind.OPERATION: "cpu_op", EventKind.MODULE: "python_function",
    EventKind.PYTHON: "python_function", EventKind.ANNOTATION: "user_annotation", EventKind.RUNTIME: "cuda_runtime",
    EventKind.SYNC: "cuda_runtime", EventKind.KERNEL: "kernel", EventKind.COMMUNICATION: "kernel", EventKind.COPY: "gpu_memcpy",
    EventKind.SET: "gpu_memset", EventKind.MARK: "gpu_user_annotation", EventKind.INSTANT: "cpu_instant_event",
    EventKind.COUNTER: "counter",
}  # fmt: skip
_FIRST_PID = 2  # 1 is the cycle itself


def lane_events(lanes: LaneSamples) -> Iterator[dict[str, Any]]:
    """Names of the tracks, every event as a pair of begin and end, the arrows from launches to work, and counters; in µs."""
    return _Export(lanes).events()


class _Export:
    def __init__(self, lanes: LaneSamples) -> None:
        self._lanes = lanes
        processes: dict[tuple[int, str, bool], int] = {}
        self._pid = [
            processes.setdefault((lane.rank, lane.process, lane.device), _FIRST_PID + len(processes))
            for lane in lanes.lanes
        ]
        # Tracks of one lane have numbers next to each other, so that viewers keep them together.
        track = tracks(lanes)
        deepest = [0] * len(lanes.lanes)
        if len(lanes):
            bounds = np.searchsorted(lanes.lane, np.arange(len(lanes.lanes) + 1))
            deepest = [int(track[a:b].max(initial=0)) for a, b in pairwise(bounds.tolist())]
        self._first_tid = np.concatenate([[1], 1 + np.cumsum(np.asarray(deepest, dtype=np.int64) + 1)])
        self._tid = (self._first_tid[lanes.lane] + track).tolist() if len(lanes) else []
        self._tracks = deepest
        self._names = [printable(name) for name in lanes.names]
        self._args = [_parsed(text) for text in lanes.details]

    def events(self) -> Iterator[dict[str, Any]]:
        yield from self._titles()
        lanes = self._lanes
        order = np.lexsort((-lanes.duration_ns, lanes.begin_ns, np.asarray(self._tid, dtype=np.int64)))
        lasting = order[lanes.lasts[order]]
        yield from self._spans(lasting.tolist())
        for i in order[~lanes.lasts[order]].tolist():
            yield self._event("i", i, int(lanes.begin_ns[i]), s="t", args=self._args_of(i))
        yield from self._arrows()
        yield from self._counters()

    def _titles(self) -> Iterator[dict[str, Any]]:
        named: set[int] = set()
        for k, lane in enumerate(self._lanes.lanes):
            pid = self._pid[k]
            if pid not in named:
                named.add(pid)
                title = f"{lane.process_title} {lane.process}".strip() or lane.title
                title = f"rank {lane.rank}: {title}" if len(set(self._lanes.lane_rank.tolist())) > 1 else title
                yield _named("process_name", pid, 0, printable(f"{title} (device)" if lane.device else title))
            for track in range(self._tracks[k] + 1):
                title = lane.title or lane.thread
                title = f"{title} (crossing {track})" if track else title
                yield _named("thread_name", pid, int(self._first_tid[k]) + track, printable(title))

    def _spans(self, rows: list[int]) -> Iterator[dict[str, Any]]:
        begins, ends = self._lanes.begin_ns.tolist(), self._lanes.end_ns.tolist()
        open_events: list[int] = []
        for i in rows:
            while open_events and (
                self._tid[open_events[-1]] != self._tid[i] or self._is_over(ends[open_events[-1]], begins, ends, i)
            ):
                done = open_events.pop()
                yield self._event("E", done, ends[done])
            yield self._event("B", i, begins[i], args=self._args_of(i))
            open_events.append(i)
        while open_events:
            done = open_events.pop()
            yield self._event("E", done, ends[done])

    @staticmethod
    def _is_over(end: int, begins: list[int], ends: list[int], i: int) -> bool:
        return end <= begins[i] and not (end == begins[i] == ends[i])

    def _event(self, phase: str, i: int, at_ns: int, **more: Any) -> dict[str, Any]:
        lanes = self._lanes
        return {
            "ph": phase,
            "name": self._names[int(lanes.name[i])],
            "cat": _CATEGORIES[EventKind(int(lanes.kind[i]))],
            "pid": self._pid[int(lanes.lane[i])],
            "tid": self._tid[i],
            "ts": at_ns / _NS_PER_US,
            **more,
        }

    def _args_of(self, i: int) -> dict[str, Any]:
        lanes, detail = self._lanes, int(self._lanes.detail[i])
        args = dict(self._args[detail]) if detail >= 0 else {}
        python = lanes.kind[i] in (EventKind.PYTHON, EventKind.MODULE)
        names = ("Python parent id", "Python id") if python else ("correlation", "External id")
        for name, column in zip(names, (lanes.correlation, lanes.external), strict=True):
            if column is not None and column[i] >= 0:
                args[name] = int(column[i])
        if lanes.op[i] >= 0:
            args["operation of the cycle"] = int(lanes.op[i])
        return args

    def _arrows(self) -> Iterator[dict[str, Any]]:
        lanes = self._lanes
        for i in np.flatnonzero(lanes.launch >= 0).tolist():
            asked = int(lanes.launch[i])
            for phase, end, more in (("s", asked, {}), ("f", i, {"bp": "e"})):
                at = int(lanes.begin_ns[end]) / _NS_PER_US
                pid, tid = self._pid[int(lanes.lane[end])], self._tid[end]
                yield {"ph": phase, "id": i, "name": "ac2g", "cat": "ac2g", "pid": pid, "tid": tid, "ts": at, **more}
        if lanes.arrows is None:
            return
        for k in range(len(lanes.arrows.name)):
            name = self._names[int(lanes.arrows.name[k])]
            ends: tuple[tuple[str, int, int, dict[str, str]], ...] = (
                ("s", int(lanes.arrows.from_lane[k]), int(lanes.arrows.begin_ns[k]), {}),
                ("f", int(lanes.arrows.to_lane[k]), int(lanes.arrows.end_ns[k]), {"bp": "e"}),
            )
            for phase, lane, at_ns, more in ends:
                place = {"pid": self._pid[lane], "tid": int(self._first_tid[lane]), "ts": at_ns / _NS_PER_US}
                yield {"ph": phase, "id": len(lanes) + k, "name": name, "cat": name, **place, **more}

    def _counters(self) -> Iterator[dict[str, Any]]:
        found = self._lanes.counters
        if found is None:
            return
        for name, series, lane, at, value in zip(
            found.name.tolist(),
            found.series.tolist(),
            found.lane.tolist(),
            found.at_ns.tolist(),
            found.value.tolist(),
            strict=True,
        ):
            yield {
                "ph": "C",
                "name": self._names[name],
                "pid": self._pid[lane],
                "tid": int(self._first_tid[lane]),
                "ts": at / _NS_PER_US,
                "args": {self._names[series]: value},
            }


def tracks(lanes: LaneSamples) -> IntArray:
    """The track within its lane on which each event nests [n]: 0, unless it crosses what is open there."""
    found = np.zeros(len(lanes), dtype=np.int64)
    rows = np.flatnonzero(lanes.lasts)
    begins, ends, of_lane = lanes.begin_ns[rows].tolist(), lanes.end_ns[rows].tolist(), lanes.lane[rows].tolist()
    stacks: list[list[int]] = []
    lane = -1
    for k, (begin, end) in enumerate(zip(begins, ends, strict=True)):
        if of_lane[k] != lane:
            lane, stacks = of_lane[k], [[]]
        for track, stack in enumerate(stacks):  # noqa: B007  the track that fits is used behind the loop
            while stack and stack[-1] <= begin:
                stack.pop()
            if not stack or end <= stack[-1]:
                break
        else:
            track, stack = len(stacks), []
            stacks.append(stack)
        stack.append(end)
        if track:
            found[rows[k]] = track
    return found


def _parsed(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        return {"record": printable(text)}
    return found if isinstance(found, dict) else {"record": found}


def _named(what: str, pid: int, tid: int, title: str) -> dict[str, Any]:
    return {"ph": "M", "name": what, "pid": pid, "tid": tid, "args": {"name": title}}
