"""How many tokens reach each expert: counted where the routing is real, and said to be unknown where it is not."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import transformers
from architectures import inputs_for
from test_generation import NEW, prompt
from test_torch_tracing import trace_here

import cyclescope
from cyclescope.backends.torch.tracing.concrete_values import ConcreteValues
from cyclescope.backends.torch.tracing.meta import build_on_meta, to_meta
from cyclescope.backends.torch.tracing.tracing import Tracer
from cyclescope.core.graph.graph import Graph
from cyclescope.explaining.experts import expert_rows

LAYERS, EXPERTS, CHOSEN = 3, 8, 2
_COMMON: dict[str, Any] = {
    "vocab_size": 500,
    "hidden_size": 64,
    "num_hidden_layers": LAYERS,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "intermediate_size": 128,
    "num_experts_per_tok": CHOSEN,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
}
MIXTURES: dict[str, Any] = {
    "mixtral": lambda: transformers.MixtralConfig(**_COMMON, num_local_experts=EXPERTS),
    "qwen3-moe": lambda: transformers.Qwen3MoeConfig(
        **_COMMON, num_experts=EXPERTS, moe_intermediate_size=32, decoder_sparse_step=1, head_dim=16
    ),
}


def mixture(name: str) -> torch.nn.Module:
    torch.manual_seed(0)
    model: torch.nn.Module = transformers.AutoModelForCausalLM.from_config(MIXTURES[name]())
    return model.eval()


def routed_by_hand(model: torch.nn.Module, inputs: dict[str, torch.Tensor]) -> list[list[int]]:
    """Counts [layers][experts] from the router's logits, which the model itself hands back."""
    with torch.no_grad():
        logits = model(**inputs, output_router_logits=True).router_logits
    return [torch.bincount(layer.topk(CHOSEN).indices.ravel(), minlength=EXPERTS).tolist() for layer in logits]


@pytest.mark.parametrize("name", list(MIXTURES))
def test_the_counts_are_those_of_the_router(name: str) -> None:
    model = mixture(name)
    inputs = inputs_for(model, batch=2, tokens=12)
    graph = trace_here(model, inputs, generates=True).graph
    assert [list(load.per_expert) for load in graph.experts] == routed_by_hand(model, inputs)
    for load in graph.experts:
        assert (load.tokens, load.chosen, load.experts) == (24, CHOSEN, EXPERTS)
        assert sum(load.per_expert) == 24 * CHOSEN
        frame = graph.frames[load.frame]
        assert frame.module.endswith("experts")
        assert "_grouped_mm" in graph.names[frame.first_op : frame.end_op]


def on_meta(name: str) -> Graph:
    concrete_values = ConcreteValues()
    model = build_on_meta(lambda: mixture(name), concrete_values)
    inputs = {
        key: to_meta(value, concrete_values) for key, value in inputs_for(mixture(name), batch=2, tokens=12).items()
    }
    tracer = Tracer(model, concrete_values)
    tracer.given(inputs)
    with torch.no_grad():
        result = tracer.run(lambda: model(**inputs))
    assert result is not None
    return tracer.finish("meta", generates=True).graph


@pytest.mark.parametrize("name", list(MIXTURES))
def test_without_weights_the_work_is_known_and_the_routing_is_not(name: str) -> None:
    model = mixture(name)
    real = trace_here(model, inputs_for(model, batch=2, tokens=12), generates=True).graph
    meta = on_meta(name)
    assert meta.total == real.total
    assert meta.kinds == real.kinds
    assert len(meta.experts) == LAYERS
    assert not any(load.known for load in meta.experts)
    assert {load.expected for load in meta.experts} == {24 * CHOSEN / EXPERTS}


@pytest.mark.parametrize("name", list(MIXTURES))
def test_a_measured_cycle_knows_its_routing_in_every_step(name: str) -> None:
    cycle = cyclescope.measure(mixture(name), inputs=prompt(1, 7), new_tokens=NEW, budget=0.3)
    rows = expert_rows(cycle.graph)
    assert [row.layer for row in rows] == list(range(LAYERS))
    for row in rows:
        assert row.calls == NEW
        assert sum(row.per_expert) == row.routed == (7 + NEW - 1) * CHOSEN


def test_a_named_mixture_is_traced_where_it_runs_so_that_its_routing_is_known(tmp_path: Any) -> None:
    MIXTURES["mixtral"]().save_pretrained(tmp_path)
    cycle = cyclescope.measure(str(tmp_path), tokens=12, batch=2, budget=0.3, weights="random")
    assert cycle.graph.traced_on == "cpu"
    assert [sum(load.per_expert) for load in cycle.graph.experts] == [24 * CHOSEN] * LAYERS


@pytest.mark.parametrize("model", ["mixtral-8x7b", "qwen3-next-80b-a3b", "jamba-v0.1"])
def test_built_in_mixtures_are_traced_without_their_weights(model: str) -> None:
    graph = cyclescope.trace(model, tokens=8)
    assert graph.experts
    assert not any(load.known for load in graph.experts)
    assert {graph.frames[load.frame].layer for load in graph.experts} <= set(range(100))


def test_a_dense_model_has_no_experts() -> None:
    assert cyclescope.trace("gpt2", tokens=8).experts == ()
