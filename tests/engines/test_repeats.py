"""Every repeat sees what the first saw, and what a run leaves behind is put away."""

from __future__ import annotations

import copy
import functools
import random
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from snapshots import all_of
from torch import nn

import cyclescope
from cyclescope.backends.base import Request
from cyclescope.backends.registry import keeping, open_session
from cyclescope.backends.torch.keeping.objects import Kept
from cyclescope.backends.torch.keeping.repeats import Repeats

BUDGET = 0.05
ONE = torch.arange(5, 17).reshape(1, 12)
X = torch.ones(2, 8)


@pytest.fixture(scope="module")
def llama() -> Any:
    config = transformers.LlamaConfig(
        hidden_size=32,
        intermediate_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        vocab_size=500,
        pad_token_id=0,
        bos_token_id=1,
        eos_token_id=2,
    )
    return transformers.LlamaForCausalLM(config).eval()


def attended(cycle: cyclescope.Cycle) -> set[int]:
    """Lengths of the queries, keys, values and masks of the attention of a cycle."""
    graph = cycle.graph
    rows = [row for row, name in enumerate(graph.names) if name == "scaled_dot_product_attention"]
    return {graph.tensors[t].shape[-2] for row in rows for t in graph.reads(row)}


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
@pytest.mark.parametrize("kind", ["dynamic", "dynamic with layers", "static"])
def test_a_watched_cache_holds_what_its_user_put_in_and_every_repeat_sees_it_so(
    llama: Any, kind: str, mode: Any
) -> None:
    """12 tokens and one: the repeats of the second call find 12 tokens, and afterwards the cache has 13."""
    made = {
        "dynamic": lambda: transformers.DynamicCache(),
        "dynamic with layers": lambda: transformers.DynamicCache(config=llama.config),
        "static": lambda: transformers.StaticCache(config=llama.config, max_cache_len=40),
    }
    cache, own = made[kind](), made[kind]()
    with mode():
        llama(ONE, cache=own)
        llama(ONE[:, :1], cache=own)
        with cyclescope.watch(llama, budget=BUDGET) as seen:
            llama(ONE, cache=cache)
            llama(ONE[:, :1], cache=cache)
    assert int(cache.get_seq_length()) == 13
    for mine, theirs in zip(own.layers, cache.layers, strict=True):
        assert torch.equal(mine.keys, theirs.keys)
        assert torch.equal(mine.values, theirs.values)
    assert len(seen.cycle.samples.instrumented.boundaries_ns)
    assert max(attended(seen.cycle)) == (40 if kind == "static" else 13)


SMALL: dict[str, Any] = {
    "hidden_size": 32,
    "intermediate_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "vocab_size": 100,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
}


@pytest.mark.parametrize("kind", ["windows of fixed size", "states"])
def test_what_a_model_writes_in_place_is_put_back(kind: str) -> None:
    """By operations that the model itself calls, too: they are not taken for its own."""
    if kind == "states":
        config: Any = transformers.MambaConfig(hidden_size=32, num_hidden_layers=2, vocab_size=100, state_size=4)
        model: Any = transformers.MambaForCausalLM(config).eval()
        name, made = "cache_params", lambda: transformers.DynamicCache(config=config)
    else:
        config = transformers.Gemma3TextConfig(**SMALL, num_key_value_heads=2, head_dim=8, sliding_window=4)
        model = transformers.Gemma3ForCausalLM(config).eval()
        name, made = "cache", lambda: transformers.StaticCache(config=config, max_cache_len=16)

    def read_twice(cache: Any) -> list[Any]:
        with torch.no_grad():
            model(ONE, **{name: cache})
            model(ONE[:, :1], **{name: cache})
        found = [value for value in all_of(cache).values() if isinstance(value, tuple)]
        return [(dtype, shape, values) for dtype, shape, *_, values in found]

    alone = read_twice(made())
    with cyclescope.watch(model, budget=BUDGET):
        watched = read_twice(made())
    assert alone
    assert watched == alone


def test_a_watched_generation_with_a_static_cache_is_measured(llama: Any) -> None:
    def write() -> None:
        llama.generate(ONE, max_new_tokens=4, min_new_tokens=4, cache_implementation="static")

    write()
    before = set(vars(llama))
    with torch.no_grad(), cyclescope.watch(llama, budget=BUDGET) as seen:
        write()
    assert len(seen.calls_ns) == 4
    assert len(seen.cycle.samples.instrumented.boundaries_ns)
    assert set(vars(llama)) == before


def test_a_watched_generation_up_to_the_last_position_is_measured() -> None:
    """Where repeats added to the cache, there would be no position left for the second."""
    config = transformers.GPT2Config(
        n_embd=32, n_layer=1, n_head=2, n_positions=14, vocab_size=500, bos_token_id=1, eos_token_id=2
    )
    model = transformers.GPT2LMHeadModel(config).eval()
    with torch.no_grad(), cyclescope.watch(model, budget=BUDGET) as seen:
        model.generate(ONE, max_new_tokens=2, min_new_tokens=2, pad_token_id=0)
    assert len(seen.cycle.samples.uninstrumented.wall_ns) > 1


