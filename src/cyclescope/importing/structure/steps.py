"""The steps of a trace: the pieces in which the same work is asked for again."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from cyclescope.core.lanes import EventKind, LaneSamples, Phase
from cyclescope.importing.structure.mainline import MainLine

_PROFILER = re.compile(r"^ProfilerStep#\d+$")
# vLLM names a step by its sequences and their tokens: those of a prompt ("context"), then those that are written.
_VLLM = re.compile(r"^execute_(?:(?:new|context)_)?(\d+)\(([\d_]+)\)_(?:cached|generation)_(\d+)\(([\d_]+)\)$")
_NAMED = re.compile(r"\b(prefill|decode|context|generation)\b|(prefill|decode)", re.IGNORECASE)
_NUMBER = re.compile(r"\d+")
_LEAST_SHARE = 0.5  # of the operations, which steps that no convention names must hold


@dataclass(frozen=True, slots=True)
class Step:
    """A piece of the trace: `begin_ns` … `end_ns` of the lane that asks for the work, and what its name says."""

    name: str
    begin_ns: int
    end_ns: int
    phase: Phase = Phase.UNKNOWN
    sequences: int = 0
    tokens: int = 0


def find_steps(events: LaneSamples, line: MainLine) -> tuple[Step, ...]:
    """The steps in order of time, none in another; empty where nothing says that there are several, or one.

    Ranges that a profiler or an engine names so come first, then a range of one name (numbers aside) that comes again
    and again around half of the operations, then the calls of the outermost module.
    """
    ranges = line.members[events.kind[line.members] == EventKind.ANNOTATION]
    names = [events.names[k] for k in events.name[ranges].tolist()]
    for pattern in (_VLLM, _PROFILER):
        found = [int(i) for i, name in zip(ranges, names, strict=True) if pattern.match(name)]
        if found:
            return _steps(events, found)
    groups: dict[str, list[int]] = {}
    for i, name in zip(ranges.tolist(), names, strict=True):
        groups.setdefault(_NUMBER.sub("#", name), []).append(i)
    candidates = [group for group in groups.values() if len(group) > 1 and _apart(events, group)]
    outer = [int(i) for i in line.frames if events.kind[i] == EventKind.MODULE and _is_root(events, line, int(i))]
    calls: dict[int, list[int]] = {}
    for i in outer:
        calls.setdefault(int(events.name[i]), []).append(i)
    candidates += [group for group in calls.values() if len(group) > 1]
    best = max(candidates, key=lambda group: _held(events, line, group), default=[])
    if best and _held(events, line, best) >= _LEAST_SHARE * len(line.ops):
        return _steps(events, best)
    return ()


def _is_root(events: LaneSamples, line: MainLine, event: int) -> bool:
    """Whether no other module lies around `event`."""
    at = int(line.parent[np.searchsorted(line.members, event)])
    while at >= 0:
        if events.kind[line.members[at]] == EventKind.MODULE:
            return False
        at = int(line.parent[at])
    return True


def _apart(events: LaneSamples, group: Sequence[int]) -> bool:
    rows = np.asarray(group)
    return bool(np.all(events.begin_ns[rows[1:]] >= events.end_ns[rows[:-1]]))


def _held(events: LaneSamples, line: MainLine, group: Sequence[int]) -> int:
    """How many operations begin inside the ranges of `group`."""
    rows = np.asarray(group)
    begins = events.begin_ns[line.ops]
    return int(np.sum(np.searchsorted(begins, events.end_ns[rows]) - np.searchsorted(begins, events.begin_ns[rows])))


def _steps(events: LaneSamples, rows: Sequence[int]) -> tuple[Step, ...]:
    found: list[Step] = []
    for i in rows:
        begin, end = int(events.begin_ns[i]), int(events.end_ns[i])
        if found and begin < found[-1].end_ns:
            continue
        name = events.names[int(events.name[i])]
        found.append(Step(name, begin, end, *what_a_name_says(name)))
    return tuple(found)


def what_a_name_says(name: str) -> tuple[Phase, int, int]:
    """Phase, sequences and tokens of a step, by its name."""
    vllm = _VLLM.match(name)
    if vllm:
        prompts, written = int(vllm[1]), int(vllm[3])
        # "888_788544" is the number of tokens and the sum of squares or of contexts behind it.
        tokens = int(vllm[2].split("_")[0]) + int(vllm[4].split("_")[0])
        phase = Phase.MIXED if prompts and written else Phase.PREFILL if prompts else Phase.DECODE
        return phase, prompts + written, tokens
    word = _NAMED.search(name)
    if word is None:
        return Phase.UNKNOWN, 0, 0
    said = (word[1] or word[2]).lower()
    return (Phase.PREFILL if said in ("prefill", "context") else Phase.DECODE), 0, 0


def with_phases(steps: Sequence[Step], shapes: Sequence[tuple[int, int]]) -> tuple[Step, ...]:
    """`steps` with the phases that follow from `shapes`, sequences and length of what each reads (0: unknown), where no name says them.

    A step that reads one position after a longer one, or beside another such step, is a decode step; a longer one before it
    is a prefill. A longer step with none behind it may be anything, such as an encoder.
    """
    found = list(steps)
    lengths = [length for _, length in shapes]
    for k, (step, (sequences, length)) in enumerate(zip(steps, shapes, strict=True)):
        if step.phase is not Phase.UNKNOWN or not length:
            continue
        follows = lengths[k + 1] if k + 1 < len(steps) else 0
        if length > 1 and follows == 1:
            phase = Phase.PREFILL
        elif length == 1 and (follows == 1 or any(earlier > 0 for earlier in lengths[:k])):
            phase = Phase.DECODE
        else:
            continue
        found[k] = replace(step, phase=phase, sequences=sequences, tokens=sequences * length)
    return tuple(found)


def whole(events: LaneSamples, line: MainLine) -> Step:
    """All of the trace as one step."""
    rows = line.ops if len(line.ops) else line.members
    mine = np.concatenate([rows, line.frames])
    if not len(mine):
        return Step("", 0, 0)
    return Step("", int(events.begin_ns[mine].min()), int(events.end_ns[mine].max()))


class Windows:
    """The windows of steps on one lane: what was asked for on it, found once for all of them."""

    def __init__(self, events: LaneSamples, line: MainLine) -> None:
        self._events, self._line = events, line
        work = np.flatnonzero(events.launch >= 0)
        rank = events.lanes[line.lane].rank if len(events.lanes) else 0
        work = work[events.lane_rank[events.lane[events.launch[work]]] == rank]
        asked = events.begin_ns[events.launch[work]]
        order = np.argsort(asked, kind="stable")
        self._asked, self._done = asked[order], events.end_ns[work][order]
        self._modules = line.frames[events.kind[line.frames] == EventKind.MODULE]
        self._module_begins = events.begin_ns[self._modules]

    def of(self, step: Step, until_ns: int | None) -> tuple[int, int]:
        """The begin and end of a sample: those of `step`, and until the device has done all that it was asked for in it, but
        not beyond `until_ns`, where the next one begins.

        What a step waits for before it has asked for anything is the end of earlier work, and no part of it.
        """
        events = self._events
        ops = self._line.ops[slice(*np.searchsorted(self._line.op_begin_ns, [step.begin_ns, step.end_ns]))]
        modules = self._modules[slice(*np.searchsorted(self._module_begins, [step.begin_ns, step.end_ns]))]
        asking = ops[events.kind[ops] != EventKind.SYNC]
        first = np.concatenate([events.begin_ns[asking][:1], events.begin_ns[modules][:1]])
        if not len(first):
            return step.begin_ns, step.end_ns
        waits = ops[(events.kind[ops] == EventKind.SYNC) & (events.end_ns[ops] <= int(first.min()))]
        begin = max([step.begin_ns, *events.end_ns[waits].tolist()])
        end = max([step.end_ns, *events.end_ns[asking].tolist(), *events.end_ns[modules].tolist()])
        low, high = np.searchsorted(self._asked, [begin, end])
        end = max([end, *self._done[low:high].tolist()])
        return begin, max(min(end, until_ns), begin) if until_ns is not None else end
