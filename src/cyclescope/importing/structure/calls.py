"""The calls of modules and the named ranges of one step as frames of a graph, with paths that say which of a layer they are."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cyclescope.core.graph.frame import Frame
from cyclescope.core.graph.structure import assign_stages
from cyclescope.core.lanes import EventKind, LaneSamples
from cyclescope.core.units import IntArray
from cyclescope.importing.nesting import parents

_MODULE = re.compile(r"^(?:nn\.Module: )?(?P<name>.*?)(?:_(?P<number>\d+))?$", re.DOTALL)
_WRITES = re.compile(r"CausalLM|ForConditionalGeneration|GPT|LMHeadModel|Decoder|generat", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Call:
    """One call before it is a frame: its class, which object of that class, and what it holds. `path` is that of its module,
    where it is known.
    """

    kind: str
    thing: str
    parent: int
    first_op: int
    end_op: int
    begin_ns: int
    end_ns: int
    step: int = -1
    path: str | None = None


def calls_of(events: LaneSamples, rows: IntArray, ops: IntArray, begin_ns: int, end_ns: int) -> list[Call]:
    """The calls `rows` that hold one of `ops`, both in order of time, cut to fit into each other; the whole comes first."""
    begins = events.begin_ns[ops]
    rows = rows[np.searchsorted(begins, events.end_ns[rows]) > np.searchsorted(begins, events.begin_ns[rows])]
    above = parents(events.begin_ns[rows], events.end_ns[rows]).tolist()
    first = np.searchsorted(begins, events.begin_ns[rows]).tolist()
    last = np.searchsorted(begins, events.end_ns[rows]).tolist()
    calls = [Call("Cycle", "", -1, 0, len(ops), begin_ns, end_ns)]
    number = [0] * len(rows)
    free = [0]  # the first operation that the next call within each may hold
    texts = [events.names[k] for k in events.name[rows].tolist()]
    modules = (events.kind[rows] == EventKind.MODULE).tolist()
    times = zip(events.begin_ns[rows].tolist(), events.end_ns[rows].tolist(), strict=True)
    for i, (begin, end) in enumerate(times):
        parent = number[above[i]] if above[i] >= 0 else 0
        around = calls[parent]
        low, high = max(first[i], free[parent], around.first_op), min(last[i], around.end_op)
        if low >= high:
            number[i] = parent
            continue
        kind = class_of(texts[i]) if modules[i] else texts[i]
        number[i] = len(calls)
        free[parent] = high
        free.append(low)
        low_ns = max(begin, around.begin_ns)
        calls.append(Call(kind, texts[i], parent, low, high, low_ns, max(low_ns, min(end, around.end_ns))))
    return calls


def class_of(name: str) -> str:
    """The class of a module by the name of its call."""
    found = _MODULE.match(name)
    return found["name"] if found and found["name"] else name


def paths(calls: Sequence[Call]) -> list[str]:
    """A path for each call, the same for every call of one object.

    Of objects of one class in one call those that hold several things are numbered like the members of a container (`.0`), so that
    layers are found; those that hold one are told apart by their place (`Linear-0`, `Linear-1`).
    """
    holds = {call.parent for call in calls} | {k for k, call in enumerate(calls) if call.end_op - call.first_op > 1}
    siblings: dict[tuple[int, str], dict[str, int]] = {}
    filled: set[tuple[int, str]] = set()
    for k, call in enumerate(calls):
        if k:
            things = siblings.setdefault((call.parent, call.kind), {})
            things.setdefault(call.thing, len(things))
            if k in holds:
                filled.add((call.parent, call.kind))
    roots = sum(1 for call in calls[1:] if call.parent == 0)
    found = [""]
    for call in calls[1:]:
        key = (call.parent, call.kind)
        things = siblings[key]
        above = found[call.parent]
        if call.path is not None:
            found.append(call.path)
            continue
        if call.parent == 0 and roots == 1:
            found.append("")
            continue
        name = call.kind.replace(".", "_")  # a point separates a container from its members
        if len(things) > 1:
            name += f".{things[call.thing]}" if key in filled else f"-{things[call.thing]}"
        found.append(f"{above}.{name}" if above else name)
    return found


def frames_of(
    calls: Sequence[Call], op_frame: IntArray, weight: IntArray, *, causal: bool = False
) -> tuple[Frame, ...]:
    """The frames of `calls`, with stages and layers; `op_frame` [ops] and `weight` [ops] are the calls and the time of
    operations. `causal`: tokens look back only, as in a model that writes text.
    """
    names = paths(calls)
    direct = np.bincount(op_frame, minlength=len(calls)).tolist()
    inside = np.bincount(op_frame, weight, minlength=len(calls)).astype(np.int64).tolist()
    for k in range(len(calls) - 1, 0, -1):
        inside[calls[k].parent] += inside[k]
    holds = {call.parent for call in calls[1:]}
    stamped = {names[k] for k in range(1, len(calls)) if k in holds or direct[k] != 1}
    frames = [
        Frame(
            names[k],
            call.kind,
            call.parent,
            call.first_op,
            call.end_op,
            "",
            None,
            k > 0 and names[k] in stamped,
            call.step,
        )
        for k, call in enumerate(calls)
    ]
    writes = causal or any(_WRITES.search(call.kind) for call in calls)
    return tuple(assign_stages(frames, inside, generates=writes))


def innermost(calls: Sequence[Call], operations: int) -> IntArray:
    """The innermost call around each operation [operations]."""
    found = np.zeros(operations, dtype=np.int64)
    for k, call in enumerate(calls):
        found[call.first_op : call.end_op] = k
    return found
