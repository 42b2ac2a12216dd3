"""Processor time at every stamp: the same in both kinds of records, aligned to the graph, refused where it cannot be."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest
import torch
import transformers

from cyclescope.backends.base import Request
from cyclescope.backends.registry import open_session
from cyclescope.backends.torch.session import TorchSession
from cyclescope.backends.torch.stamping import processor
from cyclescope.backends.torch.stamping.stamps import COMPILED, instrumented, new_records, rows_of
from cyclescope.core.errors import EngineError

WHOLE = (time.CLOCK_PROCESS_CPUTIME_ID,)

both = pytest.mark.parametrize(
    "compiled", [pytest.param(True, marks=pytest.mark.skipif(not COMPILED, reason="no C compiler")), False]
)


def session(model: torch.nn.Module | None = None) -> TorchSession:
    torch.manual_seed(0)
    config = transformers.BertConfig(
        vocab_size=100, hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64
    )
    model = model or transformers.BertModel(config).eval()
    opened = open_session(Request(model=model, inputs={"input_ids": torch.arange(5, 13)[None]}))
    assert isinstance(opened, TorchSession)
    return opened


@both
def test_rows_hold_both_clocks_and_both_only_go_forward(compiled: bool) -> None:
    records = new_records(WHOLE, compiled=compiled)
    wrapper = instrumented(sum, 3, records)
    before = time.process_time_ns()
    assert [wrapper(range(n)) for n in (10, 100_000)] == [45, 4_999_950_000]
    after = time.process_time_ns()
    rows = rows_of(records)
    assert rows.shape == (2, 5)
    assert rows[:, 0].tolist() == [3, 3]
    for begin, end in ((rows[:, 1], rows[:, 2]), (rows[:, 3], rows[:, 4])):
        assert begin[0] <= end[0] <= begin[1] <= end[1]
    assert before <= rows[0, 3]
    assert rows[1, 4] <= after
    assert rows_of(new_records(WHOLE, compiled=compiled)).shape == (0, 5)


@both
def test_a_sum_of_clocks_counts_each(compiled: bool) -> None:
    records = new_records(WHOLE * 3, compiled=compiled)
    before = time.process_time_ns()
    instrumented(sum, 0, records)(range(1000))
    after = time.process_time_ns()
    assert 3 * before <= rows_of(records)[0, 3] <= rows_of(records)[0, 4] <= 3 * after


@pytest.mark.skipif(not COMPILED, reason="no C compiler")
def test_a_clock_must_be_a_number() -> None:
    with pytest.raises(TypeError, match="integer"):
        new_records(("monotonic",), compiled=True)  # type: ignore[arg-type]


def test_the_samples_fit_the_graph_and_their_ends_enclose_all_processor_time() -> None:
    opened = session()
    try:
        graph = opened.trace()
        before = time.process_time_ns()
        samples = opened.processor(graph, 3)
        after = time.process_time_ns()
        assert samples is not None
        samples.self_check(len(graph.slots))
        assert len(samples) == 3
        assert 0 < int(samples.boundaries_ns[:, -1].sum()) <= after - before
        inside = np.diff(samples.wall_boundaries_ns, axis=1)[:, graph.slots.op >= 0]
        assert (inside > 0).all(), "every operation took some time"
    finally:
        opened.close()


def test_threads_that_do_no_work_are_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    # Threads of the test runner may work meanwhile, so only the two that this test knows are looked for.
    asleep = threading.Event()
    idle = threading.Thread(target=asleep.wait, daemon=True)
    idle.start()
    try:
        found = processor.clocks_of(lambda: sum(range(2_000_000)))
        assert processor.thread_clock(threading.get_native_id()) in found
        assert idle.native_id is not None
        assert processor.thread_clock(idle.native_id) not in found
        monkeypatch.setattr(processor, "_MOST_THREADS", 0)
        assert processor.clocks_of(lambda: sum(range(1000))) == WHOLE, "too many threads: the clock of the process"
    finally:
        asleep.set()
        idle.join()


def test_a_system_without_such_clocks_tells_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(time, "CLOCK_PROCESS_CPUTIME_ID")
    opened = session()
    try:
        assert opened.processor(opened.trace(), 2) is None
    finally:
        opened.close()


def test_a_thread_that_ended_is_told_and_not_booked(monkeypatch: pytest.MonkeyPatch) -> None:
    opened = session()
    try:
        graph = opened.trace()
        back = iter(range(10**6, 0, -1))
        monkeypatch.setattr("cyclescope.backends.torch.session.now_ns", lambda clocks: next(back))
        with pytest.raises(EngineError, match="ran backwards"):
            opened.processor(graph, 1)
    finally:
        opened.close()
