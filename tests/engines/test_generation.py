"""A whole generation is one cycle: `model.generate` as the user calls it, every step booked, whatever the architecture."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from architectures import config, folder

from cyclescope.backends.base import Request
from cyclescope.backends.registry import open_session
from cyclescope.core.cycle import Cycle
from cyclescope.core.errors import CyclescopeError, Unsupported, UsageError
from cyclescope.core.graph.structure import PREPARE, READ_OUT, SAMPLE, TOKENIZE
from cyclescope.explaining.explain import explain
from cyclescope.measuring.measure import measure

NEW = 4

_SMALL: dict[str, Any] = {
    "vocab_size": 500,
    "hidden_size": 64,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "intermediate_size": 128,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
}
WRITERS: dict[str, Any] = {
    "gpt2": lambda: config("GPT2Config"),
    "llama": lambda: config("LlamaConfig"),
    "qwen3": lambda: config("Qwen3Config"),
    "mixture of experts": lambda: transformers.MixtralConfig(**_SMALL, num_local_experts=4, num_experts_per_tok=2),
    "hybrid of convolution and attention": lambda: transformers.Lfm2Config(
        **_SMALL, layer_types=["conv", "full_attention", "conv"], block_multiple_of=16
    ),
    "state space": lambda: config("MambaConfig"),
    "t5": lambda: config("T5Config"),
    "bart": lambda: config("BartConfig"),
}


def writer(name: str) -> torch.nn.Module:
    torch.manual_seed(0)
    made = WRITERS[name]()
    auto = transformers.AutoModelForSeq2SeqLM if made.is_encoder_decoder else transformers.AutoModelForCausalLM
    model: torch.nn.Module = auto.from_config(made)
    return model.eval()


def prompt(batch: int = 1, tokens: int = 7) -> dict[str, torch.Tensor]:
    ids = torch.randint(5, 500, (batch, tokens), generator=torch.Generator().manual_seed(3))
    return {"input_ids": ids, "attention_mask": torch.ones_like(ids)}


@cache
def written(name: str, **settings: Any) -> Cycle:
    return measure(writer(name), inputs=prompt(), new_tokens=NEW, budget=0.3, **settings)


@pytest.fixture(scope="module")
def gpt2(tmp_path_factory: pytest.TempPathFactory) -> str:
    return folder(tmp_path_factory.getbasetemp(), "GPT2Config")


@pytest.mark.parametrize("name", list(WRITERS))
def test_every_step_is_booked_whatever_the_architecture(name: str) -> None:
    cycle = written(name)
    slots = cycle.graph.slots
    assert sorted(set(slots.step.tolist()) - {-1}) == list(range(NEW))
    assert {PREPARE, SAMPLE, "embed", "decode", "head"} <= set(cycle.graph.stages)
    assert {f.layer for f in cycle.graph.frames if f.stage == "decode" and f.layer is not None} == {0, 1, 2}
    steps = [int(cycle.graph.flops[slots.op[(slots.step == k) & (slots.op >= 0)]].sum()) for k in range(NEW)]
    assert min(steps) > 0
    if name not in ("t5", "bart"):
        assert steps[0] > max(steps[1:]), "the prefill works on the whole prompt, a step on one token"
    told = explain(cycle)
    assert sum(row.time_ns for row in told.closure.rows) == pytest.approx(told.closure.wall.value_ns)


def test_the_encoder_runs_once_and_the_decoder_once_a_token() -> None:
    graph = written("t5").graph
    calls = [frame.stage for frame in graph.frames if frame.layer == 0 and graph.frames[frame.parent].layer is None]
    assert calls.count("encode") == 1
    assert calls.count("decode") == NEW


def test_tokens_come_out_one_after_the_other_within_the_cycle() -> None:
    samples = written("gpt2").samples
    tokens = samples.tokens
    assert tokens is not None
    assert tokens.emitted_ns.shape == (len(samples.uninstrumented), NEW)
    assert np.all(np.diff(tokens.emitted_ns, axis=1) > 0)
    assert np.all(tokens.called_ns > 0)
    assert np.all(tokens.called_ns < tokens.emitted_ns[:, 0])
    assert np.all(tokens.emitted_ns[:, -1] <= samples.uninstrumented.wall_ns)


def test_what_is_written_is_what_the_user_would_have_got() -> None:
    model = writer("llama")
    session = open_session(Request(model=model, inputs=prompt(), new_tokens=NEW))
    taken: list[torch.Tensor] = []
    steps = session._steps  # type: ignore[attr-defined]
    original = steps.writer._generate
    steps.writer._generate = lambda **settings: taken.append(original(**settings)) or taken[-1]
    session.uninstrumented(1)
    session.instrumented(session.trace(), 2)
    own = model.generate(**prompt(), max_new_tokens=NEW, min_new_tokens=NEW, do_sample=False)
    assert len(taken) >= 4
    assert all(torch.equal(own, ids) for ids in taken)


def test_sampling_does_the_same_work_in_every_cycle() -> None:
    cycle = written("gpt2", sampling="sample", seed=7)
    assert cycle.plan.decoding == "sample"
    assert "multinomial" in cycle.graph.names
    assert len(cycle.samples.instrumented) > 0


def test_without_a_cache_every_step_works_on_the_whole_text() -> None:
    graph = written("gpt2", cache="off").graph
    slots = graph.slots
    flops = [int(graph.flops[slots.op[(slots.step == k) & (slots.op >= 0)]].sum()) for k in range(NEW)]
    assert flops == sorted(flops)
    assert flops[-1] > flops[0]


def test_a_static_cache_keeps_the_shape_of_keys_and_a_dynamic_one_grows() -> None:
    def keys_of_steps(cache: str) -> list[int]:
        cycle = written("llama", cache=cache)
        assert cycle.plan.cache == cache
        slots, graph = cycle.graph.slots, cycle.graph
        lengths = []
        for step in (2, 3):
            ops = [int(i) for i in slots.op[(slots.step == step) & (slots.op >= 0)]]
            attention = next(i for i in ops if graph.names[i] == "scaled_dot_product_attention")
            read = [graph.tensors[t].shape for t in graph.reads(attention)]
            lengths.append(max(shape[-2] for shape in read if len(shape) == 4 and shape[-1] == 16))
        return lengths

    short, longer = keys_of_steps("dynamic")
    assert longer == short + 1
    fixed, same = keys_of_steps("static")
    assert fixed == same >= 7 + NEW - 1


def test_from_text_to_text_with_every_stage(gpt2: str) -> None:
    cycle = measure(gpt2, "Where does the time go?", new_tokens=2, budget=0.5, threads=1)
    assert cycle.graph.stages[0] == TOKENIZE
    assert cycle.graph.stages[-1] == READ_OUT
    assert cycle.workload.tokens_out == 2
    assert cycle.workload.outcome.startswith("output"), "text that the model wrote is not kept unless asked for"


@pytest.mark.parametrize(
    ("model", "settings", "error"),
    [
        ("bert-tiny", {"new_tokens": 3}, CyclescopeError),
        ("gpt2", {"new_tokens": 0}, UsageError),
        ("gpt2", {"tokens": 1020, "new_tokens": 10}, UsageError),
    ],
)
def test_a_generation_that_cannot_be_has_a_clear_message(
    model: str, settings: dict[str, Any], error: type[CyclescopeError], gpt2: str
) -> None:
    with pytest.raises(error) as caught:
        measure(gpt2 if model == "gpt2" else model, budget=0.1, **settings)
    assert caught.value.fact
    assert caught.value.way_out


def test_a_model_in_hand_without_a_head_is_refused() -> None:
    torch.manual_seed(0)
    model = transformers.AutoModel.from_config(config("GPT2Config")).eval()
    with pytest.raises(Unsupported, match="cannot generate text"):
        measure(model, inputs=prompt(), new_tokens=2, budget=0.1)
