"""Stamping sees every traced call, changes no output, and leaves nothing behind."""

from __future__ import annotations

import functools
import gc
import inspect
import weakref
from itertools import count
from typing import Any

import numpy as np
import pytest
import torch
from architectures import ENCODERS, OTHERS, build, config, inputs_for
from test_torch_tracing import trace_here

from cyclescope.backends.base import Request
from cyclescope.backends.registry import open_session
from cyclescope.backends.torch.session import TorchSession
from cyclescope.backends.torch.stamping.recorder import FUNCTION_MODE, WRAPPERS, Alignment, Misaligned, Recorder
from cyclescope.backends.torch.stamping.stamps import COMPILED, PythonRecords, instrumented, new_records, rows_of
from cyclescope.core.errors import EngineError


def _session(model: torch.nn.Module, **inputs: Any) -> TorchSession:
    session = open_session(Request(model=model, inputs=inputs or inputs_for(model)))
    assert isinstance(session, TorchSession)
    return session


def _patch_points() -> dict[tuple[str, str], object]:
    spaces = {"Tensor": torch.Tensor, "torch": torch, "functional": torch.nn.functional, "_nn": torch._C._nn}
    return {(space, name): getattr(owner, name, None) for space, owner in spaces.items() for name in dir(owner)}


@pytest.mark.parametrize("how", [WRAPPERS, FUNCTION_MODE])
@pytest.mark.parametrize("name", [*ENCODERS, *OTHERS])
def test_a_stamped_run_shows_the_traced_calls_in_their_order(name: str, how: str) -> None:
    model = build(name)
    inputs = inputs_for(model)
    traced = trace_here(model, inputs)
    recorder, alignment = Recorder(how, traced.keys, model), Alignment(traced.graph, traced.keys)
    records = new_records()
    with torch.inference_mode(), recorder.stamping(records):
        model(**inputs)
    if name == "FNetConfig" and how == WRAPPERS:
        # It calls the transform through a partial that no door leads to: this must be noticed, not booked wrongly.
        with pytest.raises(Misaligned):
            alignment.boundaries(rows_of(records), 0, 0)
        return
    rows = rows_of(records)
    boundaries = alignment.boundaries(rows, int(rows[:, 1].min()), int(rows[-1, 2]))
    assert len(boundaries) == len(traced.graph.slots) + 1
    assert np.all(np.diff(boundaries) >= 0)


def test_a_missed_door_is_answered_by_the_function_mode() -> None:
    session = _session(build("FNetConfig"))
    graph = session.trace()
    runs = session.instrumented(graph, 2)
    assert session.calibrate(graph, 50_000_000).how == FUNCTION_MODE
    assert len(runs) == 2


@pytest.mark.parametrize("how", [WRAPPERS, FUNCTION_MODE])
def test_outputs_are_the_same_and_nothing_is_left_behind(how: str) -> None:
    model = build("BertConfig")
    inputs = inputs_for(model)
    traced = trace_here(model, inputs)
    patch_points = _patch_points()
    own = {path: dict(module.__dict__) for path, module in model.named_modules()}
    with torch.inference_mode():
        plain = model(**inputs).last_hidden_state
        with Recorder(how, traced.keys, model).stamping(new_records()):
            instrumented = model(**inputs).last_hidden_state
    assert torch.equal(plain, instrumented)
    assert _patch_points() == patch_points
    assert {path: dict(module.__dict__) for path, module in model.named_modules()} == own
    assert "view" not in vars(torch.Tensor), "a method shadowed on the tensor class must be gone, not replaced"


def test_doors_are_shut_again_when_the_model_fails() -> None:
    model = build("BertConfig")
    traced = trace_here(model, inputs_for(model))
    patch_points = _patch_points()
    with pytest.raises((TypeError, AttributeError)), Recorder(WRAPPERS, traced.keys, model).stamping(new_records()):
        model(input_ids=3.5)
    assert _patch_points() == patch_points
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
    records = new_records()
    with torch.no_grad(), Recorder(WRAPPERS, traced.keys, model).stamping(records):
        model(x)
    Alignment(traced.graph, traced.keys).boundaries(rows_of(records), 0, 0)
    assert {"__rsub__", "add", "sub_", "div_", "__setitem__", "matmul"} <= set(traced.graph.names)


