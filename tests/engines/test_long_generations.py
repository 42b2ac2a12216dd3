"""A long generation is traced at its beginning and at its end, and is the same graph as one that is traced step by step."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from test_graph_families import configured, difference

from cyclescope.backends.base import Request
from cyclescope.backends.registry import open_trace
from cyclescope.core.errors import UsageError
from cyclescope.core.graph.unrolling import TRACED, IrregularSteps, unrolled
from cyclescope.tracing import structures
from cyclescope.tracing.structures import structure_of


@pytest.fixture
def traced(monkeypatch: pytest.MonkeyPatch) -> list[Request]:
    """What was really traced; nothing is kept of it."""
    asked: list[Request] = []

    def trace(kind: object, request: Request, *_: object) -> object:
        asked.append(request)
        return open_trace(request)

    monkeypatch.setattr(structures, "_kept", trace)
    monkeypatch.setattr(structures, "outline_of", lambda request: OUTLINE_OF[request.model])
    return asked


class _Outline:
    def __init__(self, has_encoder: bool) -> None:
        self.has_encoder = has_encoder


OUTLINE_OF: dict[object, _Outline] = {}


def asked_for(tmp_path: Path, kind: str, tokens: int, new_tokens: int) -> Request:
    request = Request(model=str(configured(tmp_path, kind)), batch=2, tokens=tokens, new_tokens=new_tokens)
    OUTLINE_OF[request.model] = _Outline(kind == "encoder-decoder")
    return request


@pytest.mark.parametrize("kind", ["decoder", "mixture", "encoder-decoder", "window"])
def test_it_is_the_graph_of_a_trace_step_by_step(kind: str, tmp_path: Path, traced: list[Request]) -> None:
    request = asked_for(tmp_path, kind, 7, TRACED + 4)
    found = structure_of(request)
    assert [(each.new_tokens, each.cache_length is not None) for each in traced] == [(TRACED, False), (None, True)]
    assert difference(found, open_trace(request)) == []
    found.self_check()


@pytest.mark.parametrize("tokens", [33, 38], ids=["behind the beginning", "within it"])
def test_where_a_window_fills_up_each_step_is_traced(tokens: int, tmp_path: Path, traced: list[Request]) -> None:
    request = asked_for(tmp_path, "window", tokens, 12)  # of 40 tokens
    found = structure_of(request)
    assert traced[-1] == request
    assert difference(found, open_trace(request)) == []


@pytest.mark.parametrize("tokens", [500, 510])
@pytest.mark.usefixtures("traced")
def test_a_length_beyond_the_positions_is_refused_for_the_generation(tokens: int, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=f"A prompt of {tokens} tokens and 40 new tokens do not fit"):
        structure_of(asked_for(tmp_path, "decoder", tokens, 40))


def test_steps_that_are_not_alike_are_not_unrolled(tmp_path: Path) -> None:
    graph = open_trace(asked_for(tmp_path, "decoder", 7, TRACED))
    with pytest.raises(IrregularSteps, match="calls of the model"):
        unrolled(open_trace(asked_for(tmp_path, "decoder", 7, TRACED - 1)), 9)
    last = max(i for i, step in enumerate(graph.slots.step[graph.slots.of_op]) if step == TRACED - 2)
    flops = graph.flops.copy()
    flops[last] += 1
    with pytest.raises(IrregularSteps, match="follow"):
        unrolled(replace(graph, flops=flops), 9)
