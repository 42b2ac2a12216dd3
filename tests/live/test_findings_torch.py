"""Causes of slowness in real models: planted, found, and not found where they are not. Shares and structure, no times."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any

import pytest
import torch
import transformers
from quiet import on_a_quiet_try

from cyclescope.core.cycle import Cycle
from cyclescope.explaining.explain import explain
from cyclescope.explaining.findings.catalogue import INFORMATIONAL
from cyclescope.explaining.findings.finding import EvidenceName, Finding, FindingCode
from cyclescope.measuring.measure import measure

F = FindingCode
CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
BUDGET = 1.0
# How an engine's kernels compare with one pass over memory differs by processor; a stopwatch tells on this one.
_CLEARLY_FAST, _CLEARLY_SLOW = 4.0, 12.0


def bert(*, attention: str = "sdpa", **settings: Any) -> torch.nn.Module:
    given = {"vocab_size": 500, "hidden_size": 128, "num_hidden_layers": 3, "num_attention_heads": 4} | settings
    config = transformers.BertConfig(**given, max_position_embeddings=1024)
    torch.manual_seed(0)
    return transformers.BertModel._from_config(config, attn_implementation=attention).eval()


def ids(batch: int, tokens: int) -> dict[str, torch.Tensor]:
    made = torch.randint(5, 500, (batch, tokens), generator=torch.Generator().manual_seed(0))
    return {"input_ids": made, "attention_mask": torch.ones_like(made)}


def found(cycle: Cycle) -> dict[FindingCode, Finding]:
    return {finding.code: finding for finding in explain(cycle).findings}


def need_rest(cycle: Cycle) -> None:
    """Skip where other work on the cores makes shares of a few operations meaningless; findings are silent then, too."""
    wall, busy = explain(cycle).wall, cycle.samples.load.other_busy
    if wall.n < 6 or wall.half_width > 0.05 or (busy or 0.0) > 0.25:
        pytest.skip("this machine is too restless at the moment")


def run(model: torch.nn.Module, inputs: dict[str, torch.Tensor], **settings: Any) -> dict[FindingCode, Finding]:
    return found(measure(model, inputs=inputs, budget=BUDGET, **{"threads": 1, **settings}))


def evidence(finding: Finding) -> dict[EvidenceName, float]:
    return {each.name: each.value for each in finding.evidence}


@pytest.fixture(scope="module")
def large() -> Cycle:
    """A healthy encoder: large products, fused attention, a cheap activation, nothing padded."""
    torch.set_num_threads(1)
    model = bert(hidden_size=512, num_attention_heads=8, intermediate_size=2048, hidden_act="relu")
    return measure(model, inputs=ids(4, 128), budget=3, threads=1)


@on_a_quiet_try
def test_a_healthy_encoder_is_bound_by_its_products_and_idle_cores_at_most(large: Cycle) -> None:
    need_rest(large)
    told = found(large)
    assert set(told) - INFORMATIONAL <= {F.COMPUTE_BOUND, F.IDLE_CORES}
    assert F.COMPUTE_BOUND in told


@pytest.mark.skipif(CORES < 2, reason="there is no other core to be idle")
@on_a_quiet_try
def test_one_thread_leaves_the_other_cores_idle(large: Cycle) -> None:
    told = found(large)[F.IDLE_CORES]
    assert told.gain == pytest.approx(told.share * (1 - 1 / CORES))
    assert evidence(told)[EvidenceName.CORES] == CORES


@on_a_quiet_try
def test_a_tiny_model_is_dispatch(large: Cycle) -> None:
    told = run(bert(hidden_size=32, intermediate_size=64), ids(1, 8))
    assert F.DISPATCH_BOUND in told
    assert told[F.DISPATCH_BOUND].share > 0.7
    assert F.COMPUTE_BOUND not in told


def stopwatch(function: Callable[[], object]) -> float:
    """The least time of many, in nanoseconds."""
    function()
    least = float("inf")
    for _ in range(40):
        started = time.perf_counter_ns()
        function()
        least = min(least, time.perf_counter_ns() - started)
    return least


@pytest.mark.parametrize("name", ["gelu", "gelu_new", "gelu_pytorch_tanh", "silu", "mish", "relu"])
@on_a_quiet_try
def test_an_activation_is_told_where_a_stopwatch_says_the_same(name: str) -> None:
    """Which form of GELU is vectorized differs from build to build, so no name is right or wrong by itself."""
    values = torch.randn(1, 256, 512)
    activation = transformers.activations.ACT2FN[name]
    with torch.inference_mode():
        passes = stopwatch(lambda: activation(values)) / stopwatch(values.clone)
    cycle = measure(bert(hidden_act=name, intermediate_size=512), inputs=ids(1, 256), budget=BUDGET, threads=1)
    need_rest(cycle)
    told = found(cycle).get(F.SCALAR_ACTIVATION)
    if passes > _CLEARLY_SLOW:
        assert told is not None
        assert told.place.stage == "encode"
        assert told.subject.lower().replace("activation", "") in ("newgelu", "gelu", "gelutanh", "mish", "silu")
    elif passes < _CLEARLY_FAST:
        assert told is None


@on_a_quiet_try
def test_attention_spelled_out_is_told_and_fused_attention_is_not() -> None:
    eager, fused = (run(bert(attention=kind, hidden_size=64), ids(1, 512)) for kind in ("eager", "sdpa"))
    assert F.UNFUSED_ATTENTION not in fused
    told = eager[F.UNFUSED_ATTENTION]
    assert told.share > 0.2
    assert evidence(told)[EvidenceName.SCORES] == 3 * 4 * 512 * 512 * 4  # layers, heads, scores in float32
    assert 0 < told.gain <= told.share


@on_a_quiet_try
def test_padding_is_told() -> None:
    half = ids(4, 256)
    half["attention_mask"][1:, 64:] = 0
    told = run(bert(hidden_size=256), half)[F.PADDING]
    assert evidence(told)[EvidenceName.PADDED] == pytest.approx(3 * 192 / 1024)
    assert 0.3 < told.gain <= evidence(told)[EvidenceName.PADDED]
    assert F.PADDING not in run(bert(hidden_size=256), ids(4, 256))


class Shuffling(torch.nn.Module):
    """A product whose input is copied into another layout first."""

    def __init__(self, *, copies: bool) -> None:
        super().__init__()
        self.copies = copies
        self.dense = torch.nn.Linear(64, 64, bias=False)
        self.bias = torch.nn.Parameter(torch.zeros(64))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.copies:
            x = x.transpose(1, 2).contiguous().transpose(1, 2).contiguous()
            return self.dense(x) + self.bias
        return self.dense(x)


@on_a_quiet_try
def test_copies_around_products_are_told() -> None:
    x = {"x": torch.ones(8, 512, 64)}
    told = run(Shuffling(copies=True).eval(), x)[F.PRODUCT_TRAFFIC]
    assert {EvidenceName.COPIES, EvidenceName.BIASES} <= set(evidence(told))
    assert F.PRODUCT_TRAFFIC not in run(Shuffling(copies=False).eval(), x)


class Odd(torch.nn.Module):
    """A layer of one product, and one that sorts as well."""

    def __init__(self, *, sorts: bool) -> None:
        super().__init__()
        self.dense = torch.nn.Linear(128, 128)
        self.sorts = sorts

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.dense(x)
        return torch.sort(x, dim=-1).values if self.sorts else x


@pytest.mark.parametrize("odd", [None, 3])
@on_a_quiet_try
def test_a_layer_that_does_more_than_its_siblings_is_told(odd: int | None) -> None:
    model = torch.nn.Sequential(*(Odd(sorts=number == odd) for number in range(8 if odd else 6))).eval()
    cycle = measure(model, inputs={"input": torch.randn(512, 128)}, budget=BUDGET, threads=1)
    told = found(cycle)
    if odd is None:
        assert F.UNLIKE_LAYER not in told
    else:
        assert told[F.UNLIKE_LAYER].place.layer == odd
        assert cycle.graph.names[told[F.UNLIKE_LAYER].place.op] == "sort"


def gpt2(**settings: Any) -> torch.nn.Module:
    given = {"n_embd": 256, "n_layer": 2, "n_head": 4, "vocab_size": 500, "n_positions": 1024}
    config = transformers.GPT2Config(**(given | settings), bos_token_id=1, eos_token_id=2)
    torch.manual_seed(0)
    return transformers.GPT2LMHeadModel(config).eval()


@on_a_quiet_try
def test_a_cache_that_grows_is_told_and_one_of_full_length_is_not() -> None:
    grown, static = (run(gpt2(), ids(4, 512), new_tokens=24, cache=kind) for kind in ("dynamic", "static"))
    assert F.CACHE_REALLOCATION not in static
    told = evidence(grown[F.CACHE_REALLOCATION])
    # The last of 23 decode steps reads 512 + 22 positions, the new one too, and writes them: keys and values of two layers.
    assert told[EvidenceName.LAST_STEP] == 2 * 2 * 2 * (512 + 23) * 4 * 256 * 4


@on_a_quiet_try
def test_decode_of_one_sequence_waits_for_memory() -> None:
    told = run(gpt2(n_embd=1024, n_layer=2), ids(1, 8), new_tokens=8)[F.MEMORY_BOUND_DECODE]
    weights = 2 * 12 * 1024**2 * 4
    assert evidence(told)[EvidenceName.BYTES_A_STEP] == pytest.approx(weights + 500 * 1024 * 4, rel=0.05)
    assert told.place.stage == "decode"


class SlowTokenizer(transformers.BertTokenizer):
    """Works on every call for as long as a tokenizer in an interpreted language on a long text."""

    def __call__(self, *given: Any, **settings: Any) -> Any:
        until = time.perf_counter_ns() + 20_000_000
        while time.perf_counter_ns() < until:
            pass
        return super().__call__(*given, **settings)


@pytest.fixture(scope="module")
def vocabulary(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("words") / "vocab.txt"
    path.write_text("\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "text"]), encoding="utf-8")
    return str(path)


@on_a_quiet_try
def test_a_tokenizer_that_takes_its_time_is_told(vocabulary: str) -> None:
    slow, fast = (
        found(measure(bert(), "a text", tokenizer=kind(vocabulary), budget=BUDGET, threads=1))
        for kind in (SlowTokenizer, transformers.BertTokenizer)
    )
    assert slow[F.SLOW_TOKENIZER].share > 0.5
    assert slow[F.SLOW_TOKENIZER].subject == "SlowTokenizer"
    assert fast[F.SLOW_TOKENIZER].share < 0.5 if F.SLOW_TOKENIZER in fast else True


@on_a_quiet_try
def test_more_threads_than_cores_are_told() -> None:
    model, x = bert(hidden_size=256), ids(4, 128)
    told = run(model, x, threads=CORES + 2)[F.OVERSUBSCRIPTION]
    assert evidence(told)[EvidenceName.THREADS] == CORES + 2
    assert F.OVERSUBSCRIPTION not in run(model, x, threads=CORES)


class LateStarter(torch.nn.Module):
    """Prepares itself in its first real call."""

    def __init__(self) -> None:
        super().__init__()
        self.dense = torch.nn.Linear(256, 256)
        self.ready = False

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if not self.ready and x.device.type == "cpu":
            time.sleep(0.3)
            self.ready = True
        return self.dense(x)


@on_a_quiet_try
def test_what_only_the_first_call_does_is_told() -> None:
    told = run(LateStarter().eval(), {"x": torch.ones(64, 256)})[F.FIRST_CALL]
    assert evidence(told)[EvidenceName.FIRST] > 0.3e9
    assert (told.share, told.gain) == (0.0, 0.0)
