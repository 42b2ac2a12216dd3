"""A decode step traced from the class alone is the step that a real generation takes, whatever the architecture."""

from __future__ import annotations

from functools import cache
from time import perf_counter

import numpy as np
import pytest
import torch
import transformers
from test_generation import NEW, WRITERS, prompt, writer

import cyclescope
from cyclescope.backends.base import Request
from cyclescope.backends.registry import open_session
from cyclescope.backends.torch.tracing.decode_step import trace_generation, trace_step
from cyclescope.core.errors import InputTooLong, Unsupported, UsageError
from cyclescope.core.graph.graph import Graph
from cyclescope.core.graph.tensor import TensorRole
from cyclescope.explaining.cache import cache_bytes
from cyclescope.explaining.memory import memory

BATCH, PROMPT = 2, 7


@cache
def lone_step(name: str, cache_length: int) -> Graph:
    """The step behind `cache_length` tokens, without weights."""
    config = WRITERS[name]()
    ids = torch.randint(5, 500, (BATCH, cache_length), generator=torch.Generator().manual_seed(4))
    if config.is_encoder_decoder:
        ids[:, 0] = config.decoder_start_token_id
        inputs = {**prompt(BATCH, PROMPT), "decoder_input_ids": ids}
    else:
        inputs = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
    return trace_step(lambda: writer(name), inputs, cache_length, "cpu").graph


@cache
def real_generation(name: str) -> Graph:
    return open_session(Request(model=writer(name), inputs=prompt(BATCH, PROMPT), new_tokens=NEW)).trace()


@pytest.mark.parametrize("name", list(WRITERS))
def test_a_generation_without_weights_does_the_work_of_the_real_one(name: str) -> None:
    """All but what a streamer is given, which needs tokens that have values, and the text that is read out."""
    real = real_generation(name)
    traced = trace_generation(lambda: writer(name), prompt(BATCH, PROMPT), NEW, "cpu").graph
    kept = [i for i, op in enumerate(real.names) if op not in ("cpu", "read out")]
    assert len(traced) == len(kept)
    assert traced.kinds == tuple(real.kinds[i] for i in kept)
    for column in ("flops", "elementwise_flops", "read_bytes", "written_bytes", "in_place"):
        np.testing.assert_array_equal(getattr(traced, column), getattr(real, column)[kept], err_msg=column)
    np.testing.assert_array_equal(traced.slots.step[traced.slots.of_op], real.slots.step[real.slots.of_op][kept])


@pytest.mark.parametrize("name", list(WRITERS))
def test_a_lone_step_does_the_work_of_the_same_step_in_a_generation(name: str) -> None:
    real = real_generation(name)
    encoded = WRITERS[name]().is_encoder_decoder
    for step in (1, NEW - 1):
        lone = lone_step(name, step if encoded else PROMPT + step - 1)
        call = next(frame for frame in real.frames if frame.parent == 0 and frame.step == step)
        there = slice(call.first_op, call.end_op)
        assert len(lone) == call.end_op - call.first_op
        for column in ("flops", "elementwise_flops", "read_bytes", "written_bytes", "in_place"):
            np.testing.assert_array_equal(getattr(lone, column), getattr(real, column)[there], err_msg=column)
        assert lone.kinds == real.kinds[there]
        differing = [pair for pair in zip(lone.names, real.names[there], strict=True) if len(set(pair)) > 1]
        # transformers counts the tokens of each expert with another dtype on the CPU than elsewhere
        assert set(differing) <= ({("int", "float")} if name == "mixture of experts" else set())


@pytest.mark.parametrize("name", list(WRITERS))
def test_what_a_step_finds_is_the_cache_that_a_generation_has_at_that_point(name: str) -> None:
    encoded = WRITERS[name]().is_encoder_decoder
    step = 2
    lone = lone_step(name, step if encoded else PROMPT + step - 1)
    found = {spec.storage: spec.bytes for spec in lone.tensors if spec.role is TensorRole.CACHE}
    assert sum(found.values()) == cache_bytes(real_generation(name), NEW)[step]
    assert all(
        spec.name.startswith(("past_key_values.", "cache.", "cache_params."))
        for spec in lone.tensors
        if spec.storage in found and spec.role is TensorRole.CACHE
    )


