"""Spans in columns against the same told call by call, and rows of operations against what each says of itself."""

from __future__ import annotations

import numpy as np
from core.one_by_one import tangled_graphs
from core.small_graphs import few_examples
from hypothesis import given
from hypothesis import strategies as st
from paper_models import paper_cycle

from cyclescope.core.graph.graph import Graph
from cyclescope.explaining.attribution import Attribution, attribute
from cyclescope.explaining.explanation import Span
from cyclescope.explaining.tables import operation_rows
from cyclescope.explaining.timeline import exemplar_spans


@st.composite
def attributions(draw: st.DrawFn) -> Attribution:
    """A few runs of a tangled graph; some Python takes no time."""
    graph = draw(tangled_graphs())
    count = len(graph.slots)
    times = draw(st.lists(st.integers(0, 5).map(lambda k: 400 * k), min_size=count, max_size=count))
    return attribute(paper_cycle(graph, np.asarray(times, dtype=np.int64), runs=3))


def spans_of(attribution: Attribution) -> list[Span]:
    """The typical run told by recursion over the calls."""
    graph, slots = attribution.graph, attribution.graph.slots
    totals = attribution.runs_ns[attribution.typical].sum(axis=1)
    run = int(attribution.typical[int(np.argsort(totals, kind="stable")[len(totals) // 2])])
    lasted = np.maximum(attribution.runs_ns[run], 0.0)
    edges = np.rint(np.concatenate([[0.0], np.cumsum(lasted)])).astype(np.int64).tolist()
    home = [int(graph.op_frame[op]) if op >= 0 else int(slots.frame[s]) for s, op in enumerate(slots.op.tolist())]
    held = [[s for s, k in enumerate(home) if within(graph, k, frame)] for frame in range(len(graph.frames))]
    held[0] = list(range(len(slots)))
    # A call without stamps owns the Python time between the operations that it holds.
    owner = [k if slots.op[s] >= 0 else int(slots.frame[s]) for s, k in enumerate(home)]
    for k, frame in enumerate(graph.frames):
        if k and not frame.timed and held[k]:
            for s in range(held[k][0], held[k][-1] + 1):
                if slots.op[s] < 0 and owner[s] == frame.parent:
                    owner[s] = k
    spans: list[Span] = []

    def tell(k: int, depth: int) -> None:
        frame = graph.frames[k]
        begin, end = held[k][0], held[k][-1] + 1
        stage, layer = (frame.stage, frame.layer) if k and frame.stage else ("", None)
        length = edges[end] - edges[begin]
        spans.append(
            Span(frame.class_name, "frame", stage, layer, frame.module, edges[begin], length, depth, step=frame.step)
        )
        parts = [(held[c][0], c) for c, f in enumerate(graph.frames) if c and f.parent == k and held[c]]
        parts += [(s, -1) for s, own in enumerate(owner) if own == k]
        for s, child in sorted(parts):
            if child >= 0:
                tell(child, depth + 1)
                continue
            op, layer_of, step = int(slots.op[s]), int(slots.layer[s]), int(slots.step[s])
            number = None if layer_of < 0 else layer_of
            place = (slots.stage[s], number, frame.module, edges[s], edges[s + 1] - edges[s], depth + 1)
            if op >= 0:
                spans.append(Span(graph.names[op], graph.kinds[op].value, *place, op, step))
            elif place[4]:
                spans.append(Span("", "python", *place, step=step))

    tell(0, 0)
    return spans


def within(graph: Graph, frame: int, outer: int) -> bool:
    """Whether call `frame` is `outer` or lies inside it."""
    while frame > outer:
        frame = graph.frames[frame].parent
    return frame == outer


@few_examples
@given(attributions())
def test_spans_are_those_told_call_by_call(attribution: Attribution) -> None:
    spans = exemplar_spans(attribution)
    assert list(spans) == spans_of(attribution)
    assert [spans[i] for i in range(len(spans))] == list(spans)


@few_examples
@given(attributions())
def test_operations_stand_by_time_and_each_row_is_its_operation(attribution: Attribution) -> None:
    graph, rows = attribution.graph, operation_rows(attribution)
    assert sorted(row.op for row in rows) == list(range(len(graph)))
    times = [(-row.time.value_ns, row.op) for row in rows]
    assert times == sorted(times)
    for row in rows:
        assert (row.name, row.kind, row.site) == (graph.names[row.op], graph.kinds[row.op], graph.location(row.op))
        assert (row.cost, row.time.n) == (graph.cost(row.op), len(attribution.runs_ns))
