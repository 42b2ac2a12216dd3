"""Wrappers (adapters) whose `generate` hands everything on to the model inside them."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("torch")

import torch
import transformers
from small_writers import SMALL, model_of
from torch import nn
from torch._dynamo.testing import CompileCounter

import cyclescope
from cyclescope.core.errors import UsageError
from cyclescope.explaining.explain import explain
from cyclescope.explaining.generation import Phase

NEW = 4
IDS = torch.arange(5, 15)[None]


class Adapter(nn.Module):
    """As adapters of another package do it: `generate` never comes by the wrapper's own `forward`."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.inner = model

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        return self.inner(*args, **kwargs)

    def generate(self, *args: Any, **kwargs: Any) -> Any:
        return self.inner.generate(*args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        try:
            return super().__getattr__(name)
        except AttributeError:
            return getattr(self.inner, name)


@pytest.fixture(scope="module")
def adapter() -> Adapter:
    return Adapter(model_of(transformers.LlamaConfig(**SMALL))).eval()


def test_the_steps_of_a_wrapped_writer_are_steps(adapter: Adapter) -> None:
    given = {"input_ids": IDS, "attention_mask": torch.ones_like(IDS)}
    cycle = cyclescope.measure(adapter, inputs=given, new_tokens=NEW, budget=0.5)
    bare = cyclescope.measure(adapter.inner, inputs=given, new_tokens=NEW, budget=0.5)
    assert cycle.graph.stages == bare.graph.stages
    assert cycle.graph.slots.step.max() == bare.graph.slots.step.max() == NEW - 1
    assert {frame.layer for frame in cycle.graph.frames} == {None, 0, 1}
    generation = explain(cycle).generation
    assert generation is not None
    assert [phase.phase for phase in generation.phases] == [Phase.PREPARE, Phase.PREFILL, Phase.DECODE]
    assert len(generation.steps) == NEW


def test_what_a_wrapper_calls_in_its_place_is_watched(adapter: Adapter) -> None:
    with torch.no_grad(), cyclescope.watch(adapter, budget=0.2) as seen:
        adapter.generate(IDS, attention_mask=torch.ones_like(IDS), max_new_tokens=NEW, min_new_tokens=NEW)
    assert len(seen.calls_ns) == NEW
    assert seen.cycle.workload.model.class_name == "LlamaForCausalLM"
    assert any("LlamaForCausalLM inside the Adapter" in str(note) for note in seen.cycle.notes)


def test_a_call_of_the_wrapper_itself_is_one_call_and_its_own(adapter: Adapter) -> None:
    with torch.no_grad(), cyclescope.watch(adapter, budget=0.2) as seen:
        adapter(input_ids=IDS)
    assert len(seen.calls_ns) == 1
    assert seen.cycle.workload.model.class_name == "Adapter"


def test_watching_a_compiled_model_compiles_nothing_anew() -> None:
    counter = CompileCounter()

    class Layer(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.sin(x) + 1

    model = Layer().eval()
    model.compile(backend=counter)
    x = torch.ones(2, 4)
    with torch.no_grad():
        model(x)
        with cyclescope.watch(model, budget=0.2) as seen:
            model(x)
        model(x)
    assert counter.frame_count == 1
    assert len(seen.calls_ns) == 1
    assert seen.cycle.graph.opaque


@pytest.mark.filterwarnings("ignore:.*jit.script.*:DeprecationWarning")
def test_a_scripted_module_says_what_to_do_instead() -> None:
    model = torch.jit.script(nn.Sequential(nn.Linear(4, 4)).eval())
    with pytest.raises(UsageError, match="TorchScript"), cyclescope.watch(model):
        pass
