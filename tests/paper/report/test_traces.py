"""Perfetto and speedscope: strictly nested, whatever the spans are."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from paper_models import paper_cycle

from cyclescope.core.graph.graph import Graph
from cyclescope.explaining.explain import explain
from cyclescope.explaining.explanation import Explanation, Span
from cyclescope.report.exports.nesting import nested
from cyclescope.report.exports.perfetto import to_perfetto
from cyclescope.report.exports.speedscope import to_speedscope

from .strategies import Timed, spans, timed_graphs


def check_perfetto(text: str) -> list[dict[str, Any]]:
    """An independent stack: every end belongs to what is innermost, no time goes back, every time is a whole nanosecond."""
    data = json.loads(text, parse_float=Fraction)
    metadata, events = data["traceEvents"][:2], data["traceEvents"][2:]
    assert [event["ph"] for event in metadata] == ["M", "M"]
    stack: list[dict[str, Any]] = []
    at = Fraction(0)
    for event in events:
        assert (1000 * Fraction(event["ts"])).denominator == 1
        assert event["ts"] >= at
        at = Fraction(event["ts"])
        if event["ph"] == "B":
            stack.append(event)
        else:
            assert event["ph"] == "E"
            begin = stack.pop()
            assert (begin["name"], begin["args"]) == (event["name"], event["args"])
    assert not stack
    return [event for event in events if event["ph"] == "B"]


def check_speedscope(text: str) -> dict[str, Any]:
    """Balanced, and never back in time."""
    data = json.loads(text)
    frames, profile = data["shared"]["frames"], data["profiles"][0]
    stack: list[int] = []
    at = profile["startValue"]
    for event in profile["events"]:
        assert event["at"] >= at
        at = event["at"]
        assert 0 <= event["frame"] < len(frames)
        if event["type"] == "O":
            stack.append(event["frame"])
        else:
            assert event["type"] == "C"
            assert stack.pop() == event["frame"]
    assert not stack
    assert profile["endValue"] == at
    return profile


@pytest.mark.parametrize("which", ["explanation", "hostile", "unmeasured", "wall_only"])
def test_paper_cycles(which: str, request: pytest.FixtureRequest) -> None:
    explanation = request.getfixturevalue(which)
    assert len(check_perfetto(to_perfetto(explanation))) == len(explanation.spans)
    profile = check_speedscope(to_speedscope(explanation))
    assert len(profile["events"]) == 2 * len(explanation.spans)


@settings(max_examples=40)
@given(timed_graphs())
def test_any_graph_at_any_pace(timed: Timed) -> None:
    explanation = explain(paper_cycle(timed.graph, timed.slot_ns, runs=1))
    check_perfetto(to_perfetto(explanation))
    check_speedscope(to_speedscope(explanation))


@given(spans)
def test_spans_that_overlap_are_cut_to_fit(explanation: Explanation, given_spans: list[Span]) -> None:
    foreign = replace(explanation, spans=tuple(replace(span, op=-1) for span in given_spans))
    assert len(check_perfetto(to_perfetto(foreign))) == len(given_spans)
    check_speedscope(to_speedscope(foreign))


@settings(max_examples=40)
@given(timed_graphs())
def test_spans_that_nest_stay_as_they_are(timed: Timed) -> None:
    explanation = explain(paper_cycle(timed.graph, timed.slot_ns, runs=1))
    assert nested(explanation.spans) == explanation.spans


def test_a_perfetto_operation_says_what_it_is(explanation: Explanation, graph: Graph) -> None:
    data = json.loads(to_perfetto(explanation))
    assert data["displayTimeUnit"] == "ns"
    assert [event["args"]["name"] for event in data["traceEvents"][:2]] == ["cyclescope: bert-base-chinese", "cycle"]
    events = [event for event in data["traceEvents"] if event["ph"] == "B"]
    first, last = data["traceEvents"][2], data["traceEvents"][-1]
    assert first["name"] == last["name"] == "Cycle"
    assert last["ts"] == explanation.spans[0].duration_ns / 1000
    operations = [event for event in events if "operation" in event["args"]]
    assert [event["args"]["operation"] for event in operations] == list(range(len(graph)))
    linear = operations[4]
    assert linear["cat"] == "matmul"
    assert linear["args"]["flops"] == graph.cost(4).flops
    assert linear["args"]["layer"] == 0
    assert linear["args"]["module"] == "encoder.layer.0.attention.self.query"


def test_names_are_harmless_in_traces(hostile: Explanation) -> None:
    for text in (to_perfetto(hostile), to_speedscope(hostile)):
        assert "\\u001b" not in text
        assert "\\ud800" not in text.replace("\\\\ud800", "")
        assert "\\\\x1b[31mred" in text


def test_speedscope_says_where_its_times_come_from(explanation: Explanation) -> None:
    data = json.loads(to_speedscope(explanation))
    assert data["$schema"] == "https://www.speedscope.app/file-format-schema.json"
    assert data["profiles"][0]["unit"] == "nanoseconds"
    assert data["profiles"][0]["endValue"] == explanation.spans[0].duration_ns
