"""`cyclescope` in a program of the user's own: model objects, tensors, watched code; nothing of theirs is changed."""

from __future__ import annotations

import html.parser
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from command_line import TINY
from paper_html import notebook_html
from torch.nn import functional

import cyclescope
from cyclescope.core.errors import EngineError, UsageError
from cyclescope.core.graph.op import OpKind
from cyclescope.core.workload import InputSource, Weights
from cyclescope.models.packaged import require_minilm

BUDGET = 0.1


def quick(model: Any, *arguments: Any, **settings: Any) -> cyclescope.Cycle:
    cycle: cyclescope.Cycle = cyclescope.measure(model, *arguments, budget=BUDGET, **settings)
    return cycle


def built(**changes: Any) -> torch.nn.Module:
    import transformers

    torch.manual_seed(0)
    model: torch.nn.Module = transformers.AutoModel.from_config(transformers.BertConfig(**{**TINY, **changes}))
    return model.eval()


@pytest.fixture
def model() -> torch.nn.Module:
    return built()


@pytest.fixture
def ids() -> torch.Tensor:
    return torch.randint(5, 2000, (2, 7), generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope="module")
def minilm() -> tuple[Any, Any]:
    """The real model and its own tokenizer, loaded as its user loads them."""
    import transformers

    folder = str(require_minilm())
    return transformers.AutoModel.from_pretrained(folder), transformers.AutoTokenizer.from_pretrained(folder)


def embedded(model: Any, tokenizer: Any, sentences: list[str]) -> torch.Tensor:
    """Sentence vectors as the model's card says: the mean over real tokens, of length one."""
    inputs = tokenizer(sentences, padding=True, return_tensors="pt")
    with torch.inference_mode():
        hidden = model(**inputs).last_hidden_state
    mask = inputs["attention_mask"].unsqueeze(-1)
    return functional.normalize((hidden * mask).sum(1) / mask.sum(1), dim=-1)


# A model in hand -----------------------------------------------------------------------------------------------------


def test_tensors_by_name(model: torch.nn.Module, ids: torch.Tensor) -> None:
    mask = torch.ones_like(ids)
    mask[1, 4:] = 0

    cycle = quick(model, inputs={"input_ids": ids, "attention_mask": mask})

    work = cycle.workload
    assert (work.batch, work.tokens_in, work.real_tokens, work.characters) == (2, 7, 11, 0)
    assert work.input_source is InputSource.GIVEN
    assert (work.model.reference, work.model.weights) == ("BertModel", Weights.GIVEN)
    assert work.model.parameters == sum(p.numel() for p in model.parameters())
    assert [stage for stage in cycle.graph.stages if stage == "tokenize"] == []
    assert cycle.samples.set_up.load_ns is None


def test_text_with_its_own_tokenizer(minilm: tuple[Any, Any]) -> None:
    model, tokenizer = minilm

    cycle = quick(model, ["A first text.", "And a second one, longer."], tokenizer=tokenizer)

    real = sum(len(ids) for ids in tokenizer(["A first text.", "And a second one, longer."])["input_ids"])
    assert (cycle.workload.batch, cycle.workload.real_tokens) == (2, real)
    assert cycle.workload.model.tokenizer == type(tokenizer).__name__
    assert not cycle.workload.model.stand_in_tokenizer
    assert cycle.graph.stages[0] == "tokenize"


def test_a_text_that_is_cut_is_told_by_the_report_only(
    minilm: tuple[Any, Any], caplog: pytest.LogCaptureFixture
) -> None:
    """The tokenizer would warn of indexing errors that do not come, since the text is cut."""
    import transformers

    before = transformers.logging.get_verbosity()
    transformers.logging.set_verbosity_warning()
    transformers.logging.add_handler(caplog.handler)
    try:
        cycle = quick(built(vocab_size=30522), "word " * 600, tokenizer=minilm[1], threads=1)
    finally:
        transformers.logging.remove_handler(caplog.handler)
        transformers.logging.set_verbosity(before)

    assert (cycle.workload.tokens_in, cycle.workload.cut_tokens) == (40, 562)
    assert caplog.messages == []


def test_a_module_that_is_no_transformers_model() -> None:
    layers = torch.nn.Sequential(torch.nn.Linear(8, 16), torch.nn.GELU(), torch.nn.Linear(16, 4))

    cycle = quick(layers, inputs={"input": torch.ones(3, 8)})

    assert [op.kind for op in cycle.graph.ops() if op.cost.flops] == [OpKind.MATMUL, OpKind.MATMUL]
    assert cycle.graph.total.flops == 2 * 3 * (8 * 16 + 16 * 4)


