"""An engine that writes is measured as PyTorch is: tokens and their moments, and one operation for each of its calls."""

from __future__ import annotations

from contextlib import nullcontext
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from architectures import config
from torch_stepper import TorchWriter

from cyclescope.backends.artifacts.black_box import costs_of_calls
from cyclescope.backends.artifacts.writing_session import WritingSession
from cyclescope.backends.base import OpenTimes, Request
from cyclescope.backends.registry import open_session
from cyclescope.backends.torch.exporting.array_calls import array_call
from cyclescope.backends.torch.exporting.call_costs import generation_costs
from cyclescope.backends.torch.session import TorchSession
from cyclescope.core.graph.op import OpKind
from cyclescope.core.graph.structure import PREPARE, SAMPLE

PROMPT, NEW = 6, 8  # more than are traced


@pytest.fixture
def sessions() -> tuple[TorchSession, Any]:
    """The same model, written by PyTorch, and as an engine with guesses or without writes it."""
    torch.manual_seed(0)
    model = transformers.AutoModelForCausalLM.from_config(config("LlamaConfig")).eval()
    theirs = open_session(Request(model=model, tokens=PROMPT, batch=1, new_tokens=NEW))
    assert isinstance(theirs, TorchSession)

    def ours(looked_up: int) -> WritingSession:
        writer = TorchWriter(model, looked_up, [model.config.eos_token_id])
        parts = theirs.workload, theirs.plan, theirs.machine
        price = partial(generation_costs, theirs._steps, *parts)
        call = array_call(theirs._steps, theirs.workload.task)
        return WritingSession(writer, call, *parts, OpenTimes(None, None), estimate_costs=price, folder=nullcontext())

    return theirs, ours


def test_it_gives_the_tokens_of_torch_and_tells_when_each_was_out(sessions: tuple[TorchSession, Any]) -> None:
    theirs, make = sessions
    ours = make(0)
    assert np.array_equal(ours.results().tokens, theirs.results().tokens)
    (run,) = ours.uninstrumented(1)
    assert len(run.emitted_ns) == NEW
    assert 0 < run.called_ns < run.emitted_ns[0]
    assert run.emitted_ns[-1] <= run.wall_ns
    assert ours.outcome() == f"output 1×{PROMPT + NEW}"


def test_each_call_is_one_operation_with_the_work_of_the_model_in_it(sessions: tuple[TorchSession, Any]) -> None:
    theirs, make = sessions
    ours = make(0)
    graph, whole = ours.trace(), theirs.trace()
    assert list(graph.names) == ["prefill"] + ["step"] * (NEW - 1)
    assert set(graph.kinds) == {OpKind.OTHER}
    assert [frame.step for frame in graph.frames] == [-1, *range(NEW)]
    assert graph.total.flops == whole.total.flops
    exact = costs_of_calls(whole)
    assert [graph.cost(k) for k in range(NEW)] == list(exact)
    assert graph.slots.step[graph.slots.of_op].tolist() == list(range(NEW))
    assert {PREPARE, SAMPLE} <= set(graph.slots.stage.names)
    (run,) = ours.instrumented(graph, 1)
    assert len(run.boundaries_ns) == len(graph.slots) + 1
    assert np.all(np.diff(run.boundaries_ns) >= 0)


def test_a_call_that_checked_guesses_counts_with_the_tokens_that_came_of_it(sessions: tuple[TorchSession, Any]) -> None:
    theirs, make = sessions
    graph, whole = make(10).trace(), theirs.trace()
    assert len(graph) <= NEW
    assert graph.total.flops == whole.total.flops
