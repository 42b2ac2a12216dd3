"""What a reader of the figures of a trace must know first: all that was lost, mended, cut off or could not be tied."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from cyclescope.core.graph.graph import Graph
from cyclescope.core.lanes import EventKind, LaneSamples, ReadingFact
from cyclescope.core.units import BoolArray
from cyclescope.importing.counts import Defect
from cyclescope.importing.trace import Trace


def facts_of(trace: Trace, lanes: LaneSamples, graph: Graph, shapeless: int) -> tuple[ReadingFact, ...]:
    """Everything that was counted while `trace` was read and taken apart; the codes are those of `report.naming.importing`."""
    return tuple(_facts(trace, lanes, graph, shapeless))


def _facts(trace: Trace, lanes: LaneSamples, graph: Graph, shapeless: int) -> Iterator[ReadingFact]:
    for source in trace.reading.sources:
        share = source.recovered / source.text if source.text else 1.0
        code = "cut" if source.cut else "source"
        yield ReadingFact(code, source.records, 0, share, source.name)
    yield ReadingFact("events", len(lanes), what=trace.format)
    for defect in dict.fromkeys(each.defect for each in trace.reading.counts):
        if defect is Defect.CUT:
            continue  # the source says so
        mine = [each for each in trace.reading.counts if each.defect is defect]  # one for each rank
        count, ns = sum(each.events for each in mine), sum(each.time_ns for each in mine)
        yield ReadingFact(defect.name.lower().replace("_", "-"), count, ns, what=mine[0].example)
    work = lanes.on_device
    yield _fact("unlaunched", lanes, work & (lanes.launch < 0))
    by_operation = work & (lanes.launch >= 0)
    by_operation[by_operation] = lanes.kind[lanes.launch[by_operation]] == EventKind.OPERATION
    yield _fact("by-operation", lanes, by_operation)
    yield _fact("captured", lanes, work & (lanes.captured > 0))
    elsewhere = work & (lanes.launch >= 0)
    elsewhere[elsewhere] = (lanes.lane[lanes.launch[elsewhere]] != lanes.main) & (
        lanes.lane_rank[lanes.lane[elsewhere]] == lanes.rank
    )
    yield _fact("other-threads", lanes, elsewhere)
    left = sum(1 for step in lanes.steps if step.run < 0)
    lost = sum(step.end_ns - step.begin_ns for step in lanes.steps if step.run < 0)
    yield ReadingFact("steps-differ", left, lost, left / len(lanes.steps) if lanes.steps else 0.0)
    yield ReadingFact("unpriced", len(graph.unpriced), 0, len(graph.unpriced) / max(1, len(graph)))
    yield ReadingFact("shapeless", shapeless, 0, shapeless / max(1, len(graph)))


def _fact(code: str, lanes: LaneSamples, mask: BoolArray) -> ReadingFact:
    """How many events of `mask` there are, how long they take, and their share of all that devices do."""
    rows = np.flatnonzero(mask)
    total = int(lanes.duration_ns[lanes.on_device].sum())
    ns = int(lanes.duration_ns[rows].sum())
    return ReadingFact(code, len(rows), ns, ns / total if total else 0.0)
