"""The structure that is traced on the meta device is that of the real run, for classes that the tool knows nothing about."""

from __future__ import annotations

import resource

import numpy as np
import pytest
import torch
import transformers
from architectures import ENCODERS, OTHERS, build, config, inputs_for
from torch.utils.flop_counter import FlopCounterMode

import cyclescope
from cyclescope.backends.torch.tracing.concrete_values import ConcreteValues
from cyclescope.backends.torch.tracing.meta import build_on_meta, to_meta
from cyclescope.backends.torch.tracing.tracing import Traced, Tracer
from cyclescope.core.graph.graph import Graph
from cyclescope.core.graph.op import OpKind


def trace_here(model: torch.nn.Module, inputs: dict[str, torch.Tensor], *, generates: bool = False) -> Traced:
    tracer = Tracer(model, None)
    tracer.given(inputs)
    with torch.no_grad():
        tracer.run(lambda: model(**inputs))
    return tracer.finish("cpu", generates=generates)


def trace_on_meta(name: str, inputs: dict[str, torch.Tensor], attention: str | None = None) -> Traced:
    concrete_values = ConcreteValues()
    model = build_on_meta(lambda: build(name, attention), concrete_values)
    on_meta = {key: to_meta(value, concrete_values) for key, value in inputs.items()}
    tracer = Tracer(model, concrete_values)
    tracer.given(on_meta)
    with torch.no_grad():
        tracer.run(lambda: model(**on_meta))
    return tracer.finish("meta")


@pytest.mark.parametrize("name", [*ENCODERS, *OTHERS])
def test_meta_and_real_run_ask_for_the_same_work(name: str) -> None:
    model = build(name)
    inputs = inputs_for(model, batch=2)
    real, meta = trace_here(model, inputs).graph, trace_on_meta(name, inputs).graph
    assert meta.names == real.names
    assert meta.kinds == real.kinds
    for column in ("flops", "elementwise_flops", "read_bytes", "written_bytes", "in_place", "op_frame"):
        np.testing.assert_array_equal(getattr(meta, column), getattr(real, column), err_msg=column)
    assert [t.shape for t in meta.tensors] == [t.shape for t in real.tensors]
    assert [t.dtype for t in meta.tensors] == [t.dtype for t in real.tensors]
    np.testing.assert_array_equal(meta.dependencies.source, real.dependencies.source)
    np.testing.assert_array_equal(meta.dependencies.target, real.dependencies.target)


def test_padding_changes_the_path_on_meta_as_it_does_for_real() -> None:
    """A mask that hides something is applied, one that hides nothing is dropped: known values decide on meta too."""
    model = build("BertConfig")
    inputs = inputs_for(model, batch=2)
    unmasked = trace_here(model, inputs).graph
    inputs["attention_mask"][1, -3:] = 0
    real, meta = trace_here(model, inputs).graph, trace_on_meta("BertConfig", inputs).graph
    assert real.names == meta.names
    assert real.names != unmasked.names


@pytest.mark.parametrize("name", list(ENCODERS))
def test_every_encoder_shows_embedding_and_three_layers(name: str) -> None:
    model = build(name)
    graph = trace_here(model, inputs_for(model)).graph
    assert graph.stages[:2] == ("embed", "encode")
    assert {graph.location(i).layer for i in range(len(graph)) if graph.stage_of(i) == "encode"} >= {0, 1, 2}
    assert {f.layer for f in graph.frames if f.layer is not None} == {0, 1, 2}
    work = [
        int(graph.flops[[i for i in range(len(graph)) if graph.location(i).layer == layer]].sum()) for layer in range(3)
    ]
    assert min(work) > 0
    if name != "ModernBertConfig":  # its first layer has no norm, and some of its layers attend locally
        assert len(set(work)) == 1


def test_encoder_decoder_has_both_stacks() -> None:
    for name in ("T5Config", "BartConfig"):
        model = build(name)
        graph = trace_here(model, inputs_for(model)).graph
        assert [s for s in graph.stages if s in ("encode", "decode")] == ["encode", "decode"]
        for stage in ("encode", "decode"):
            assert {f.layer for f in graph.frames if f.stage == stage and f.layer is not None} == {0, 1, 2}


@pytest.mark.parametrize("name", ["BertConfig", "DebertaV2Config", "ModernBertConfig", "LlamaConfig", "T5Config"])
def test_flops_are_those_of_an_independent_counter_on_eager_attention(name: str) -> None:
    model = build(name, None if name == "DebertaV2Config" else "eager")  # it has no other attention than its own
    inputs = inputs_for(model, batch=2, tokens=16)
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        model(**inputs)
    assert trace_here(model, inputs).graph.total.flops == counter.get_total_flops()


