"""Marks in a device's queue, with a device that is none: they lie at the right operations, and change nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter_ns
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from architectures import build, inputs_for

from cyclescope.backends.base import Request
from cyclescope.backends.errors import engine_errors
from cyclescope.backends.registry import open_session
from cyclescope.backends.torch.session import TorchSession
from cyclescope.backends.torch.stamping.device import device_name, resolved, waiting_for
from cyclescope.backends.torch.stamping.marking import Marking, mark_costs
from cyclescope.backends.torch.stamping.recorder import FUNCTION_MODE, WRAPPERS, Alignment, Misaligned, Recorder
from cyclescope.backends.torch.stamping.stamps import MarkedRecords, instrumented, rows_of
from cyclescope.core.samples import DeviceSamples
from cyclescope.core.units import IntArray
from cyclescope.measuring.measure import measure_session

STEP_NS = 1000


class Ordinal:
    """A device that passes mark k after k microseconds, and does no work."""

    def __init__(self) -> None:
        self.marks = 0
        self.entered = 0
        self.waits = 0
        self.held: list[int] = []

    @contextmanager
    def in_force(self) -> Iterator[None]:
        self.entered += 1
        yield

    def rewind(self) -> None:
        self.marks = 0

    def record(self) -> int:
        self.marks += 1
        return self.marks - 1

    def resolve(self) -> IntArray:
        return np.arange(self.marks, dtype=np.int64) * STEP_NS

    def wait(self) -> None:
        self.waits += 1

    def hold(self, ns: int) -> None:
        self.held.append(ns)
        torch.mm(torch.ones(2, 2), torch.ones(2, 2))  # through a door that may be stamped


def writer() -> tuple[torch.nn.Module, dict[str, Any]]:
    torch.manual_seed(0)
    config = transformers.GPT2Config(vocab_size=100, n_embd=32, n_layer=2, n_head=2, n_positions=64)
    return transformers.GPT2LMHeadModel(config).eval(), {"input_ids": torch.arange(5, 13)[None]}


def opened(model: torch.nn.Module, inputs: dict[str, Any], new_tokens: int | None = None) -> TorchSession:
    session = open_session(Request(model=model, inputs=inputs, new_tokens=new_tokens))
    assert isinstance(session, TorchSession)
    return session


def marked(session: TorchSession, clock: Ordinal, cycles: int, how: str = WRAPPERS) -> DeviceSamples:
    traced = session._known(session.trace())
    recorder = Recorder(how, traced.keys, session._steps.model)
    return Marking(session._steps, recorder, Alignment(traced.graph, traced.keys), clock, session._begin).samples(
        cycles
    )


@pytest.mark.parametrize("how", [WRAPPERS, FUNCTION_MODE])
@pytest.mark.parametrize("name", ["BertConfig", "T5Config"])
def test_every_operation_has_the_two_marks_that_belong_to_it(name: str, how: str) -> None:
    model = build(name)
    session, clock = opened(model, inputs_for(model)), Ordinal()
    try:
        samples = marked(session, clock, 3, how)
        graph = session.trace()
    finally:
        session.close()
    n = len(graph)
    samples.self_check(len(graph.slots), n)
    assert samples.held.tolist() == [0, 0, 0, 1, 1, 1]
    # Mark 0 begins the run; then two an operation, in their order, and nothing else; the last ends it.
    ordinal = np.arange(n) * 2 * STEP_NS
    assert (samples.begin_ns == ordinal + STEP_NS).all()
    assert (samples.end_ns == ordinal + 2 * STEP_NS).all()
    assert (samples.last_ns == (2 * n + 1) * STEP_NS).all()
    assert samples.mark_device_ns == STEP_NS
    assert (samples.boundaries_ns[:, 0] == 0).all()
    assert (samples.returned_ns <= samples.boundaries_ns[:, -1]).all()
    assert (samples.returned_ns >= samples.boundaries_ns[:, -2]).all()


def test_the_device_is_held_before_each_call_of_the_model_and_only_in_runs_that_say_so() -> None:
    session, clock = opened(*writer(), new_tokens=4), Ordinal()
    try:
        samples = marked(session, clock, 2)
    finally:
        session.close()
    assert samples.held.tolist() == [0, 0, 1, 1]
    own, *runs = clock.held
    assert own > 0, "while the cost of a mark is measured"
    assert len(runs) == 3 * (1 + 4), "one run thrown away and two kept: before the run, and before each of four calls"
    assert len(set(runs)) == 1
    assert 0 < runs[0] <= 100_000_000
    assert clock.entered == 1
    assert clock.waits == 3 + (2 + 2) + 3, "once at the end of each run, and never inside one"


def test_marks_change_no_output_and_leave_nothing_behind() -> None:
    model, inputs = writer()
    session = opened(model, inputs, new_tokens=4)
    try:
        before = session.results().tokens
        own = {path: dict(module.__dict__) for path, module in model.named_modules()}
        marked(session, Ordinal(), 1)
        assert {path: dict(module.__dict__) for path, module in model.named_modules()} == own
        assert before is not None
        assert np.array_equal(session.results().tokens, before)
    finally:
        session.close()


def test_a_call_inside_a_marked_one_leaves_no_mark_and_a_failing_one_shuts_nothing() -> None:
    clock = Ordinal()
    records = MarkedRecords(clock.record, range(10, 20))
    inner = instrumented(abs, 1, records)
    outer = instrumented(lambda x: inner(inner(x)), 2, records)
    module = instrumented(lambda x: outer(x), 10, records)
    assert module(-3) == 3
    assert rows_of(records)[:, [0, 3, 4]].tolist() == [[2, 0, 1], [10, -1, -1]]
    with pytest.raises(TypeError):
        outer(None)
    assert inner(-1) == 1
    assert rows_of(records)[-1, [0, 3, 4]].tolist() == [1, 3, 4]
    with records.looking_away():
        assert inner(-1) == 1
        assert module(-1) == 1
    assert len(records) == 3


def test_the_host_s_stamps_lie_around_both_marks() -> None:
    left: list[int] = []

    def mark() -> int:
        left.append(perf_counter_ns())
        return len(left) - 1

    called: list[int] = []
    records = MarkedRecords(mark, range(0))
    instrumented(lambda: called.append(perf_counter_ns()), 1, records)()
    _, begin, end, first, last = rows_of(records)[0].tolist()
    assert begin <= left[first] <= called[0] <= left[last] <= end


def test_a_run_that_takes_another_path_is_refused() -> None:
    model = build("BertConfig")
    session = opened(model, inputs_for(model))
    try:
        traced = session._known(session.trace())
        other = build("T5Config")
        keys = opened(other, inputs_for(other))
        foreign = keys._known(keys.trace())
        recorder = Recorder(WRAPPERS, traced.keys, model)
        marking = Marking(session._steps, recorder, Alignment(foreign.graph, foreign.keys), Ordinal(), session._begin)
        with engine_errors("mark"), pytest.raises(Misaligned):
            marking.samples(1)
    finally:
        session.close()


def test_the_cost_of_a_mark_is_what_lies_between_two() -> None:
    clock = Ordinal()
    host_ns, device_ns = mark_costs(clock)
    assert host_ns > 0
    assert device_ns == STEP_NS
    assert clock.waits == 3


class _Event:
    """An event at a planted moment, whose distances come in single precision, as those of a device do."""

    def __init__(self, ms: float) -> None:
        self.ms = ms

    def elapsed_time(self, end: _Event) -> float:
        return float(np.float32(end.ms - self.ms))


def test_long_cycles_keep_their_resolution() -> None:
    true = np.cumsum(np.tile([3e-3, 40.001, 17e-3], 4000))  # three minutes
    found = resolved([_Event(float(ms)) for ms in true])
    exact = (true - true[0]) * 1e6
    single = np.float32(true - true[0]).astype(np.float64) * 1e6
    assert np.abs(np.diff(found) - np.diff(exact)).max() <= 16
    assert np.abs(np.diff(single) - np.diff(exact)).max() > 1000, "one anchor would not do"
    assert resolved([]).tolist() == []


def test_on_the_processor_there_is_no_device() -> None:
    model = build("BertConfig")
    session = opened(model, inputs_for(model))
    try:
        assert measure_session(session, 300_000_000).samples.device is None
    finally:
        session.close()
    waiting_for("cpu")()
    assert device_name("cpu") == ""
