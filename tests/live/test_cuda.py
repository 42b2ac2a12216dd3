"""A real CUDA device: kernels and launches told apart, and nothing waited for that the user's code does not wait for."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np
import pytest
import torch
import transformers

from cyclescope.backends.base import Request
from cyclescope.backends.registry import open_session
from cyclescope.backends.torch.session import TorchSession
from cyclescope.backends.torch.stamping.device import EventClock
from cyclescope.backends.torch.stamping.marking import mark_costs
from cyclescope.calibrating.calibrate import calibrate
from cyclescope.explaining.device import DeviceLine, Pace
from cyclescope.explaining.explain import explain
from cyclescope.explaining.explanation import Explanation
from cyclescope.machines.catalog import find_machine
from cyclescope.measuring.measure import measure

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="this PyTorch sees no CUDA device"),
]


def products(layers: int, features: int, rows: int) -> tuple[torch.nn.Module, dict[str, torch.Tensor]]:
    """A stack of square products, behind the smallest interface that a transformers model has."""

    class Stack(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layers = torch.nn.ModuleList(torch.nn.Linear(features, features) for _ in range(layers))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            for layer in self.layers:
                x = layer(x)
            return x

    return Stack().eval().cuda(), {"x": torch.ones(rows, features, device="cuda")}


def told(model: object, inputs: dict[str, torch.Tensor], **options: object) -> Explanation:
    return explain(measure(model, inputs=inputs, budget=3, **options))  # type: ignore[arg-type]


def line(explanation: Explanation) -> DeviceLine:
    assert explanation.device is not None
    return explanation.device


def session(request: Request) -> TorchSession:
    opened = open_session(request)
    assert isinstance(opened, TorchSession)
    return opened


def tiny_gpt2() -> torch.nn.Module:
    torch.manual_seed(0)
    config = transformers.GPT2Config(vocab_size=100, n_embd=64, n_layer=2, n_head=2, n_positions=64)
    return transformers.GPT2LMHeadModel(config).eval().cuda()


PROMPT = {"input_ids": torch.arange(5, 13)[None]}


def test_a_mark_waits_for_nothing_and_marks_are_passed_in_order() -> None:
    clock = EventClock("cuda")
    with clock.in_force():
        host_ns, device_ns = mark_costs(clock)
        assert 0 <= device_ns < 100 * host_ns
        clock.rewind()
        first = clock.record()
        clock.hold(50_000_000)
        last = clock.record()
        assert not clock._events[last].query(), "the host is here while the device still works"
        clock.wait()
    times = clock.resolve()
    assert times[first] == 0
    assert times[last] > 20_000_000


def test_work_that_is_eight_times_as_much_takes_about_as_many_times_as_long() -> None:
    small, large = (line(told(*products(6, features, features))).busy_ns.sum() for features in (2048, 4096))
    assert 4 < large / small < 14


def test_a_device_that_is_kept_busy_decides_and_its_work_is_the_wall() -> None:
    explanation = told(*products(8, 4096, 8192))
    device = line(explanation)
    assert device.pace is Pace.DEVICE
    assert device.busy_share > 0.9
    assert 0.9 < device.busy_ns.sum() / explanation.wall.value_ns < 1.05
    assert 0.95 < device.of_wall.value < 1.05


def test_tiny_kernels_leave_the_decision_to_the_host() -> None:
    explanation = told(*products(60, 16, 1))
    device = line(explanation)
    assert device.pace is Pace.HOST
    assert device.idle_share > 0.5
    assert device.unclear_share < 0.1, "the held runs tell kernels from launches"
    assert 0.8 < device.of_wall.value < 1.2


def test_held_runs_are_ahead() -> None:
    model, inputs = products(60, 16, 1)
    opened = session(Request(model=model, inputs=inputs))
    try:
        graph = opened.trace()
        samples = opened.device(graph, 5)
        assert samples is not None
        samples.self_check(len(graph.slots), len(graph))
        held = np.flatnonzero(samples.held)
        left = samples.boundaries_ns[held][:, graph.slots.of_op + 1]
        assert (samples.begin_ns[held] > left).mean() > 0.9
    finally:
        opened.close()


def _waits(run: Callable[[], object]) -> int:
    """How often PyTorch saw the host wait for the device in `run`."""
    torch.cuda.synchronize()
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        torch.cuda.set_sync_debug_mode("warn")
        try:
            run()
        finally:
            torch.cuda.set_sync_debug_mode("default")
    return sum("synchroniz" in str(warning.message) for warning in seen)


def test_marks_synchronise_nothing() -> None:
    model, inputs = products(20, 256, 16)
    opened = session(Request(model=model, inputs=inputs))
    try:
        graph = opened.trace()
        opened.device(graph, 1)
        assert _waits(lambda: torch.ones(1, device="cuda").item()) == 1, "PyTorch tells of it"
        assert _waits(lambda: opened.uninstrumented(1)) == 0, (
            "a plain run waits at its end only, for the device as a whole"
        )
        assert _waits(lambda: opened.device(graph, 1)) == 0
    finally:
        opened.close()


def test_a_generation_waits_in_every_step_and_says_so() -> None:
    explanation = explain(measure(tiny_gpt2(), inputs=PROMPT, new_tokens=6, budget=4))
    assert any("streamer" in str(note) for note in explanation.cycle.notes)
    device = line(explanation)
    assert explanation.generation is not None
    assert device.pace is Pace.HOST
    assert device.span_ns > 0


def test_a_static_cache_is_measured_as_operations() -> None:
    cycle = measure(tiny_gpt2(), inputs=PROMPT, new_tokens=4, cache="static", budget=4)
    assert cycle.samples.device is not None
    assert any("would compile" in str(note) for note in cycle.notes)
    assert len(cycle.samples.instrumented)


def test_stamps_and_marks_change_no_output() -> None:
    model = tiny_gpt2()
    opened = session(Request(model=model, inputs=PROMPT, new_tokens=6))
    try:
        before = opened.results().tokens
        opened.device(opened.trace(), 2)
        after = opened.results().tokens
        assert before is not None
        assert after is not None
        assert np.array_equal(before, after)
    finally:
        opened.close()


def test_a_named_model_is_traced_without_its_weights_and_runs_as_traced() -> None:
    explanation = explain(measure("bert-base-chinese", tokens=16, device="cuda", budget=4))
    cycle = explanation.cycle
    assert cycle.graph.traced_on == "meta"
    assert cycle.machine.processor == torch.cuda.get_device_name()
    assert cycle.samples.instrumentation is not None
    assert "proxy" in cycle.samples.instrumentation.calibrated_on
    assert explanation.device is not None


def test_a_quick_calibration_beats_no_datasheet(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    monkeypatch.setenv("CYCLESCOPE_HOME", str(tmp_path))
    ceilings = calibrate(quick=True, device="cuda")
    assert ceilings.overheads.launch_ns is not None
    stated = find_machine(torch.cuda.get_device_name())
    if stated is None:
        pytest.skip("no datasheet of this device is in the catalogue")
    for dtype in ("float32", "float16", "bfloat16"):
        found, most = ceilings.peak(dtype, 0), stated.peak(dtype, 0)
        if found is not None and most is not None:
            assert found.value < 1.05 * most.value, dtype
    memory = ceilings.levels(0)[-1]
    assert memory.level == "memory"
    assert memory.bytes_per_s.value < 1.05 * stated.levels(0)[-1].bytes_per_s.value
