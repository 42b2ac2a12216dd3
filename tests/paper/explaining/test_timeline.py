"""The spans of the exemplar run: strictly nested, without a gap, each as long as was planted."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from core.small_graphs import build, call, few_examples, small_bert, timed_graphs
from hypothesis import given
from paper_generation import paper_decoder, paper_generation
from paper_models import paper_bert, paper_cycle

from cyclescope.core.graph.graph import Graph
from cyclescope.core.units import IntArray
from cyclescope.explaining.attribution import attribute
from cyclescope.explaining.explanation import Span
from cyclescope.explaining.timeline import exemplar_spans


def spans_of(graph: Graph, times: IntArray | None = None, pace: tuple[float, ...] = (1.0,)) -> tuple[Span, ...]:
    return exemplar_spans(attribute(paper_cycle(graph, times, pace=pace, runs=9)))


def check_nesting(spans: Sequence[Span]) -> None:
    """Replay the spans as calls: each begins inside the call that is open, not before its elder sibling has ended."""
    open_calls: list[Span] = []
    free_from = [0]  # by depth: where the next span of that depth may begin
    for span in spans:
        assert span.depth <= len(open_calls), "a depth was skipped"
        del open_calls[span.depth :], free_from[span.depth + 1 :]
        end = span.start_ns + span.duration_ns
        assert span.start_ns >= free_from[span.depth]
        if open_calls:
            assert end <= open_calls[-1].start_ns + open_calls[-1].duration_ns
            assert open_calls[-1].kind == "frame"
        free_from[span.depth] = end
        free_from.append(span.start_ns)
        open_calls.append(span)


def test_the_spans_of_a_small_cycle_are_what_was_planted() -> None:
    graph = build(call("block", 1, call("leaf", 1)), 1)
    # before, entry, op 0, between, op 1, exit, between, op 2, after
    times = np.asarray([1, 2, 30, 4, 50, 6, 7, 80, 9]) * 100
    told = [(s.depth, s.kind, s.module, s.start_ns, s.duration_ns, s.op) for s in spans_of(graph, times)]
    assert told == [
        (0, "frame", "", 0, 18_900, -1),
        (1, "python", "", 0, 100, -1),
        (1, "frame", "block", 100, 9_200, -1),
        (2, "python", "block", 100, 200, -1),
        (2, "matmul", "block", 300, 3_000, 0),
        (2, "python", "block", 3_300, 400, -1),
        (2, "frame", "leaf", 3_700, 5_000, -1),
        (3, "matmul", "leaf", 3_700, 5_000, 1),
        (2, "python", "block", 8_700, 600, -1),
        (1, "python", "", 9_300, 700, -1),
        (1, "matmul", "", 10_000, 8_000, 2),
        (1, "python", "", 18_000, 900, -1),
    ]


def test_python_that_took_no_time_leaves_no_span() -> None:
    assert [span.kind for span in spans_of(build(1), np.asarray([0, 500, 0]))] == ["frame", "matmul"]


def test_a_call_that_spans_stages_has_none_and_every_other_has_its_own() -> None:
    by_module = {span.module: span for span in spans_of(small_bert()) if span.kind == "frame" and span.module}
    assert (by_module["encoder"].stage, by_module["encoder"].layer) == ("", None)
    assert (by_module["encoder.layer.1.b"].stage, by_module["encoder.layer.1.b"].layer) == ("encode", 1)
    assert (by_module["pooler"].stage, by_module["pooler"].layer) == ("head", None)


def test_the_first_span_is_the_whole_cycle() -> None:
    first, *rest = spans_of(paper_bert(2))
    assert (first.depth, first.start_ns, first.stage, first.name) == (0, 0, "", "Cycle")
    assert min(span.depth for span in rest) == 1


def test_the_exemplar_is_the_run_with_the_median_total_of_the_typical_ones() -> None:
    graph = small_bert()
    times = np.full(len(graph.slots), 1000)
    pace = (5.0, 0.1, 1.3, 1.1, 1.2, 1.5, 9.0, 1.4, 0.2)
    assert sorted(pace)[4] == 1.3
    assert spans_of(graph, times, pace)[0].duration_ns == 1.3 * times.sum()


def test_no_stamped_run_gives_no_spans() -> None:
    assert exemplar_spans(attribute(paper_cycle(small_bert(), instrumented=False))) == ()


def test_a_bert_nests_and_names_every_operation_once_in_order() -> None:
    graph = paper_bert(3)
    spans = spans_of(graph)
    check_nesting(spans)
    ops = [span for span in spans if span.op >= 0]
    assert [span.op for span in ops] == list(range(len(graph)))
    assert [span.name for span in ops] == list(graph.names)
    assert [span.stage for span in ops] == [graph.stage_of(i) for i in range(len(graph))]


@few_examples
@given(timed_graphs())
def test_any_cycle_nests_strictly_covers_the_whole_and_gives_each_operation_its_time(
    timed: tuple[Graph, IntArray],
) -> None:
    graph, times = timed
    spans = spans_of(graph, times)
    check_nesting(spans)
    assert (spans[0].start_ns, spans[0].duration_ns) == (0, times.sum())
    inside = {int(op): int(times[s]) for s, op in enumerate(graph.slots.op) if op >= 0}
    assert [(span.op, span.duration_ns) for span in spans if span.op >= 0] == sorted(inside.items())
    # What is no frame fills the cycle without a gap, each nanosecond once.
    leaves = sorted((span.start_ns, span.duration_ns) for span in spans if span.kind != "frame")
    at = 0
    for start, duration in leaves:
        assert start == at
        at += duration
    assert at == times.sum()


@few_examples
@given(timed_graphs())
def test_every_call_that_left_a_stamp_is_one_span_and_holds_its_operations(timed: tuple[Graph, IntArray]) -> None:
    graph, times = timed
    spans = [span for span in spans_of(graph, times) if span.kind == "frame"]
    assert [span.module for span in spans] == [frame.module for frame in graph.frames]
    start_of = {s.op: s.start_ns for s in spans_of(graph, times) if s.op >= 0}
    for span, frame in zip(spans, graph.frames, strict=True):
        for op in range(frame.first_op, frame.end_op):
            assert span.start_ns <= start_of[op] < span.start_ns + span.duration_ns


def test_every_span_of_a_generation_knows_its_step() -> None:
    graph = paper_decoder(3, encoder=True)
    spans = exemplar_spans(attribute(paper_generation(graph)))
    assert spans[0].step == -1, "the whole cycle is no step"
    for span in spans:
        if span.op >= 0:
            assert span.step == int(graph.slots.step[graph.slots.op == span.op][0])
    steps = [span for span in spans if span.depth == 1 and span.kind == "frame" and span.step >= 0]
    assert [each.step for each in steps] == [0, 1, 2]
    for each, following in pairwise(steps):
        inside = [s for s in spans if each.start_ns <= s.start_ns < following.start_ns and s.depth > 0]
        assert {span.step for span in inside} == {each.step}, "what chooses a token belongs to the step before it"


def test_a_cycle_that_writes_nothing_has_no_steps() -> None:
    assert {span.step for span in spans_of(small_bert())} == {-1}
