"""The cycle as it happened: one real run, the one closest to the median, as strictly nested spans."""

from __future__ import annotations

import numpy as np

from cyclescope.core.frame import Frame
from cyclescope.explaining.attribution import Attribution
from cyclescope.explaining.explanation import Span


def exemplar_spans(attribution: Attribution) -> tuple[Span, ...]:
    """Spans of the typical run whose total is the median of the typical ones; parents before children.

    Frames, operations, and Python time between them. The cost of the stamps is taken off, so the whole is as long as
    an unprofiled cycle would have been.
    """
    if not len(attribution.typical):
        return ()
    graph, slots = attribution.graph, attribution.graph.slots
    totals = attribution.runs_ns[attribution.typical].sum(axis=1)
    run = int(attribution.typical[int(np.argsort(totals, kind="stable")[len(totals) // 2])])
    durations = np.maximum(attribution.runs_ns[run], 0.0)
    edges = np.rint(np.concatenate([[0.0], np.cumsum(durations)])).astype(np.int64)

    op_slot = {int(op): s for s, op in enumerate(slots.op) if op >= 0}
    first, last = _extents(attribution, op_slot)
    children: list[list[int]] = [[] for _ in graph.frames]
    ops_of: list[list[int]] = [[] for _ in graph.frames]
    for k, frame in enumerate(graph.frames):
        if k and first[k] is not None:
            children[frame.parent].append(k)
    for i, f in enumerate(graph.op_frame):
        ops_of[int(f)].append(i)
    owner = slots.frame.copy()
    for k, frame in enumerate(graph.frames):
        begin, end = first[k], last[k]
        if k and not frame.timed and begin is not None and end is not None:
            # A call without stamps of its own (a stage of text) that holds several operations owns what lies between.
            within = owner[begin:end]
            within[within == frame.parent] = k
    python_of: list[list[int]] = [[] for _ in graph.frames]
    for s in range(len(slots)):
        if slots.op[s] < 0:
            python_of[int(owner[s])].append(s)

    spans: list[Span] = []

    def emit(k: int, depth: int) -> None:
        frame = graph.frames[k]
        begin, end = first[k], last[k]
        assert begin is not None
        assert end is not None
        stage, layer = _booked(frame, slots.stage[begin], k)
        start = int(edges[begin])
        spans.append(
            Span(
                frame.class_name,
                "frame",
                stage,
                layer,
                frame.module,
                start,
                int(edges[end]) - start,
                depth,
                step=frame.step,
            )
        )
        inside: list[tuple[int, str, int]] = [(op_slot[i], "op", i) for i in ops_of[k]]
        inside += [(s, "python", s) for s in python_of[k]]
        for child in children[k]:
            at = first[child]
            assert at is not None
            inside.append((at, "frame", child))
        for slot, what, which in sorted(inside):
            if what == "frame":
                emit(which, depth + 1)
                continue
            start = int(edges[slot])
            length = int(edges[slot + 1]) - start
            layer = None if slots.layer[slot] < 0 else int(slots.layer[slot])
            step = int(slots.step[slot])
            if what == "op":
                site = graph.site(which)
                spans.append(
                    Span(
                        graph.names[which],
                        graph.kinds[which].value,
                        site.stage,
                        layer,
                        site.module,
                        start,
                        length,
                        depth + 1,
                        which,
                        step,
                    )
                )
            elif length:
                stage = slots.stage[slot]
                spans.append(Span("", "python", stage, layer, frame.module, start, length, depth + 1, step=step))

    emit(0, 0)
    return tuple(spans)


def _booked(frame: Frame, stage_of_first: str, k: int) -> tuple[str, int | None]:
    """A frame that spans stages has none of its own."""
    if k and not frame.stage:
        return "", None
    return (frame.stage, frame.layer) if k else ("", None)


def _extents(attribution: Attribution, op_slot: dict[int, int]) -> tuple[list[int | None], list[int | None]]:
    """First slot and one past the last slot of every frame [frames]; None for a frame that left no stamp."""
    graph, slots = attribution.graph, attribution.graph.slots
    first: list[int | None] = [None] * len(graph.frames)
    last: list[int | None] = [None] * len(graph.frames)

    def widen(k: int, begin: int, end: int) -> None:
        while k >= 0:
            low, high = first[k], last[k]
            if low is not None and low <= begin and high is not None and high >= end:
                break
            first[k] = begin if low is None else min(low, begin)
            last[k] = end if high is None else max(high, end)
            k = graph.frames[k].parent

    for i, f in enumerate(graph.op_frame):
        widen(int(f), op_slot[i], op_slot[i] + 1)
    for s in range(len(slots)):
        if slots.op[s] < 0:
            widen(int(slots.frame[s]), s, s + 1)
    first[0], last[0] = 0, len(slots)
    return first, last
