"""Nothing of the user's changes: global settings and objects around every entry point, however it ends."""

from __future__ import annotations

import random
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from forked_process import ForkedProcess
from snapshots import all_of, differences, everything_global
from test_calibrating_torch import SHORT
from tokenizers import Tokenizer, models, pre_tokenizers
from torch import nn

import cyclescope
from cyclescope.backends.torch.tracing.tracing import Tracer
from cyclescope.calibrating import calibrate as calibrating
from cyclescope.core.errors import EngineError
from cyclescope.measuring.tokenizing import compare_texts
from cyclescope.optimizing.optimization import Optimization
from cyclescope.optimizing.search.search import Search

BUDGET = 0.05
IDS = torch.arange(5, 13).reshape(1, 8)
TEXTS = ["one two two", "one"]
TEMPLATE = "{% for m in messages %}{{ m['content'] }} {% endfor %}"


class Fuse:
    """Goes off at a call of a model, once it is set; beyond it every call is harmless again."""

    def __init__(self) -> None:
        self.left, self.error = 0, BaseException

    def set(self, calls: int, error: type[BaseException]) -> None:
        self.left, self.error = calls, error

    def __call__(self) -> None:
        self.left -= 1
        if self.left == 0:
            raise self.error("went off")


FUSE = Fuse()


class Everything(nn.Module):
    """All that a model may change in a call: statistics, a table, a counter, lists, its inputs; and it draws numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(8)
        self.dropout = nn.Dropout()
        self.layer = nn.Linear(8, 8).eval()
        self.drawn = torch.Generator().manual_seed(3)
        self.table: torch.Tensor | None = None
        self.calls, self.seen = 0, [torch.ones(1)]
        self.noted: dict[str, Any] = {}

    def forward(self, x: torch.Tensor, cache: Any) -> torch.Tensor:
        FUSE()
        if self.table is None:
            self.table = torch.arange(8.0)
            self.register_buffer("more", torch.ones(1))
        self.calls += 1
        self.seen.append(x)
        self.noted["last"] = x
        keys, _ = cache.update(x[None, None], x[None, None], 0)
        x = self.dropout(self.norm(self.layer(x))) * self.table + keys.mean()
        return x + torch.rand(1, generator=self.drawn) + random.random() + np.random.rand()


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    """Without a padding token."""
    words = Tokenizer(models.WordLevel({"one": 3, "two": 4, "<e>": 2}, unk_token="one"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    made = transformers.PreTrainedTokenizerFast(tokenizer_object=words, eos_token="<e>", unk_token="one")
    made.chat_template = TEMPLATE
    return made


@pytest.fixture(scope="module")
def llama() -> Any:
    config = transformers.LlamaConfig(
        hidden_size=16,
        intermediate_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        num_key_value_heads=1,
        vocab_size=20,
        pad_token_id=None,
        bos_token_id=1,
        eos_token_id=2,
    )
    model = transformers.LlamaForCausalLM(config).eval()
    model.register_forward_pre_hook(lambda *_: FUSE())
    return model


@pytest.fixture(autouse=True)
def settings_of_the_user(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Settings that nobody has by default."""
    monkeypatch.setenv("CYCLESCOPE_HOME", str(tmp_path))
    monkeypatch.setattr(calibrating, "probe_plan", lambda *_, **__: SHORT)
    transformers.logging.set_verbosity_info()
    torch.set_num_threads(2)
    torch.manual_seed(7)
    random.seed(7)
    np.random.seed(7)
    yield
    FUSE.left = 0
    transformers.logging.set_verbosity_warning()


class Objects:
    """A user's objects, and how to give them to each entry point."""

    def __init__(self, llama: Any, tokenizer: Any) -> None:
        self.llama, self.tokenizer = llama, tokenizer
        self.model, self.x = Everything().train(), torch.ones(3, 8)
        self.model.register_forward_hook(lambda *_: None)
        self.layers, self.fixed = transformers.DynamicCache(), transformers.StaticCache(llama.config, max_cache_len=12)

    def snapshot(self) -> dict[str, Any]:
        return everything_global() | all_of(self.__dict__)

    @property
    def inputs(self) -> dict[str, Any]:
        return {"x": self.x, "cache": self.layers}


def measure_tensors(mine: Objects) -> None:
    cyclescope.measure(mine.model, inputs=mine.inputs, budget=BUDGET, threads=1)


def measure_texts(mine: Objects) -> None:
    cyclescope.measure(mine.llama, TEXTS, tokenizer=mine.tokenizer, budget=BUDGET, threads=1)


def measure_writing(mine: Objects) -> None:
    options: Any = {"new_tokens": 2, "sampling": "sample", "cache": "static", "seed": 5}
    cyclescope.measure(mine.llama, TEXTS, tokenizer=mine.tokenizer, budget=BUDGET, **options)


def measure_pair(mine: Objects) -> None:
    inputs = {"input_ids": IDS, "cache": mine.fixed}
    cyclescope.measure_pair(mine.llama, mine.llama, inputs=inputs, b={"threads": 1}, budget=BUDGET)


def measure_dialogue(mine: Objects) -> None:
    cyclescope.measure_dialogue(mine.llama, TEXTS, tokenizer=mine.tokenizer, new_tokens=2, budget=BUDGET, threads=1)


def tokens(mine: Objects) -> None:
    compare_texts(mine.llama, TEXTS, tokenizer=mine.tokenizer, budget=BUDGET)


