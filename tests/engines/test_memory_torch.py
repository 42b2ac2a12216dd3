"""Memory of real runs: what was seen against what the graph says."""

from __future__ import annotations

import sys

import pytest
import torch
import transformers
from architectures import build, config, inputs_for

from cyclescope.core.cycle import Cycle
from cyclescope.core.units import NS_PER_S
from cyclescope.explaining.memory import Held, Memory, memory
from cyclescope.measuring.measure import measure

ROWS, WIDTH = 64, 256
NEW = 5
ONE = ROWS * WIDTH * 4  # bytes of one activation


def held(cycle: Cycle) -> tuple[Held, Held]:
    """Computed and measured."""
    found = told(cycle)
    assert found.measured is not None
    return found.computed, found.measured


def told(cycle: Cycle) -> Memory:
    found = memory(cycle.graph, cycle.samples.memory)
    assert found is not None
    return found


class Block(torch.nn.Module):
    """A block with a wide inside, a residual, a view and a write in place, whose variables end with their use."""

    def __init__(self) -> None:
        super().__init__()
        self.up = torch.nn.Linear(WIDTH, 4 * WIDTH)
        self.down = torch.nn.Linear(4 * WIDTH, WIDTH)
        self.down.weight = torch.nn.Parameter(self.up.weight.detach().T)  # tied: one memory under two names

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.up(x)
        y.relu_()
        y = self.down(y)
        y.add_(x)
        return y.view(2, ROWS // 2, WIDTH)


@pytest.fixture(scope="module")
def block() -> Cycle:
    torch.manual_seed(0)
    return measure(Block().eval(), inputs={"x": torch.ones(ROWS, WIDTH)}, budget=0.2)


def test_a_block_by_hand_is_held_exactly_as_computed(block: Cycle) -> None:
    computed, measured = held(block)

    # up: 4; relu_: the same 4; down: 4 and 1; add_ and view: 1.
    assert (computed.activations / ONE).tolist() == [4, 4, 5, 1, 1]
    assert measured.activations.tolist() == computed.activations.tolist()


def test_tied_weights_are_held_once_and_the_input_is_no_activation(block: Cycle) -> None:
    for side in held(block):
        assert side.weights == (4 * WIDTH * WIDTH + 4 * WIDTH + WIDTH) * 4
        assert side.inputs == ONE


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a peak and lets it be reset")
def test_the_resident_set_is_told_where_linux_tells_it(block: Cycle) -> None:
    found = told(block)

    assert found.resident_bytes is not None
    assert found.resident_peak_bytes is not None
    assert found.resident_peak_bytes >= found.resident_bytes > found.computed.weights


class Workspace(torch.nn.Module):
    """An operation that makes more inside than it gives."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.cosine_similarity(x, x, dim=-1)


def test_working_memory_inside_an_operation_is_seen_and_not_computed() -> None:
    computed, measured = held(measure(Workspace(), inputs={"x": torch.ones(ROWS, WIDTH)}, budget=0.2))

    assert computed.activations.max() == ROWS * 4
    assert measured.activations.max() >= ONE


class Hoarder(torch.nn.Module):
    """Keeps a variable beyond its last use, and an attribute beyond the cycle."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        a = x + 1
        self.kept = a * 2
        c = self.kept + 1
        return c.mean(dim=-1)


def test_variables_and_attributes_that_outlive_their_use_are_seen() -> None:
    cycle = measure(Hoarder(), inputs={"x": torch.ones(ROWS, WIDTH)}, budget=0.2)
    computed, measured = held(cycle)

    assert (computed.activations // ONE).tolist() == [1, 2, 2, 2]  # the attribute is there at the end
    assert (measured.activations // ONE).tolist() == [1, 2, 3, 3]


@pytest.mark.parametrize("name", ["BertConfig", "RobertaConfig", "DistilBertConfig"])
def test_encoders_hold_at_their_peak_what_was_computed(name: str) -> None:
    model = build(name)
    computed, measured = held(measure(model, inputs=inputs_for(model, 2, 64), budget=0.2))
    seen, own = int(measured.activations.max()), int(computed.activations.max())

    assert computed.weights == measured.weights
    assert own <= seen <= 1.2 * own  # one variable of a layer's width outlives its use in the widest place


@pytest.mark.parametrize("name", ["GPT2Config", "LlamaConfig", "Qwen3Config", "BertConfig", "T5Config", "BartConfig"])
def test_what_a_forward_pass_hands_back_is_computed_as_measured(name: str) -> None:
    model = build(name)
    computed, measured = held(measure(model, inputs=inputs_for(model, 2, 64), budget=0.2))
    heads_of_keys = 2 if name in ("LlamaConfig", "Qwen3Config") else 4
    keys_and_values = (
        3 * 2 * 2 * 64 * heads_of_keys * 16 * 4
    )  # layers, keys and values, batch, tokens, heads, width, float32

    # The look at the last operation sees the variables of its own module too, which no result holds.
    hidden = 2 * 64 * 64 * 4
    assert 0 <= measured.activations[-1] - computed.activations[-1] <= 2 * hidden
    if name in ("GPT2Config", "LlamaConfig", "Qwen3Config"):
        assert computed.activations[-1] > keys_and_values


def test_hidden_states_that_are_handed_back_are_held() -> None:
    model = build("BertConfig")
    model.config.output_hidden_states = True
    computed, measured = held(measure(model, inputs=inputs_for(model, 2, 64), budget=0.2))
    states = 4 * 2 * 64 * 64 * 4  # embedding and layers, batch, tokens, width, float32

    assert states <= computed.activations[-1] <= measured.activations[-1]


@pytest.mark.parametrize("cache", ["dynamic", "static"])
def test_the_cache_of_a_generation_is_measured_as_computed(cache: str) -> None:
    torch.manual_seed(0)
    model = transformers.AutoModelForCausalLM.from_config(config("GPT2Config")).eval()
    inputs = {"input_ids": torch.full((2, 7), 9), "attention_mask": torch.ones(2, 7, dtype=torch.int64)}
    computed, measured = held(measure(model, inputs=inputs, new_tokens=NEW, cache=cache, budget=0.2))
    positions = 7 + NEW - 1  # the last token is written and not read
    keys_and_values = 3 * 2 * 2 * positions * 64 * 4  # layers, keys and values, batch, positions, width, float32
    counters = 3 * 8 if cache == "static" else 0  # how far each layer's buffers are filled

    assert computed.cache[-1] == keys_and_values + counters
    assert measured.cache.tolist() == computed.cache.tolist()


def test_without_further_cycles_only_a_trace_on_the_real_device_tells(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cyclescope.measuring.measure._SMALL_LOOKS_NS", -NS_PER_S)
    on_meta = measure("minilm", tokens=8, budget=0.2, threads=1)
    here = measure(Block().eval(), inputs={"x": torch.ones(ROWS, WIDTH)}, budget=0.2)

    assert on_meta.graph.traced_on == "meta"
    assert on_meta.samples.memory is None
    assert here.samples.memory is not None
    assert here.samples.memory.resident_bytes is None
