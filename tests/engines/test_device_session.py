"""What a session does where there is a device, on a machine that has none: with a device that passes marks and does no work."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from architectures import build, inputs_for
from test_device_marks import Ordinal, opened, writer

from cyclescope.backends.base import Request
from cyclescope.backends.torch import opening
from cyclescope.backends.torch.generating.writing import Writer
from cyclescope.backends.torch.loading import loading
from cyclescope.backends.torch.session import TorchSession
from cyclescope.backends.torch.stamping import calibration_proxy
from cyclescope.backends.torch.stamping import device as devices
from cyclescope.backends.torch.stamping.device import EventClock, check_device
from cyclescope.backends.torch.tracing.on_meta import attention_like
from cyclescope.core.cycle import Cycle
from cyclescope.core.errors import EngineError, Unsupported, UsageError
from cyclescope.core.graph.op import OpKind
from cyclescope.explaining.explain import explain
from cyclescope.measuring.measure import measure_session
from cyclescope.store.run_file import load, save
from cyclescope.tracing.trace import trace


def pretending(session: TorchSession, monkeypatch: pytest.MonkeyPatch, **plan: str) -> TorchSession:
    """The same session, told that its model lies on a device; `wait` and the clock are all that would reach it."""
    monkeypatch.setattr("cyclescope.backends.torch.session.waiting_for", lambda device: lambda: None)
    monkeypatch.setattr("cyclescope.backends.torch.session.EventClock", lambda device: Ordinal())
    on_device = replace(session.plan, device="cuda", **plan)
    machine = replace(session.machine, device="cuda", processor="Some Accelerator")
    return TorchSession(session._steps, session.workload, on_device, machine, session.times)


def measured(session: TorchSession) -> Cycle:
    try:
        return measure_session(session, 500_000_000)
    finally:
        session.close()


def test_a_cycle_has_the_marks_of_its_device_and_keeps_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = build("BertConfig")
    cycle = measured(pretending(opened(model, inputs_for(model)), monkeypatch))
    samples = cycle.samples.device
    assert samples is not None
    assert cycle.samples.processor is None, "of a device's work the processor tells nothing"
    assert set(samples.held.tolist()) == {0, 1}
    save(cycle, tmp_path / "device.cycle")
    back = load(tmp_path / "device.cycle")
    assert back.samples.device is not None
    assert np.array_equal(back.samples.device.begin_ns, samples.begin_ns)
    told = explain(back).device
    assert told is not None
    assert told.span_ns + told.marks_ns == pytest.approx(float(samples.last_ns[0]))


def test_what_is_held_on_a_device_is_not_told_by_the_host_s_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    model = build("BertConfig")
    memory = measured(pretending(opened(model, inputs_for(model)), monkeypatch)).samples.memory
    assert memory is not None
    assert len(memory.sizes)
    assert memory.resident_bytes is None


def test_a_generation_on_a_device_says_how_its_tokens_are_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    session = opened(*writer(), new_tokens=3)
    assert not [note for note in session.notes if "streamer" in str(note)]
    assert [note for note in pretending(session, monkeypatch).notes if "streamer" in str(note)]
    assert not [note for note in pretending(session, monkeypatch).notes if "compile" in str(note)]
    assert [note for note in pretending(session, monkeypatch, cache="static").notes if "would compile" in str(note)]


@pytest.mark.parametrize(("device", "compiles"), [("cpu", True), ("cuda:0", False)])
def test_generate_compiles_nothing_that_is_to_be_stamped(device: str, compiles: bool) -> None:
    seen: dict[str, Any] = {}
    model = SimpleNamespace(
        device=torch.device(device),
        can_generate=lambda: True,
        generation_config=transformers.GenerationConfig(),
        generate=lambda **given: seen.update(given),
    )
    Writer(model, 2, sample=False, cache="static")({})
    assert ("disable_compile" not in seen) is compiles
    assert hasattr(transformers.GenerationConfig(), "disable_compile"), "a setting that transformers knows"


def test_a_device_that_is_not_there_is_refused_with_what_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    for there in ("cpu", "cuda", "cuda:0", "cuda:1"):
        check_device(there)
    for missing in ("cuda:2", "cuda:", "cuda:x", "tpu"):
        with pytest.raises(Unsupported, match="There is no device"):
            check_device(missing)


class Elsewhere(torch.nn.Module):
    """A model that says it lies on the second device."""

    def parameters(self, recurse: bool = True) -> Any:
        yield SimpleNamespace(device=torch.device("cuda:1"), is_meta=False)


@pytest.mark.parametrize("asked", ["cpu", "cuda", "cuda:1"])
def test_a_model_in_hand_runs_where_it_lies(asked: str) -> None:
    assert opening._where_it_lies(Request(model=Elsewhere(), device=asked)).device == "cuda:1"


def test_a_model_in_hand_is_not_moved() -> None:
    with pytest.raises(UsageError, match="is on cuda:1"):
        opening._where_it_lies(Request(model=Elsewhere(), device="cuda:0"))
    named = Request(model="gpt2", device="cuda:0")
    assert opening._where_it_lies(named) is named


def test_a_model_too_large_for_the_device_is_refused_before_it_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    request = Request(model="gpt2", device="cuda:0")
    made = loading.recipe(request)
    monkeypatch.setattr(loading, "free_bytes", lambda device: 10_000_000)
    with pytest.raises(EngineError, match=r"0\.0 GB are free on cuda:0"):
        loading._refuse_too_large(made, request)
    monkeypatch.setattr(loading, "free_bytes", lambda device: 10_000_000_000)
    loading._refuse_too_large(made, request)


def test_the_proxy_runs_on_the_processor_whatever_its_inputs_lie_on() -> None:
    assert calibration_proxy._small(torch.arange(1000)).max() < 512
    assert calibration_proxy._small(torch.ones(2)).device.type == "cpu"
    assert calibration_proxy._small("text") == "text"


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_attention_on_a_device_is_one_call_that_writes_no_scores(dtype: str) -> None:
    plans = {device: trace("bert-base-chinese", tokens=64, dtype=dtype, device=device) for device in ("cpu", "cuda")}
    rows = {device: graph.of_kind(OpKind.ATTENTION) for device, graph in plans.items()}
    assert rows["cuda"].sum() == rows["cpu"].sum() == 12
    for name in ("flops", "written_bytes"):
        one, other = (getattr(graph, name)[rows[device]].sum() for device, graph in plans.items())
        assert one == other, name


def test_attention_with_a_mask_and_with_fewer_heads_of_keys() -> None:
    q, k = (torch.empty(2, heads, 16, 32, device="meta") for heads in (4, 2))
    mask = torch.ones(2, 1, 16, 16, dtype=torch.bool, device="meta")
    assert attention_like("cuda", q, q, q, mask).shape == q.shape
    assert attention_like("cuda", q, k, k, enable_gqa=True).shape == q.shape


class Clocked:
    """Stands for an event: it is passed when it is left, on a clock that the work below moves on."""

    now_ns = 0

    def __init__(self, device: torch.device, enable_timing: bool = False) -> None:
        assert enable_timing, "an event without it has no time"
        self.at = -1

    def record(self) -> None:
        self.at = Clocked.now_ns

    def elapsed_time(self, end: Clocked) -> float:
        return (end.at - self.at) / 1e6


def test_events_are_used_again_and_the_device_is_held_as_long_as_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[int] = []

    def product(x: torch.Tensor, y: torch.Tensor, out: torch.Tensor) -> torch.Tensor:
        done.append(x.shape[0])
        Clocked.now_ns += x.shape[0] * 100  # 51 µs for the smallest, 102 for the next
        return out

    monkeypatch.setattr(torch, "Event", Clocked)
    monkeypatch.setattr(torch, "mm", product)
    clock = EventClock("cpu")
    for _ in range(2):
        clock.rewind()
        for number in range(3):
            Clocked.now_ns += 1000
            assert clock.record() == number
        clock.wait()
        assert clock.resolve().tolist() == [0, 1000, 2000]
    assert len(clock._events) == 3
    clock.hold(1_000_000)
    assert done[: 2 * devices._TRIES] == [512] * 5 + [1024] * 5, "the first product that takes long enough"
    assert done[2 * devices._TRIES :] == [1024] * 10, "ten of 102.4 µs hold for a millisecond"
    done.clear()
    clock.hold(100_000)
    assert done == [1024], "known by now"