def test_the_cache_of_a_step_grows_by_one_token() -> None:
    told = memory(lone_step("llama", 20))
    assert told is not None
    layers, heads, width, floats = 3, 2, 16, 4
    token = BATCH * 2 * layers * heads * width * floats
    assert told.computed.cache[0] == 20 * token
    assert told.computed.cache[-1] == 21 * token
    # One layer's keys and values at most are there twice while they are copied, one of the two at a time.
    assert told.computed.cache.max() <= 22 * token + 20 * token // layers


def test_a_state_does_not_grow() -> None:
    told = memory(lone_step("state space", 20))
    assert told is not None
    assert told.computed.cache[0] == told.computed.cache[-1] > 0


def test_only_attention_grows_with_the_cache() -> None:
    short, long = lone_step("llama", 8), lone_step("llama", 16)
    growing = {short.names[i] for i in np.flatnonzero(short.flops != long.flops)}
    assert growing == {"scaled_dot_product_attention"}
    heads, width = 4, 16
    assert long.total.flops - short.total.flops == 3 * BATCH * 2 * 2 * heads * width * 8  # layers, q·k and p·v


def test_a_built_in_of_seventy_billion_parameters_takes_seconds() -> None:
    begin = perf_counter()
    graph = cyclescope.trace("llama-3.1-70b", cache_length=8191)
    here = perf_counter() - begin
    begin = perf_counter()
    cyclescope.trace("llama-3.1-70b", tokens=256)
    assert here < 20 * (perf_counter() - begin), "a step costs its prefill beside it, and no more"
    assert graph.cache_length == 8191
    assert graph.stages == ("embed", "decode", "head")
    held = sum(spec.bytes for spec in graph.tensors if spec.role is TensorRole.CACHE)
    assert held == 2 * 80 * 8 * 128 * 8191 * 4  # keys and values, layers, heads, width, tokens, float32


def test_a_batch_of_hundreds_over_a_large_vocabulary_is_traced() -> None:
    """Scores of all tokens of all sequences would be 157 MB, of which one row is known."""
    config = transformers.LlamaConfig(
        vocab_size=131_072, hidden_size=8, intermediate_size=8, num_hidden_layers=1, num_attention_heads=1
    )
    ids = torch.ones((300, 4), dtype=torch.int64)
    inputs = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
    graph = trace_step(lambda: transformers.LlamaForCausalLM(config), inputs, 4, "cpu").graph
    assert graph.tensors[int(graph.outputs[-1])].shape == (300, 1, 131_072)


@pytest.mark.parametrize(
    ("model", "settings", "error", "says"),
    [
        ("bert-base-chinese", {"cache_length": 4}, Unsupported, "cannot generate text"),
        ("gpt2", {"cache_length": 1024}, InputTooLong, "must leave room for one token"),
        ("gpt2", {"cache_length": 0}, UsageError, "--cache-length must be at least 1"),
        ("gpt2", {"cache_length": -3}, UsageError, "--cache-length must be at least 1"),
        ("gpt2", {"cache_length": 4, "tokens": 8}, UsageError, "Only one of --tokens and --cache-length"),
        ("gpt2", {"cache_length": 4, "task": "embed"}, UsageError, "has no decode step"),
        ("opus-mt-en-zh", {"cache_length": 4, "tokens": 600}, InputTooLong, "must be at most"),
    ],
)
def test_what_cannot_be_says_so(model: str, settings: dict[str, object], error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        cyclescope.trace(model, **settings)  # type: ignore[arg-type]


def test_the_longest_cache_that_fits_is_taken() -> None:
    assert cyclescope.trace("gpt2", cache_length=1023).cache_length == 1023