def test_a_model_that_changes_between_cycles_is_refused_with_the_reason() -> None:
    calls = count(1)  # out of reach: what hangs on a model is put back before every cycle

    class Grows(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = torch.nn.Linear(4, 4)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            for _ in range(next(calls)):
                x = self.layer(x)
            return x

    session = _session(Grows(), x=torch.ones(1, 4))
    graph = session.trace()
    with pytest.raises(EngineError, match="does not run the same operations"):
        session.instrumented(graph, 1)


@pytest.mark.parametrize("how", [WRAPPERS, FUNCTION_MODE])
def test_the_cost_of_a_stamp_comes_from_a_proxy(how: str) -> None:
    """How large it is, `tests/live` sees."""
    model = build("BertConfig")
    session = _session(model)
    graph = session.trace()
    assert session._traced is not None
    session._recorder = Recorder(how, session._traced.keys, model)
    found = session.calibrate(graph, 60_000_000)
    assert "proxy of BertModel" in found.calibrated_on
    assert how in found.how
    assert min(found.inside_ns, found.outside_ns) >= 0


def test_threads_are_put_back() -> None:
    before = torch.get_num_threads()
    session = open_session(Request(model=build("BertConfig"), inputs=inputs_for(build("BertConfig")), threads=1))
    assert torch.get_num_threads() == 1
    assert session.plan.threads == 1
    session.close()
    assert torch.get_num_threads() == before


def test_a_configuration_is_shrunk_without_losing_a_layer() -> None:
    from cyclescope.backends.torch.stamping.calibration_proxy import tiny_config

    for name in ENCODERS:
        whole = config(name)
        tiny = tiny_config(whole)
        assert tiny.num_hidden_layers == whole.num_hidden_layers
        assert tiny.vocab_size <= 512
        assert whole.to_dict() == config(name).to_dict(), "the original is left alone"


both = pytest.mark.parametrize(
    "compiled", [pytest.param(True, marks=pytest.mark.skipif(not COMPILED, reason="no C compiler")), False]
)


@both
def test_a_shim_is_what_it_stands_for_and_leaves_one_row_a_call(compiled: bool) -> None:
    def area(width: float, height: float = 2.0) -> float:
        """Said of the shim as well."""
        return width * height

    records = new_records(compiled=compiled)
    wrapper = instrumented(area, 7, records)
    assert (wrapper(3.0), wrapper(3.0, 4.0), wrapper(width=1.0, height=5.0)) == (6.0, 12.0, 5.0)
    assert inspect.signature(wrapper) == inspect.signature(area)
    assert wrapper.__wrapped__ is area
    rows = rows_of(records)
    assert rows[:, 0].tolist() == [7, 7, 7]
    assert np.all(rows[:, 1] <= rows[:, 2])
    assert np.all(rows[1:, 1] >= rows[:-1, 2]), "one clock for all of them"
    records.clear()
    assert len(records) == 0
    assert rows.shape == (3, 3), "a copy outlives its records"


@both
def test_a_shim_binds_like_a_method_and_lets_errors_through(compiled: bool) -> None:
    class Counter:
        def __init__(self) -> None:
            self.n = 0

        def add(self, by: int) -> int:
            if by < 0:
                raise ValueError(by)
            self.n += by
            return self.n

    records = new_records(compiled=compiled)
    Counter.add = instrumented(Counter.add, 1, records)  # type: ignore[method-assign]
    counter = Counter()
    bound = counter.add
    assert (counter.add(2), bound(3), Counter.add(counter, by=1)) == (2, 5, 6)
    with pytest.raises(ValueError, match="-1"):
        counter.add(-1)
    assert len(records) == 3, "a call that failed is no operation"


@both
def test_nested_shims_come_in_the_order_of_their_ends(compiled: bool) -> None:
    records = new_records(compiled=compiled)
    inner = instrumented(lambda: None, 1, records)
    instrumented(lambda: inner(), 2, records)()
    rows = rows_of(records)
    assert rows[:, 0].tolist() == [1, 2]
    assert rows[1, 1] <= rows[0, 1] <= rows[0, 2] <= rows[1, 2]


@both
def test_more_records_than_there_was_room_for_are_all_kept(compiled: bool) -> None:
    records = new_records(compiled=compiled)
    wrapper = instrumented(abs, 3, records)
    for i in range(10_000):
        wrapper(i)
    assert len(records) == 10_000
    assert np.all(np.diff(rows_of(records)[:, 1]) >= 0)


@pytest.mark.skipif(not COMPILED, reason="no C compiler")
def test_compiled_and_python_shims_show_the_same_calls() -> None:
    model = build("BertConfig")
    inputs = inputs_for(model)
    traced = trace_here(model, inputs)
    keys: list[list[int]] = []
    for compiled in (True, False):
        records = new_records(compiled=compiled)
        with torch.inference_mode(), Recorder(WRAPPERS, traced.keys, model).stamping(records):
            model(**inputs)
        keys.append(rows_of(records)[:, 0].tolist())
        assert isinstance(records, PythonRecords) is not compiled
    assert keys[0] == keys[1]


@pytest.mark.skipif(not COMPILED, reason="no C compiler")
def test_a_shim_that_is_part_of_a_circle_is_collected() -> None:
    class Held:
        pass

    held = Held()
    seen = weakref.ref(held)
    held.wrapper = instrumented(functools.partial(print, held), 1, new_records())  # type: ignore[attr-defined]
    del held
    gc.collect()
    assert seen() is None
