"""Stamping sees every traced call, changes no output, and leaves nothing behind."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from architectures import ENCODERS, OTHERS, build, config, inputs_for
from test_torch_tracing import trace_here

from cyclescope.backends.base import Request
from cyclescope.backends.registry import open_session
from cyclescope.backends.torch.recorder import FUNCTION_MODE, SHIMS, Alignment, Misaligned, Recorder
from cyclescope.backends.torch.session import TorchSession
from cyclescope.core.errors import EngineError


def _session(model: torch.nn.Module, **inputs: Any) -> TorchSession:
    session = open_session(Request(model=model, inputs=inputs or inputs_for(model)))
    assert isinstance(session, TorchSession)
    return session


def _doors() -> dict[tuple[str, str], object]:
    spaces = {"Tensor": torch.Tensor, "torch": torch, "functional": torch.nn.functional, "_nn": torch._C._nn}
    return {(space, name): getattr(owner, name, None) for space, owner in spaces.items() for name in dir(owner)}


@pytest.mark.parametrize("how", [SHIMS, FUNCTION_MODE])
@pytest.mark.parametrize("name", [*ENCODERS, *OTHERS])
def test_a_stamped_run_shows_the_traced_calls_in_their_order(name: str, how: str) -> None:
    model = build(name)
    inputs = inputs_for(model)
    traced = trace_here(model, inputs)
    recorder, alignment = Recorder(how, traced.keys, model), Alignment(traced.graph, traced.keys)
    records: list[tuple[int, int, int]] = []
    with torch.inference_mode(), recorder.stamping(records):
        model(**inputs)
    if name == "FNetConfig" and how == SHIMS:
        # It calls the transform through a partial that no door leads to: this must be noticed, not booked wrongly.
        with pytest.raises(Misaligned):
            alignment.boundaries(records, 0, records[-1][2])
        return
    boundaries = alignment.boundaries(records, min(r[1] for r in records), records[-1][2])
    assert len(boundaries) == len(traced.graph.slots) + 1
    assert np.all(np.diff(boundaries) >= 0)


def test_a_missed_door_is_answered_by_the_function_mode() -> None:
    session = _session(build("FNetConfig"))
    graph = session.trace()
    runs = session.light(graph, 2)
    assert session.calibrate(graph, 50_000_000).how == FUNCTION_MODE
    assert len(runs) == 2


@pytest.mark.parametrize("how", [SHIMS, FUNCTION_MODE])
def test_outputs_are_the_same_and_nothing_is_left_behind(how: str) -> None:
    model = build("BertConfig")
    inputs = inputs_for(model)
    traced = trace_here(model, inputs)
    doors = _doors()
    own = {path: dict(module.__dict__) for path, module in model.named_modules()}
    with torch.inference_mode():
        plain = model(**inputs).last_hidden_state
        with Recorder(how, traced.keys, model).stamping([]):
            stamped = model(**inputs).last_hidden_state
    assert torch.equal(plain, stamped)
    assert _doors() == doors
    assert {path: dict(module.__dict__) for path, module in model.named_modules()} == own
    assert "view" not in vars(torch.Tensor), "a method shadowed on the tensor class must be gone, not replaced"


def test_doors_are_shut_again_when_the_model_fails() -> None:
    model = build("BertConfig")
    traced = trace_here(model, inputs_for(model))
    doors = _doors()
    with pytest.raises((TypeError, AttributeError)), Recorder(SHIMS, traced.keys, model).stamping([]):
        model(input_ids=3.5)
    assert _doors() == doors
    assert all("forward" not in module.__dict__ for module in model.modules())


def test_operators_are_stamped_whatever_door_they_come_through() -> None:
    class Operators(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            y = 2 + x
            y = 2 - y
            y -= x
            y /= 3
            y **= 2
            y = y @ x.T
            y = 1 / (-y).abs_().add(1)
            z = y[0] > 0
            y[z.nonzero()[:1]] = 1.0
            return y * ~z & 1 if y.dtype == torch.int64 else y

    model = Operators().eval()
    x = torch.ones(3, 3)
    traced = trace_here(model, {"x": x})
    records: list[tuple[int, int, int]] = []
    with torch.no_grad(), Recorder(SHIMS, traced.keys, model).stamping(records):
        model(x)
    Alignment(traced.graph, traced.keys).boundaries(records, records[0][1], records[-1][2])
    assert {"__rsub__", "add", "sub_", "div_", "__setitem__", "matmul"} <= set(traced.graph.names)


def test_a_model_that_changes_between_cycles_is_refused_with_the_reason() -> None:
    class Grows(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.calls = 0
            self.layer = torch.nn.Linear(4, 4)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            self.calls += 1
            for _ in range(self.calls):
                x = self.layer(x)
            return x

    session = _session(Grows(), x=torch.ones(1, 4))
    graph = session.trace()
    with pytest.raises(EngineError, match="does not do the same"):
        session.light(graph, 1)


def test_the_twin_gives_a_cost_of_the_right_kind() -> None:
    """A stamp pair costs something, and much less than a function mode does."""
    model = build("BertConfig")
    costs = {}
    for how in (SHIMS, FUNCTION_MODE):
        session = _session(model)
        graph = session.trace()
        assert session._traced is not None
        session._recorder = Recorder(how, session._traced.keys, model)
        found = session.calibrate(graph, 300_000_000)
        assert "twin of BertModel" in found.calibrated_on
        costs[how] = found.inside_ns + found.outside_ns
    assert 0 < costs[SHIMS] < costs[FUNCTION_MODE]


def test_threads_are_put_back() -> None:
    before = torch.get_num_threads()
    session = open_session(Request(model=build("BertConfig"), inputs=inputs_for(build("BertConfig")), threads=1))
    assert torch.get_num_threads() == 1
    assert session.plan.threads == 1
    session.close()
    assert torch.get_num_threads() == before


def test_a_configuration_is_shrunk_without_losing_a_layer() -> None:
    from cyclescope.backends.torch.twin import tiny_config

    for name in ENCODERS:
        whole = config(name)
        tiny = tiny_config(whole)
        assert tiny.num_hidden_layers == whole.num_hidden_layers
        assert tiny.vocab_size <= 512
        assert whole.to_dict() == config(name).to_dict(), "the original is left alone"
