"""The lane that asks for the work, and which of its events are operations and calls around them."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from cyclescope.core.lanes import EventKind, LaneSamples
from cyclescope.core.units import BoolArray, IntArray
from cyclescope.importing.nesting import covered, parents

# What a framework itself calls `space::operation`; other names are those of regions around operations.
_OPERATION = re.compile(r"^[A-Za-z_][\w.]*::\w")
_REGION = re.compile(r"^(?:autograd::engine::evaluate_function|record_param_comms)")
_HOST_WORK = (EventKind.OPERATION, EventKind.RUNTIME, EventKind.SYNC)


@dataclass(frozen=True, eq=False)
class MainLine:
    """The events of the lane that asks for the work, as positions in all events.

    `ops` are its operations, none inside another, in order of time; `frames` the calls and named ranges around them,
    outer ones first. `members` [m] are all that count, and `parent` [m] the one (of `members`) that each lies in.
    `op_begin_ns` and `frame_begin_ns` are when operations and calls begin.
    """

    lane: int
    ops: IntArray
    frames: IntArray
    members: IntArray
    parent: IntArray
    op_begin_ns: IntArray
    frame_begin_ns: IntArray


def choose_lane(events: LaneSamples, rank: int) -> int:
    """The lane of `rank` that asks for the most work of a device; without one, that with the most operations.

    A trace without any operation on a host is read from its busiest device lane.
    """
    mine = events.lane_rank[events.lane] == rank
    lanes = len(events.lanes)
    host = ~np.asarray([lane.device for lane in events.lanes], dtype=bool)
    asked = events.launch[events.launch >= 0]
    asked = asked[mine[asked]]
    for weights in (
        np.bincount(events.lane[asked], minlength=lanes) * host,
        np.bincount(events.lane[mine & events.of_kind(EventKind.OPERATION)], minlength=lanes) * host,
        np.bincount(events.lane[mine & events.on_device], events.duration_ns[mine & events.on_device], lanes),
        np.bincount(events.lane[mine], minlength=lanes),
    ):
        if weights.any():
            return int(weights.argmax())
    return 0


def main_line(events: LaneSamples, lane: int) -> MainLine:
    """Operations and calls on `lane`."""
    on_lane = events.lane == lane
    if events.lanes[lane].device:
        ops = np.flatnonzero(on_lane & events.on_device)
        apart = _apart(events, ops)
        none = np.zeros(0, dtype=np.int64)
        alone = np.full(len(apart), -1, dtype=np.int64)
        return MainLine(lane, apart, none, apart, alone, events.begin_ns[apart], none)
    work = events.of_kind(*_HOST_WORK)
    around = events.of_kind(EventKind.MODULE, EventKind.ANNOTATION)
    members = np.flatnonzero(on_lane & (work | around))
    if not work[members].any():  # nothing but functions of Python: they are all there is
        members = np.flatnonzero(on_lane & (around | events.of_kind(EventKind.PYTHON, EventKind.OTHER)))
        work = ~around
    parent = parents(events.begin_ns[members], events.end_ns[members])
    is_work = work[members] & ~_is_region(events, members, parent)
    inside = covered(is_work, parent)
    ops = members[is_work & ~inside]
    frames = members[~is_work & ~inside]
    return MainLine(lane, ops, frames, members, parent, events.begin_ns[ops], events.begin_ns[frames])


def _apart(events: LaneSamples, ops: IntArray) -> IntArray:
    """Those of `ops` of one lane that begin after all before have ended."""
    if not len(ops):
        return ops
    reached = np.maximum.accumulate(events.end_ns[ops])
    keep = np.ones(len(ops), dtype=bool)
    keep[1:] = events.begin_ns[ops[1:]] >= reached[:-1]
    return ops[keep]


def _is_region(events: LaneSamples, members: IntArray, parent: IntArray) -> BoolArray:
    """Mask [m] of the operations that only stand around others, such as a compiled region."""
    operation = events.kind[members] == EventKind.OPERATION
    holds = np.zeros(len(members), dtype=bool)
    inner = parent[operation]
    holds[inner[inner >= 0]] = True
    named = np.fromiter(
        (not _OPERATION.match(name) or bool(_REGION.match(name)) for name in events.names), np.bool_, len(events.names)
    )
    region: BoolArray = operation & holds & named[events.name[members]]
    return region