@pytest.mark.parametrize("name", ["BertConfig", "LlamaConfig", "GPT2Config"])
def test_fused_attention_counts_what_the_stock_counter_misses(name: str) -> None:
    eager, fused = build(name, "eager"), build(name, "sdpa")
    inputs = inputs_for(eager)
    of_eager, of_fused = trace_here(eager, inputs).graph, trace_here(fused, inputs).graph
    attention = [i for i, kind in enumerate(of_fused.kinds) if kind is OpKind.ATTENTION]
    assert len(attention) == 3
    assert of_fused.total.flops == of_eager.total.flops
    assert int(of_fused.flops[attention].sum()) > 0


def test_bert_base_agrees_with_the_count_by_hand() -> None:
    """12 layers: four projections and two feed-forward products over 16 tokens, attention, and the pooler."""
    graph = cyclescope.trace("bert-base-chinese", tokens=16)
    hidden, inner, tokens, layers = 768, 3072, 16, 12
    layer = 2 * tokens * (4 * hidden * hidden + 2 * hidden * inner) + 4 * tokens * tokens * hidden
    assert graph.total.flops == layers * layer + 2 * hidden * hidden


def test_a_seventy_billion_model_is_traced_without_its_memory() -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    graph = cyclescope.trace("llama-3.1-70b", tokens=256)
    grown_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    parameters = sum(t.elements for t in graph.tensors if t.role.value == "parameter")
    assert parameters > 68e9
    assert graph.stages == ("embed", "decode", "head")
    assert len({f.layer for f in graph.frames if f.layer is not None}) == 80
    assert grown_kb * 1024 < 0.01 * 4 * parameters


def _op(graph: Graph, name: str, module: str) -> int:
    return next(i for i in range(len(graph)) if graph.names[i] == name and graph.location(i).module.endswith(module))


def test_a_residual_depends_on_both_of_its_branches() -> None:
    graph = trace_here(*_bert()).graph
    edges = set(zip(graph.dependencies.source.tolist(), graph.dependencies.target.tolist(), strict=True))
    dense = _op(graph, "linear", "layer.0.attention.output.dense")
    norm_of_embedding = _op(graph, "layer_norm", "embeddings.LayerNorm")
    residual = next(t for s, t in sorted(edges) if s == dense and graph.kinds[t] is OpKind.ELEMENTWISE)
    assert (norm_of_embedding, residual) in edges
    query = _op(graph, "linear", "layer.0.attention.self.query")
    assert (norm_of_embedding, query) in edges


def _bert() -> tuple[torch.nn.Module, dict[str, torch.Tensor]]:
    model = build("BertConfig")
    return model, inputs_for(model)


def test_queries_keys_and_values_of_a_layer_do_not_depend_on_each_other() -> None:
    graph = trace_here(*_bert()).graph
    reach: dict[int, set[int]] = {}
    for source, target in zip(graph.dependencies.source.tolist(), graph.dependencies.target.tolist(), strict=True):
        reach.setdefault(target, set()).update({source} | reach.get(source, set()))
    q, k, v = (_op(graph, "linear", f"layer.1.attention.self.{part}") for part in ("query", "key", "value"))
    for one, other in ((q, k), (k, v), (q, v)):
        assert one not in reach[other]
        assert other not in reach[one]


class _InPlace(torch.nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        view = x.view(-1)
        before = view * 2
        x.add_(1)
        return view + before


def test_a_write_in_place_is_seen_through_a_view() -> None:
    model = _InPlace()
    x = torch.ones(2, 3)
    tracer = Tracer(model, None)
    tracer.given({"x": x})
    with torch.no_grad():
        tracer.run(lambda: model(x))
    graph = tracer.finish("cpu").graph
    assert graph.names == ("view", "mul", "add_", "add")
    edges = {
        (s, t): bool(data)
        for s, t, data in zip(
            graph.dependencies.source.tolist(),
            graph.dependencies.target.tolist(),
            graph.dependencies.carries_data.tolist(),
            strict=True,
        )
    }
    assert edges[(1, 2)] is False, "the write waits for the reader of the old values"
    assert edges[(2, 3)] is True, "the view shows the new values, so its reader waits for the write"
    assert edges[(0, 1)] is True


def test_a_model_that_decides_by_its_weights_is_traced_where_it_lies() -> None:
    class Decides(transformers.BertModel):
        def forward(self, *args: object, **kwargs: object) -> object:
            result = super().forward(*args, **kwargs)
            if bool((result.pooler_output > 2).any()):  # a tanh is never above one
                raise AssertionError
            return result

    torch.manual_seed(0)
    model = Decides(config("BertConfig")).eval()
    cycle = cyclescope.measure(model, inputs=inputs_for(model), budget=0.2)
    assert cycle.graph.traced_on == "cpu"
    assert "any" in cycle.graph.names