class Lazy(nn.Module):
    """Makes a table in its first call, keeps one as an attribute and one in a cache that no module holds."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(8, 8)
        self.table: torch.Tensor | None = None

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.table is None:
            self.table = torch.arange(8.0)
        result: torch.Tensor = self.layer(x) * self.table * elsewhere(8)
        return result


@functools.cache
def elsewhere(size: int) -> torch.Tensor:
    return torch.arange(float(size))


def test_a_model_that_made_a_table_while_it_was_measured_can_be_trained() -> None:
    elsewhere.cache_clear()
    model = Lazy()
    cyclescope.measure(model, inputs={"x": X}, budget=BUDGET)
    assert model.table is None
    model(X).sum().backward()
    assert model.layer.weight.grad is not None


def test_a_table_is_made_once_and_not_in_every_repeat() -> None:
    model, made = Lazy(), []
    repeats = Repeats(model, {"x": X})
    for _ in range(4):
        repeats.begin()
        model(X)
        repeats.end()
        made.append(model.table)
    assert all(table is made[0] for table in made)
    repeats.restore()
    assert model.table is None


class Remembers(nn.Module):
    """Keeps what it has seen: a list that grows, a counter, an array, an object that the first call makes."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("total", torch.zeros(()))
        self.seen: list[torch.Tensor] = []
        self.calls = 0
        self.counts = np.zeros(1)
        self.cache: Any = None

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.cache is None:
            self.cache = transformers.DynamicCache()
        keys, _ = self.cache.update(x[None, None], x[None, None], 0)
        state = float(self.total), len(self.seen), self.calls, float(self.counts[0]), keys.shape[-2]
        OUT.append(state)
        self.total.add_(1)
        self.seen.append(x)
        self.calls += 1
        self.counts += 1
        return x + 1


OUT: list[tuple[float, int, int, float, int]] = []


def test_state_in_a_model_is_put_back_before_every_repeat() -> None:
    """Beyond the second run, which shows what every run changes, each finds what the first found."""
    model = Remembers()
    OUT.clear()
    repeats = Repeats(model, {"x": X})
    for _ in range(5):
        repeats.begin()
        model(X)
        repeats.end()
    assert OUT[1] != OUT[0]
    assert OUT[2:] == [OUT[0]] * 3
    repeats.restore()
    assert (float(model.total), model.seen, model.calls, model.counts[0], model.cache) == (0, [], 0, 0, None)


def test_a_model_that_counts_its_calls_is_measured_as_its_first_call_was() -> None:
    class Grows(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.calls = 0
            self.layer = nn.Linear(8, 8)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            self.calls += 1
            for _ in range(self.calls):
                x = self.layer(x)
            return x

    model = Grows()
    cycle = cyclescope.measure(model, inputs={"x": X}, budget=BUDGET)
    assert cycle.graph.names.count("linear") == 1
    assert model.calls == 0


def test_batch_norm_in_training_mode_counts_the_batches_of_its_user_alone() -> None:
    model = nn.Sequential(nn.Linear(8, 8), nn.BatchNorm1d(8)).train()
    other = copy.deepcopy(model)
    with torch.no_grad(), cyclescope.watch(model, budget=BUDGET):
        model(X)
    with torch.no_grad():
        other(X)
    assert int(model[1].num_batches_tracked) == 1
    assert torch.equal(model[1].running_mean, other[1].running_mean)
    assert torch.equal(model[1].running_var, other[1].running_var)


def test_an_input_that_the_model_writes_into_is_the_same_for_every_repeat() -> None:
    class Doubles(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            OUT.append((float(x[0, 0]), 0, 0, 0.0, 0))
            return x.mul_(2)

    OUT.clear()
    x = torch.ones(2, 8)
    cyclescope.measure(Doubles(), inputs={"x": x}, budget=BUDGET)
    assert {value for value, *_ in OUT} == {1.0}
    assert torch.equal(x, torch.ones(2, 8))


def test_hooks_flags_and_order_come_back() -> None:
    model = nn.Sequential(nn.Linear(2, 2), nn.Dropout())
    first, second = (lambda *_: None), (lambda *_: None)
    model.register_forward_hook(first)
    handle = model.register_forward_hook(second)
    order = list(model._forward_hooks.values())
    kept = Kept([model])
    handle.remove()
    next(iter(model._forward_hooks))
    model._forward_hooks.clear()
    model.eval()
    model[0].weight.data = torch.zeros(2, 2)
    model.note = "left behind"
    kept.restore()
    assert list(model._forward_hooks.values()) == order
    assert model.training
    assert model[1].training
    assert bool(model[0].weight.any())
    assert not hasattr(model, "note")


def test_generators_that_a_model_holds_go_on_where_they_were() -> None:
    class Draws(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.torch = torch.Generator().manual_seed(1)
            self.python = random.Random(1)
            self.numpy = np.random.default_rng(1)

        def draw(self) -> tuple[float, float, float]:
            return float(torch.rand(1, generator=self.torch)), self.python.random(), self.numpy.random()

    model = Draws()
    kept = Kept([model])
    drawn = model.draw()
    kept.restore()
    assert model.draw() == drawn


def test_seeds_of_the_user_decide_what_comes_after_a_measurement() -> None:
    request = Request("bert-tiny", texts=("Hello",))  # whose weights are random
    drawn = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        alone = float(torch.rand(1))
        torch.manual_seed(seed)
        with keeping(request):
            open_session(request).close()
        drawn.append(float(torch.rand(1)))
        assert drawn[-1] == alone
    assert drawn[0] != drawn[1]