def test_nothing_of_the_users_is_changed(model: torch.nn.Module, ids: torch.Tensor) -> None:
    model.encoder.layer[0].train()
    model.pooler.requires_grad_(False)
    inputs = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}

    def state() -> Any:
        return (
            [(name, module.training, dict(module.__dict__)) for name, module in model.named_modules()],
            [(name, id(p), p.requires_grad, p.grad) for name, p in model.named_parameters()],
            torch.get_num_threads(),
            torch.is_grad_enabled(),
            torch.get_default_dtype(),
            list(inputs),
        )

    before, weights = state(), {k: v.clone() for k, v in model.state_dict().items()}

    quick(model, inputs=inputs, threads=torch.get_num_threads() + 1)

    assert state() == before
    assert all(torch.equal(weights[name], value) for name, value in model.state_dict().items())


def test_settings_come_back_after_a_failure(model: torch.nn.Module) -> None:
    threads = torch.get_num_threads()

    inputs = {"input_ids": torch.ones(1, 4, dtype=torch.int64), "position_ids": torch.full((1, 4), 10**6)}
    with pytest.raises(EngineError):
        quick(model, inputs=inputs, threads=threads + 1)

    assert torch.get_num_threads() == threads


def test_training_mode_is_left_and_noted(model: torch.nn.Module, ids: torch.Tensor) -> None:
    model.train()

    training = quick(model, inputs={"input_ids": ids})
    assert all(module.training for module in model.modules())
    model.eval()
    evaluating = quick(model, inputs={"input_ids": ids})

    assert any("training mode" in str(note) for note in training.notes)
    assert not any("training mode" in str(note) for note in evaluating.notes)


def test_hooks_of_the_user_still_run(model: torch.nn.Module, ids: torch.Tensor) -> None:
    seen: list[str] = []
    model.pooler.register_forward_hook(lambda *_: seen.append("pooler"))
    model.register_forward_pre_hook(lambda *_: seen.append("model"))

    cycle = quick(model, inputs={"input_ids": ids})

    at_least = len(cycle.samples.uninstrumented) + len(cycle.samples.instrumented)
    assert seen.count("pooler") >= at_least
    assert seen.count("model") >= at_least
    during = len(seen)
    model(ids)
    assert seen[during:] == ["model", "pooler"]


def test_a_model_without_weights_of_its_own() -> None:
    cycle = quick(torch.nn.Softmax(-1), inputs={"input": torch.ones(2, 3)})

    assert [op.kind for op in cycle.graph.ops()] == [OpKind.SOFTMAX]