ENTRIES: dict[Callable[[Objects], None], tuple[int, ...]] = {
    measure_tensors: (1, 2, 3, 9),
    measure_texts: (1, 2, 4),
    measure_writing: (1, 3, 7, 11),
    measure_pair: (1, 4, 12),
    measure_dialogue: (1, 5, 12),
}
"""Calls of the model at which each is ended: the first cycle, the trace, stamped runs and plain ones."""


@pytest.fixture
def mine(llama: Any, tokenizer: Any) -> Objects:
    return Objects(llama, tokenizer)


def unchanged(mine: Objects, act: Callable[[], object]) -> list[str]:
    """What `act` has changed."""
    before = mine.snapshot()
    act()
    return differences(before, mine.snapshot())


@pytest.mark.parametrize("entry", [*ENTRIES, tokens], ids=lambda entry: entry.__name__)
def test_a_whole_measurement(mine: Objects, entry: Callable[[Objects], None]) -> None:
    assert unchanged(mine, lambda: entry(mine)) == []


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.__name__)
def test_a_measurement_that_the_model_ends(
    mine: Objects, entry: Callable[[Objects], None], error: type[BaseException]
) -> None:
    """By an exception or by Ctrl-C, in the middle of each kind of run."""
    for call in ENTRIES[entry]:
        FUSE.set(call, error)

        def interrupted() -> None:
            try:
                entry(mine)
            except (EngineError, KeyboardInterrupt):
                return  # a Ctrl-C after enough cycles gives what there is

        assert unchanged(mine, interrupted) == [], call
        assert FUSE.left <= 0, "the fuse did not go off"


@pytest.mark.parametrize("ending", [None, RuntimeError, KeyboardInterrupt])
def test_watched_code_changes_what_it_changes_and_its_measurement_nothing(
    mine: Objects, ending: type[BaseException] | None
) -> None:
    before = mine.snapshot()
    inside: dict[str, Any] = {}

    def run() -> None:
        with cyclescope.watch(mine.model, budget=BUDGET):
            mine.model(**mine.inputs)
            torch.manual_seed(11)
            mine.model(mine.x, mine.layers)
            inside.update(mine.snapshot())
            if ending is not None:
                FUSE.set(3, ending)

    if ending is not None:
        with pytest.raises((EngineError, KeyboardInterrupt)):
            run()
    else:
        run()
    behind = mine.snapshot()
    shim = "['model'].['forward']"
    assert inside.pop(shim)  # the watch itself, which is gone by now
    inside["['model']."].remove("forward")
    assert differences(inside, behind) == []
    assert mine.model.calls == 2
    assert mine.layers.get_seq_length() == 6
    assert differences(before, behind)


@pytest.mark.parametrize("error", [ZeroDivisionError, KeyboardInterrupt])
def test_watched_code_that_ends_early(mine: Objects, error: type[BaseException]) -> None:
    def run() -> None:
        with pytest.raises(error), cyclescope.watch(mine.llama, budget=BUDGET):
            raise error

    assert unchanged(mine, run) == []


def trace(mine: Objects, progress: object) -> None:
    cyclescope.trace("bert-tiny", tokens=4, seed=3)


def measure_by_name(mine: Objects, progress: Any) -> None:
    cyclescope.measure("bert-tiny", "Hello", budget=BUDGET, threads=1, seed=3, progress=progress)


def calibrate(mine: Objects, progress: Any) -> None:
    cyclescope.calibrate(keep=False, progress=progress)


def optimize(mine: Objects, progress: Any) -> Optimization:
    return cyclescope.optimize("bert-tiny", "Hello", budget=10, threads=1, seed=3, progress=progress)


@pytest.mark.parametrize("entry", [trace, measure_by_name, calibrate], ids=lambda entry: entry.__name__)
def test_a_whole_run_on_a_model_by_name(mine: Objects, entry: Callable[[Objects, Any], None]) -> None:
    assert unchanged(mine, lambda: entry(mine, lambda *_: None)) == []


@pytest.mark.parametrize("error", [ZeroDivisionError, KeyboardInterrupt])
@pytest.mark.parametrize(
    ("entry", "phase"),
    [(measure_by_name, "trace"), (measure_by_name, "measure"), (calibrate, "measure"), (optimize, "load")],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_a_run_that_is_ended_from_outside(
    mine: Objects, entry: Callable[[Objects, Any], None], phase: str, error: type[BaseException]
) -> None:
    reached: list[str] = []

    def progress(name: str, *_: object) -> None:
        reached.append(name)
        if name == phase:
            raise error

    def run() -> None:
        try:
            entry(mine, progress)
        except error:
            return

    assert unchanged(mine, run) == []
    assert phase in reached


def test_a_search_that_ends_by_ctrl_c(mine: Objects, monkeypatch: pytest.MonkeyPatch) -> None:
    """Behind the baseline, which a process of its own has run; what was found by then is handed over."""

    def ended(_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Search, "run", ended)
    monkeypatch.setattr(subprocess, "Popen", ForkedProcess)
    found: list[Optimization] = []
    assert unchanged(mine, lambda: found.append(optimize(mine, lambda *_: None))) == []
    assert found[0].partial


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_a_trace_that_is_ended(mine: Objects, error: type[BaseException], monkeypatch: pytest.MonkeyPatch) -> None:
    def ended(*_: object) -> None:
        raise error

    monkeypatch.setattr(Tracer, "end_operation", ended)

    def run() -> None:
        with pytest.raises((EngineError, KeyboardInterrupt)):
            trace(mine, None)

    assert unchanged(mine, run) == []
