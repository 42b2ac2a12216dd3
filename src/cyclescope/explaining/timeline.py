"""The cycle as it happened: one real run, the one closest to the median, as strictly nested spans."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from cyclescope.core.graph.columns import Rows
from cyclescope.core.graph.graph import Graph
from cyclescope.core.graph.slots import Slots
from cyclescope.core.units import IntArray
from cyclescope.explaining.attribution import Attribution
from cyclescope.explaining.explanation import Span


@dataclass(frozen=True, eq=False, repr=False)
class Spans(Rows[Span]):
    """Spans in columns [spans], parents before children; `Span` says what they mean.

    `frame` is the call that a span is or lies in, `slot` the slot of an operation or of Python time (−1: it is a call).
    """

    graph: Graph
    frame: IntArray
    slot: IntArray
    start_ns: IntArray
    duration_ns: IntArray
    depth: IntArray

    def __len__(self) -> int:
        return len(self.frame)

    @cached_property
    def op(self) -> IntArray:
        """The operation that each span is, or −1 [spans]."""
        return np.where(self.slot >= 0, self.graph.slots.op[self.slot], -1)

    def row(self, index: int) -> Span:
        k, slot = int(self.frame[index]), int(self.slot[index])
        start, duration, depth = int(self.start_ns[index]), int(self.duration_ns[index]), int(self.depth[index])
        graph, slots, frame = self.graph, self.graph.slots, self.graph.frames[k]
        if slot < 0:
            # A call that spans stages has none of its own.
            stage, layer = (frame.stage, frame.layer) if k and frame.stage else ("", None)
            name = frame.class_name
            return Span(name, "frame", stage, layer, frame.module, start, duration, depth, step=frame.step)
        op, step = int(slots.op[slot]), int(slots.step[slot])
        layer = None if slots.layer[slot] < 0 else int(slots.layer[slot])
        stage = slots.stage[slot]
        if op < 0:
            return Span("", "python", stage, layer, frame.module, start, duration, depth, step=step)
        kind = graph.kinds[op].value
        return Span(graph.names[op], kind, stage, layer, frame.module, start, duration, depth, op, step)


def exemplar_spans(attribution: Attribution) -> Spans | tuple[Span, ...]:
    """Spans of the typical run whose total is the median of the typical ones; parents before children.

    Calls, operations, and Python time between them. The cost of the stamps is taken off, so the whole is as long as
    an unprofiled cycle would have been. None without instrumented runs.
    """
    if not len(attribution.typical):
        return ()
    graph, slots = attribution.graph, attribution.graph.slots
    totals = attribution.runs_ns[attribution.typical].sum(axis=1)
    run = int(attribution.typical[int(np.argsort(totals, kind="stable")[len(totals) // 2])])
    durations = np.maximum(attribution.runs_ns[run], 0.0)
    edges = np.rint(np.concatenate([[0.0], np.cumsum(durations)])).astype(np.int64)

    first, last = _extents(graph, slots)
    owner = _owners(graph, slots, first, last)
    depth_of = _depths(graph)
    calls = np.flatnonzero(first < last)
    leaves = np.flatnonzero((slots.op >= 0) | (edges[1:] > edges[:-1]))  # Python that takes no time is not drawn
    frame = np.concatenate([calls, owner[leaves]])
    slot = np.concatenate([np.full(len(calls), -1, dtype=np.int64), leaves])
    begin, end = np.concatenate([first[calls], leaves]), np.concatenate([last[calls], leaves + 1])
    depth = depth_of[frame] + (slot >= 0)
    # What begins with the same slot lies in one another.
    order = np.lexsort((depth, begin))
    start = edges[begin[order]]
    return Spans(graph, frame[order], slot[order], start, edges[end[order]] - start, depth[order])


def _extents(graph: Graph, slots: Slots) -> tuple[IntArray, IntArray]:
    """First slot and one past the last slot of every call [frames], equal for one that left no stamp."""
    own = slots.frame.copy()
    own[slots.of_op] = graph.op_frame
    count = len(graph.frames)
    first, last = np.full(count, len(slots), dtype=np.int64), np.zeros(count, dtype=np.int64)
    at = np.arange(len(slots), dtype=np.int64)
    np.minimum.at(first, own, at)
    np.maximum.at(last, own, at + 1)
    begins, ends = first.tolist(), last.tolist()
    for k in range(count - 1, 0, -1):
        parent = graph.frames[k].parent
        begins[parent] = min(begins[parent], begins[k])
        ends[parent] = max(ends[parent], ends[k])
    first, last = np.asarray(begins, dtype=np.int64), np.asarray(ends, dtype=np.int64)
    first[0], last[0] = 0, len(slots)
    first[first > last] = last[first > last]
    return first, last


def _owners(graph: Graph, slots: Slots, first: IntArray, last: IntArray) -> IntArray:
    """The innermost call around every slot [slots]."""
    owner = slots.frame.copy()
    for k in np.flatnonzero(last - first > 1).tolist():
        frame = graph.frames[k]
        if k and not frame.timed:
            # A call without stamps of its own (a stage of text) that holds several operations owns what lies between.
            within = owner[first[k] : last[k]]
            within[within == frame.parent] = k
    owner[slots.of_op] = graph.op_frame
    return owner


def _depths(graph: Graph) -> IntArray:
    """How many calls each call lies in [frames]."""
    depth = [0] * len(graph.frames)
    for k, frame in enumerate(graph.frames):
        if k:
            depth[k] = depth[frame.parent] + 1
    return np.asarray(depth, dtype=np.int64)