def test_it_shows_itself_in_a_notebook(model: torch.nn.Module, ids: torch.Tensor) -> None:
    class Hostile(type(model)):  # type: ignore[misc]
        """Its name is what a report shows."""

    Hostile.__name__ = "<script>alert(1)</script>"
    model.__class__ = Hostile
    shown = notebook_html(quick(model, inputs={"input_ids": ids}))

    tags: set[str] = set()

    class Reader(html.parser.HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            tags.add(tag)
            assert not [name for name, _ in attrs if name.startswith("on")]

    Reader().feed(shown)
    assert "script" not in tags
    assert "table" in tags
    assert "&lt;script&gt;alert(1)" in shown


def test_interrupted_in_a_program_it_gives_what_there_is(model: torch.nn.Module, ids: torch.Tensor) -> None:
    """Ctrl-C arrives while the model runs for the sixtieth time."""
    calls = 0

    def count(*_: object) -> None:
        nonlocal calls
        calls += 1
        if calls == 60:
            raise KeyboardInterrupt

    handle = model.register_forward_pre_hook(count)
    cycle = cyclescope.measure(model, inputs={"input_ids": ids}, budget=600)
    handle.remove()

    assert cycle.partial
    assert len(cycle.samples.uninstrumented) >= 1
    assert cyclescope.explain(cycle).wall.value_ns > 0
    assert calls == 60, "nothing ran on after the interruption"


# Watched code --------------------------------------------------------------------------------------------------------


def test_watching_times_every_call_and_measures_the_last(model: torch.nn.Module, ids: torch.Tensor) -> None:
    with cyclescope.watch(model, budget=BUDGET) as seen:
        results = [model(ids[:, :length]).last_hidden_state for length in (3, 5, 6)]
        with pytest.raises(UsageError, match="no cycle yet"):
            _ = seen.cycle

    assert [r.shape[1] for r in results] == [3, 5, 6]
    assert len(seen.calls_ns) == 3
    assert all(ns > 0 for ns in seen.calls_ns)
    cycle = seen.cycle
    assert (cycle.workload.batch, cycle.workload.tokens_in) == (2, 6)
    assert list(cycle.graph.stages) == ["embed", "encode", "head"]
    assert sum(op.kind is OpKind.ATTENTION for op in cycle.graph.ops()) == 2
    assert any("3 calls" in str(note) for note in cycle.notes)


def test_watching_changes_no_result(model: torch.nn.Module, ids: torch.Tensor) -> None:
    with torch.inference_mode():
        before = model(ids).last_hidden_state
        with cyclescope.watch(model, budget=BUDGET):
            watched = model(input_ids=ids).last_hidden_state
        after = model(ids).last_hidden_state

    assert torch.equal(before, watched)
    assert torch.equal(before, after)
    assert "forward" not in vars(model)


def test_watching_positional_and_named_arguments_alike(model: torch.nn.Module, ids: torch.Tensor) -> None:
    mask = torch.ones_like(ids)
    mask[0, 2:] = 0
    real = []
    for call in (lambda: model(ids, mask), lambda: model(input_ids=ids, attention_mask=mask)):
        with cyclescope.watch(model, budget=BUDGET) as seen:
            call()
        real.append(seen.cycle.workload.real_tokens)

    assert real == [9, 9]


class _Twice(torch.nn.Module):
    """Calls itself once, as a model that unrolls its own depth."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = torch.nn.Linear(8, 8)

    def forward(self, x: torch.Tensor, depth: int = 1) -> torch.Tensor:
        y: torch.Tensor = self.layer(x)
        return self(y, depth - 1) if depth else y


def test_a_call_inside_a_call_is_one_call() -> None:
    model = _Twice()
    with cyclescope.watch(model, budget=BUDGET) as seen:
        model(torch.ones(2, 8))

    assert len(seen.calls_ns) == 1
    assert sum(op.kind is OpKind.MATMUL for op in seen.cycle.graph.ops()) == 2


def test_watching_a_part_of_a_model(model: torch.nn.Module, ids: torch.Tensor) -> None:
    with cyclescope.watch(model.pooler, budget=BUDGET) as seen:
        model(ids)
        model(ids)

    assert len(seen.calls_ns) == 2
    assert seen.cycle.workload.model.class_name == "BertPooler"


def test_watching_two_models_at_once(model: torch.nn.Module, ids: torch.Tensor) -> None:
    other = built(num_hidden_layers=1)
    with cyclescope.watch(model, budget=BUDGET) as outer:
        model(ids)
        with cyclescope.watch(other, budget=BUDGET) as inner:
            other(ids)
            model(ids)

    assert (len(outer.calls_ns), len(inner.calls_ns)) == (2, 1)
    assert outer.cycle.graph.total.flops > inner.cycle.graph.total.flops


def test_watching_nothing(model: torch.nn.Module) -> None:
    with pytest.raises(UsageError, match="must call the model"), cyclescope.watch(model, budget=BUDGET):
        pass
    assert "forward" not in vars(model)


def test_an_error_in_watched_code_stays_the_users_own(model: torch.nn.Module, ids: torch.Tensor) -> None:
    with pytest.raises(ZeroDivisionError), cyclescope.watch(model, budget=BUDGET):
        _ = model(ids).last_hidden_state / (1 // 0)
    with pytest.raises(IndexError), cyclescope.watch(model, budget=BUDGET):
        model(torch.full((1, 4), 10**6))
    assert "forward" not in vars(model)


# Real weights --------------------------------------------------------------------------------------------------------

SENTENCES = ["The cat sleeps on the sofa.", "A kitten is napping on the couch.", "Interest rates rose in March."]


def test_measuring_leaves_the_embedding_as_it_was(minilm: tuple[Any, Any]) -> None:
    model, tokenizer = minilm
    before = embedded(model, tokenizer, SENTENCES)

    quick(model, SENTENCES, tokenizer=tokenizer)

    assert torch.equal(embedded(model, tokenizer, SENTENCES), before)


def test_the_packaged_weights_are_real(minilm: tuple[Any, Any]) -> None:
    cat, kitten, rates = embedded(*minilm, SENTENCES)

    assert cat @ kitten > 0.5 > 0.2 > max(cat @ rates, kitten @ rates)


@pytest.fixture(scope="module")
def captured() -> Iterator[dict[str, torch.Tensor]]:
    """What the model that `measure` loads by name answers, for both kinds of weights."""
    from cyclescope.backends.base import Request
    from cyclescope.backends.torch.loading.loading import load

    answers = {}
    for weights in ("pretrained", "random"):
        loaded = load(Request(model="minilm", weights=weights))
        answers[weights] = embedded(loaded.model, loaded.tokenizer, SENTENCES)
    return answers


def test_measure_by_name_runs_the_real_weights(minilm: tuple[Any, Any], captured: dict[str, torch.Tensor]) -> None:
    own = embedded(*minilm, SENTENCES)

    assert torch.allclose(captured["pretrained"], own, atol=1e-5)
    assert not torch.allclose(captured["random"], own, atol=0.1)


def test_weights_are_told_and_do_not_change_the_structure() -> None:
    pretrained, random = (
        quick("minilm", SENTENCES[0], weights=weights, threads=1) for weights in ("pretrained", "random")
    )

    assert (pretrained.workload.model.weights, random.workload.model.weights) == (Weights.PRETRAINED, Weights.RANDOM)
    assert pretrained.workload.tokens_in == random.workload.tokens_in
    assert pretrained.graph.total == random.graph.total
    assert np.median(pretrained.samples.uninstrumented.wall_ns) > 0
