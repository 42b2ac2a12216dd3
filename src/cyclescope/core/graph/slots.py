"""The cycle cut at every stamp of the instrumented runs, and where each piece is booked."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from cyclescope.core.graph.columns import Labels
from cyclescope.core.graph.op import OpKind
from cyclescope.core.units import BoolArray, FloatArray, IntArray

if TYPE_CHECKING:
    from cyclescope.core.graph.graph import Graph


@dataclass(frozen=True, eq=False)
class Slots:
    """The cycle cut at every stamp of the instrumented runs, in order: `n + 1` boundaries make `n` slots.

    `op` [n] is the operation that a slot lies inside, or −1 for Python time between operations; `frame` [n] is the innermost
    instrumented frame; `stage`, `layer` and `step` [n] say where the slot is booked (−1: in no layer, in no step).
    `op_stamps` and `frame_stamps` [n] count the stamps of operations and of frames at the two ends of a Python slot.
    """

    op: IntArray
    frame: IntArray
    stage: Labels[str]
    layer: IntArray
    step: IntArray
    op_stamps: IntArray
    frame_stamps: IntArray

    def __len__(self) -> int:
        return len(self.op)

    @cached_property
    def of_op(self) -> IntArray:
        """The slot of every operation [operations]."""
        return np.flatnonzero(self.op >= 0)

    def stamp_cost_ns(self, inside_ns: float, outside_ns: float) -> FloatArray:
        """What stamping adds to each slot [n], where a pair of stamps costs `inside_ns` between them and `outside_ns`
        around them. An operation's pair lies half inside its slot; a frame's pair lies in Python slots altogether.
        """
        outside = self.op_stamps * (outside_ns / 2) + self.frame_stamps * ((inside_ns + outside_ns) / 4)
        return np.where(self.op >= 0, inside_ns, outside)


def cut(graph: Graph) -> Slots:
    """List the slots between stamps in order of time.

    The stamps of frames get their places first, which follow from the operations and the stamps before them; those of
    operations, two each, fill the places that are left, in order.
    """
    stamped, entry, leave = frame_stamps(graph)
    timed = np.flatnonzero(entry >= 0)
    n = 2 * len(graph) + 2 * len(timed) + 1
    # Each boundary 0 … n: the operation that begins there (or −1), the instrumented frame in force after it, of a frame or not.
    op = np.full(n + 1, -1, dtype=np.int64)
    frame = np.zeros(n + 1, dtype=np.int64)
    of_frame = np.zeros(n + 1, dtype=bool)
    of_op = np.ones(n + 1, dtype=bool)
    parent = np.asarray([graph.frames[k].parent for k in timed.tolist()], dtype=np.int64)
    frame[entry[timed]] = timed
    frame[leave[timed]] = stamped[parent]
    of_frame[entry[timed]] = of_frame[leave[timed]] = True
    of_op[of_frame] = of_op[0] = of_op[n] = False
    places = np.flatnonzero(of_op)
    op[places[::2]] = np.arange(len(graph))
    frame[places] = np.repeat(stamped[graph.op_frame], 2)
    op, frame = op[:n], frame[:n]
    # The first and last boundary are the cycle's own stamps, which the uninstrumented runs take as well.
    python = op < 0
    stamps = [(kind[:-1].astype(np.int64) + kind[1:]) * python for kind in (of_op, of_frame)]
    stage, layer, step = _book(graph, op, frame)
    return Slots(op, frame, stage, layer, step, stamps[0], stamps[1])


def frame_stamps(graph: Graph) -> tuple[IntArray, IntArray, IntArray]:
    """For each frame [frames] the innermost instrumented frame that is or holds it (0: the cycle), and the boundaries at which
    it is entered and left (−1: not instrumented).
    """
    frames = graph.frames
    inside = [2 * frame.timed for frame in frames]  # stamps of frames within each, its own included
    for k in range(len(frames) - 1, 0, -1):
        inside[frames[k].parent] += inside[k]
    stamped = [0] * len(frames)
    entry, leave = [-1] * len(frames), [-1] * len(frames)
    before = [0] * len(frames)  # stamps of frames that stand before the next thing inside each
    for k, frame in enumerate(frames):
        start = before[frame.parent] if k else 0
        if k:
            before[frame.parent] += inside[k]
        stamped[k] = k if frame.timed else stamped[frame.parent] if k else 0
        before[k] = start + frame.timed
        if frame.timed:
            entry[k] = 1 + 2 * frame.first_op + start
            leave[k] = 2 * frame.end_op + start + inside[k]
    return np.asarray(stamped), np.asarray(entry), np.asarray(leave)


def _book(graph: Graph, op: IntArray, frame_of: IntArray) -> tuple[Labels[str], IntArray, IntArray]:
    """Stage, layer and step of every slot: its operation's, its frame's, or by its place where the frame spans stages."""
    count, loose = len(graph), graph.loose
    in_op = op >= 0
    upcoming: IntArray = np.cumsum(in_op) - in_op  # the slot's own operation, or the next one
    within = upcoming < count
    following = np.minimum(upcoming, count - 1)
    numbers = {name: number for number, name in enumerate(graph.op_stage.names)}
    # By the frame where it has a stage; −1: to be decided by the place.
    of_frame = [numbers.setdefault(f.stage, len(numbers)) if f.stage else -1 for f in graph.frames]
    stage = np.asarray(of_frame, dtype=np.int64)[frame_of]
    stage[in_op] = graph.op_stage.numbers
    in_cycle = frame_of == 0
    near_text = _is_text(graph, following) if count else np.zeros(len(op), dtype=bool)
    as_next = (stage < 0) & in_cycle & (near_text if loose.step_begins else np.full(len(op), count > 0))
    stage[as_next] = graph.op_stage.numbers[following[as_next]]
    for s in np.flatnonzero(stage < 0).tolist():
        stage[s] = numbers.setdefault(loose.stage(int(frame_of[s]), int(upcoming[s])), len(numbers))
    layer = graph.frame_layer[frame_of]
    layer[in_op] = graph.op_layer
    if graph.engine_between:
        next_op = ~in_op & within  # no frame is instrumented: such an engine makes ready what comes next
        layer[next_op] = graph.op_layer[following[next_op]]
    step = np.full(len(op), -1, dtype=np.int64)
    if loose.step_begins:
        counted = ~(in_cycle & near_text)
        steps = np.asarray([f.step for f in graph.frames], dtype=np.int64)
        of_step = steps[frame_of]
        of_step[in_op] = steps[graph.op_frame]  # whose frame need not be instrumented
        by_place = np.asarray([-1, *loose.steps])[np.searchsorted(loose.step_begins, upcoming, side="left")]
        step[counted] = np.where(of_step >= 0, of_step, by_place)[counted]
    return Labels(stage, tuple(numbers)), layer, step


def _is_text(graph: Graph, ops: IntArray) -> BoolArray:
    """Whether each operation is one of text."""
    text: BoolArray = graph.of_kind(OpKind.TEXT)[ops]
    return text
