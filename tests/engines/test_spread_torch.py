"""Real models of transformers split among ranks: these together do the work of one, or it is said why they cannot."""

from __future__ import annotations

import pytest
import torch
import transformers
from architectures import ENCODERS, OTHERS, build, inputs_for
from test_expert_loads import MIXTURES
from test_torch_tracing import trace_here

from cyclescope.core.collectives import CollectiveKind
from cyclescope.core.errors import Unsupported
from cyclescope.core.graph.graph import Graph
from cyclescope.core.graph.op import OpKind
from cyclescope.predicting.spreading.split import find_split
from cyclescope.predicting.spreading.stages import Pipeline, Units
from cyclescope.predicting.spreading.tensor import tensor_parallel

# By the name of their configuration: layers, and products in each that are split in two.
SPLIT = {"BertConfig": 6, "AlbertConfig": 6, "GPT2Config": 4, "LlamaConfig": 7}


# In these no pair of products has only pointwise operations or heads between them.
REFUSED = {"SqueezeBertConfig", "MambaConfig"}


def _products(graph: Graph) -> dict[str, int]:
    """FLOPs of the products of each module."""
    found: dict[str, int] = {}
    for op in graph.ops():
        if op.kind in (OpKind.MATMUL, OpKind.ATTENTION):
            found[op.site.module] = found.get(op.site.module, 0) + op.cost.flops
    return found


def _shared(whole: Graph, ranks: int) -> Graph:
    """The graph of a rank, whose products are each a share of those of `whole`, or all of them."""
    part = tensor_parallel(whole, ranks)
    before, after = _products(whole), _products(part)
    assert {before[module] // after[module] for module in before} <= {1, ranks}
    assert all(before[module] % after[module] == 0 for module in before)
    return part


@pytest.mark.parametrize("name", SPLIT)
def test_heads_and_pairs_of_every_layer_are_split(name: str) -> None:
    model = build(name)
    whole = trace_here(model, inputs_for(model, batch=2, tokens=4)).graph  # as many tokens as heads
    part = _shared(whole, 2)
    layers = int(whole.op_layer.max()) + 1
    assert find_split(whole).products >= SPLIT[name] * layers
    reduced = [c for c in part.collectives if c.kind is CollectiveKind.ALL_REDUCE]
    assert len(reduced) >= 2 * layers


def test_both_stacks_of_an_encoder_decoder_are_split_and_its_stages_pass_on_the_encoding() -> None:
    model = build("T5Config")
    whole = trace_here(model, inputs_for(model)).graph
    part = _shared(whole, 4)
    reduced = sum(c.kind is CollectiveKind.ALL_REDUCE for c in part.collectives)
    assert reduced >= 3 * 2 + 3 * 3, "two in a layer of the encoder, three in one of the decoder"
    units = Units.of(part)
    pipeline = Pipeline(units, (0, 3, 5))
    stages = [pipeline.rank_graph(k).graph for k in range(3)]
    assert sum(int(stage.flops.sum()) for stage in stages) == int(part.flops.sum())
    sizes = [sum(c.message_bytes for c in stage.collectives if c.kind is CollectiveKind.RECEIVE) for stage in stages]
    assert sizes[0] == 0
    assert sizes[1] > 0
    assert sizes[2] > sizes[1], "the hidden state of the decoder beside the encoding"


@pytest.mark.parametrize("name", MIXTURES)
def test_experts_are_split_and_routers_are_not(name: str) -> None:
    torch.manual_seed(0)
    model = transformers.AutoModelForCausalLM.from_config(MIXTURES[name]()).eval()
    whole = trace_here(model, inputs_for(model), generates=True).graph
    part = _shared(whole, 2)
    before, after = _products(whole), _products(part)
    routers = [module for module in before if module.endswith("mlp.gate")]
    experts = [module for module in before if module.endswith("mlp.experts")]
    assert routers
    assert experts
    assert all(before[module] == after[module] for module in routers)
    assert all(before[module] == 2 * after[module] for module in experts)


@pytest.mark.parametrize("name", {**ENCODERS, **OTHERS})
def test_any_model_is_split_or_refused_with_the_reason(name: str) -> None:
    model = build(name)
    whole = trace_here(model, inputs_for(model)).graph
    if name in REFUSED:
        with pytest.raises(Unsupported, match="cannot be split"):
            tensor_parallel(whole, 2)
        return
    part = tensor_parallel(whole, 2)
    assert int(whole.flops.sum()) / 2 <= int(part.flops.sum()) < int(whole.flops.sum())
    pipeline = Pipeline(Units.of(part), (0, 1, 2))
    parts = [pipeline.rank_graph(k).graph for k in range(3)]
    assert sum(int(stage.flops.sum()) for stage in parts) >= int(part.flops.sum()), "what follows from inputs is on all"
