"""The strategies that learn, guess, trim and leave early, each on a real model: what it promises, and what it may not do."""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")

import torch
import transformers
from architectures import config
from sample_sentences import SENTENCES

from cyclescope.backends.base import Request
from cyclescope.backends.registry import open_session
from cyclescope.backends.torch.changes import distil
from cyclescope.backends.torch.changes.lessons import lessons, padded
from cyclescope.backends.torch.exits import exits_of
from cyclescope.backends.torch.standalone.drafting import first_layers
from cyclescope.backends.torch.standalone.editing import edit
from cyclescope.core.edits import files_of
from cyclescope.core.errors import Unsupported
from cyclescope.core.plan import ModelChange, Plan
from cyclescope.core.results import Results, held_out, only
from cyclescope.models.packaged import minilm_folder
from cyclescope.optimizing.search.drift import drift

ALONE = Plan(threads=1, attention="")
needs_minilm = pytest.mark.skipif(minilm_folder() is None, reason="the weights of MiniLM are not installed")


def changed(*changes: ModelChange) -> Plan:
    return replace(ALONE, changes=changes)


def opened(model: object, plan: Plan = ALONE, **asked: Any) -> Any:
    given = {"tokens": 12} if not asked.keys() & {"texts", "inputs"} else {}
    return open_session(Request(model=model, plan=plan, dtype=plan.dtype, **given, **asked))


def outputs(model: object, plan: Plan = ALONE, **asked: Any) -> Results:
    session = opened(model, plan, **asked)
    try:
        found: Results = session.results()
        return found
    finally:
        session.close()


def folder_of(name: str, parent: Path, **fields: Any) -> str:
    """A folder with a small configuration and nothing else: its weights are random, and the same every time."""
    folder = parent / name
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(config(name).to_dict() | fields))
    return str(folder)


def writer_of(name: str, **fields: Any) -> Any:
    """A small model that writes, with the weights that a folder with this configuration gets."""
    settings = config(name)
    settings.update(fields)
    torch.manual_seed(0)
    return transformers.AutoModelForCausalLM.from_config(settings).eval()


# Distillation ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def forty_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """A minute in which a student takes as many steps on every machine, of fewer rows each and on one thread. It looks at
    what was held out after 20 steps and after 40: what it learns behind that is lost.
    """
    clock = itertools.count(step=distil.MOST_SECONDS / 42)
    monkeypatch.setattr(distil, "monotonic", lambda: next(clock))
    monkeypatch.setattr(distil, "_ROWS", 5)
    monkeypatch.setattr(distil, "usable_cores", lambda: 1)


@needs_minilm
@pytest.mark.usefixtures("forty_steps")
def test_a_student_drifts_far_less_than_the_same_layers_without_learning(tmp_path: Path) -> None:
    texts = SENTENCES
    whole = outputs("minilm", texts=texts)
    dropped = outputs("minilm", changed(ModelChange("drop-layers", 3)), texts=texts)
    session = opened("minilm", changed(ModelChange("distil", 3)), texts=texts, files=str(tmp_path))
    student = session.results()
    assert drift(whole, student).amount < 0.5 * drift(whole, dropped).amount
    unseen = held_out(len(texts))  # on these nothing was learned
    ours, theirs = drift(only(whole, unseen), only(student, unseen)), drift(only(whole, unseen), only(dropped, unseen))
    assert ours.amount < 0.8 * theirs.amount

    (name,) = files_of(session.edits)
    assert name == "student-3-layers.safetensors"
    assert [path.name for path in tmp_path.iterdir()] == [name]
    before = (tmp_path / name).stat()
    again = opened("minilm", changed(ModelChange("distil", 3)), texts=texts[:2], files=str(tmp_path))
    assert again.edits == session.edits  # what was learned is taken as it is, from however few texts
    assert (tmp_path / name).stat() == before
    edited = outputs("minilm", changed(ModelChange("distil", 3)), texts=texts, files=str(tmp_path), edits=session.edits)
    assert drift(student, edited).largest == 0.0


@needs_minilm
@pytest.mark.usefixtures("forty_steps")
def test_a_student_learns_with_what_was_taken_out_before(tmp_path: Path) -> None:
    """The file is another one for another model, and the teacher is the whole model all the same."""
    texts = SENTENCES[:12]
    whole = outputs("minilm", texts=texts)
    heads = ModelChange("prune-heads", 0.5)
    plain = outputs("minilm", changed(heads, ModelChange("drop-layers", 3)), texts=texts)
    session = opened("minilm", changed(heads, ModelChange("distil", 3)), texts=texts, files=str(tmp_path))
    assert drift(whole, session.results()).amount < 0.5 * drift(whole, plain).amount
    assert files_of(session.edits) != ("student-3-layers.safetensors",)


@needs_minilm
@pytest.mark.parametrize(
    ("texts", "files", "amount", "reason"),
    [(7, True, 3, "too few texts"), (8, False, 3, "no folder"), (8, True, 6, "cannot keep 6")],
)
def test_a_student_that_cannot_learn_is_refused(
    texts: int, files: bool, amount: int, reason: str, tmp_path: Path
) -> None:
    with pytest.raises(Unsupported) as refused:
        opened(
            "minilm",
            changed(ModelChange("distil", amount)),
            texts=SENTENCES[:texts],
            files=str(tmp_path) if files else None,
        )
    assert reason in str(refused.value)
    assert not list(tmp_path.iterdir())


def test_what_is_held_out_is_never_learned_from() -> None:
    ids = torch.arange(3, 3 + 9 * 8).reshape(9, 8)
    ids[8] = ids[3]  # the same text once more, as one to learn from
    mask = torch.ones_like(ids)
    mask[0, 5:] = 0
    material = lessons([{"input_ids": ids, "attention_mask": mask}], range(9), 100)
    out = {tuple(ids[k].tolist()) for k in (3, 7)}
    assert {tuple(row["input_ids"].tolist()) for row in material.held_out} == out
    learned = {tuple(row["input_ids"].tolist()) for row in material.learned}
    assert len(learned) == 6
    assert not learned & out
    assert tuple(ids[0, :5].tolist()) in learned  # without its padding
    assert not {t for row in out for t in row} & set(material.own)
    batch = material.batch(Random(1), 64)
    for row, here in zip(batch["input_ids"], batch["attention_mask"].bool(), strict=True):
        real = row[here].tolist()
        assert any(
            real[0] == ids[k, 0] and real[-1] in (ids[k, -1], ids[k, 4]) for k in range(9)
        )  # cuts keep both ends


def test_rows_are_filled_up_where_the_mask_says_so() -> None:
    rows = [{"input_ids": torch.tensor(ids), "attention_mask": torch.ones(len(ids))} for ids in ([5, 6, 7], [8])]
    made = padded(rows)
    assert made["input_ids"].tolist() == [[5, 6, 7], [8, 0, 0]]
    assert made["attention_mask"].tolist() == [[1, 1, 1], [1, 0, 0]]


@pytest.mark.parametrize("name", ["../student.safetensors", "/student.safetensors", "a/b.safetensors"])
def test_a_file_of_weights_lies_in_its_folder_or_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no folder"):
        edit(torch.nn.Linear(2, 2), [("load-weights", name, ())], str(tmp_path))


# Drafts ----------------------------------------------------------------------------------------------------------------

NEW = 8


@pytest.mark.parametrize("name", ["LlamaConfig", "GPT2Config", "Qwen3Config"])
def test_what_is_written_with_a_draft_is_what_is_written_without(name: str, tmp_path: Path) -> None:
    model = folder_of(name, tmp_path)
    (tmp_path / "other").mkdir()
    other = folder_of(name, tmp_path / "other", initializer_range=0.3)
    plain = outputs(model, new_tokens=NEW)
    for draft in ("layers:1", "layers:2", model, other):
        written = outputs(model, replace(ALONE, drafting=draft), new_tokens=NEW)
        assert written.tokens is not None
        assert written.tokens.shape == (1, NEW)
        assert drift(plain, written).tokens == 1.0, draft


def test_a_draft_that_is_the_model_itself_is_always_believed(tmp_path: Path) -> None:
    """The draft is unsure of every token (random weights), so it guesses one at a time: two tokens come of every pass."""
    folder = folder_of("LlamaConfig", tmp_path)
    assert _passes(writer_of("LlamaConfig"), folder) == NEW // 2
    assert _passes(writer_of("LlamaConfig", initializer_range=0.3), folder) > NEW // 2


def _passes(model: Any, draft: str) -> int:
    """Calls of `model` for one generation with the draft."""
    session = opened(model, replace(ALONE, drafting=draft), new_tokens=NEW)
    calls: list[int] = []
    handle = model.register_forward_hook(lambda *_: calls.append(1))
    session.results()
    handle.remove()
    session.close()
    return len(calls)


@pytest.mark.parametrize("name", ["LlamaConfig", "GPT2Config"])
def test_a_draft_of_the_first_layers_shares_the_weights_and_leaves_the_model_alone(name: str) -> None:
    model = writer_of(name)
    ids = torch.arange(5, 15)[None]
    with torch.inference_mode():
        before = model(ids, output_hidden_states=True)
        draft = first_layers(model, 2)
        given = draft(ids, output_hidden_states=True)
        after = model(ids)
    assert {id(p) for p in draft.parameters()} < {id(p) for p in model.parameters()}
    assert draft.config.num_hidden_layers == 2
    assert model.config.num_hidden_layers == 3
    assert torch.equal(before.logits, after.logits)
    assert torch.allclose(given.hidden_states[1], before.hidden_states[1])
    assert len(given.hidden_states) == 3


@pytest.mark.parametrize(
    ("drafting", "asked", "reason"),
    [
        ("layers:3", {"new_tokens": 4}, "draft must have fewer"),
        ("layers:0", {"new_tokens": 4}, "draft must have fewer"),
        ("layers:1", {"new_tokens": 4, "batch": 2}, "needs batch size 1"),
        ("layers:1", {}, "needs batch size 1"),
    ],
)
def test_a_draft_that_cannot_be_is_refused(drafting: str, asked: dict[str, Any], reason: str, tmp_path: Path) -> None:
    with pytest.raises(Unsupported) as refused:
        opened(folder_of("LlamaConfig", tmp_path), replace(ALONE, drafting=drafting), **asked)
    assert reason in str(refused.value)


def test_a_draft_with_other_tokens_is_refused(tmp_path: Path) -> None:
    model, draft = folder_of("LlamaConfig", tmp_path), folder_of("GPT2Config", tmp_path, vocab_size=600)
    with pytest.raises(Unsupported) as refused:
        opened(model, replace(ALONE, drafting=draft), new_tokens=4)
    assert "vocabulary differs" in str(refused.value)


# Vocabulary ------------------------------------------------------------------------------------------------------------

VOCABULARY = 6000


@pytest.mark.parametrize("tied", [True, False], ids=["tied", "untied"])
def test_a_trimmed_head_writes_the_same_ids_where_it_has_seen_enough(tied: bool, tmp_path: Path) -> None:
    model = folder_of("LlamaConfig", tmp_path, vocab_size=VOCABULARY, tie_word_embeddings=tied)
    texts = SENTENCES[:8]
    plan = replace(ALONE, batch=1)
    whole = outputs(model, plan, texts=texts, new_tokens=4)
    session = opened(model, replace(plan, changes=(ModelChange("trim-vocabulary"),)), texts=texts, new_tokens=4)
    trimmed = session.results()
    (made,) = session.edits
    assert (made.what, made.path) == ("keep-tokens", "lm_head")
    kept = set(made.numbers)
    assert 100 < len(kept) < 0.8 * VOCABULARY
    assert trimmed.tokens is not None
    assert whole.tokens is not None
    assert set(np.unique(trimmed.tokens)) <= kept
    seen = [k for k in range(len(texts)) if k not in held_out(len(texts))]
    assert drift(only(whole, seen), only(trimmed, seen)).tokens == 1.0
    # Random weights write anything: on texts that were not looked at, what is missing shows.
    unseen = held_out(len(texts))
    missing = set(np.unique(only(whole, unseen).tokens)) - kept
    assert tied or missing  # a tied head of random weights says again what it has read
    same = drift(only(whole, unseen), only(trimmed, unseen)).tokens
    assert same is not None
    assert (same < 1.0) is bool(missing)


@pytest.mark.parametrize("tied", [True, False], ids=["tied", "untied"])
def test_a_trimmed_head_gives_the_same_numbers_for_its_tokens_and_none_for_others(tied: bool) -> None:
    model = writer_of("LlamaConfig", tie_word_embeddings=tied)
    ids = torch.arange(5, 15)[None]
    kept = list(range(0, 500, 7))
    others = sorted(set(range(500)) - set(kept))
    embedding = model.get_input_embeddings().weight
    with torch.inference_mode():
        before = model(ids).logits
        after = edit(model, [("keep-tokens", "lm_head", kept)])(ids).logits
    assert torch.allclose(before[..., kept], after[..., kept], atol=1e-6)
    assert bool((after[..., others] == -torch.inf).all())
    assert model.get_input_embeddings().weight is embedding
    assert tuple(embedding.shape) == (500, 64)
    assert sum(p.numel() for name, p in model.named_parameters() if name.startswith("lm_head")) == len(kept) * 64


@pytest.mark.parametrize(
    ("vocabulary", "texts", "reason"), [(VOCABULARY, 3, "too few texts"), (420, 8, "too few can be removed")]
)
def test_a_vocabulary_that_cannot_be_trimmed_is_refused(
    vocabulary: int, texts: int, reason: str, tmp_path: Path
) -> None:
    model = folder_of("LlamaConfig", tmp_path, vocab_size=vocabulary)
    plan = replace(ALONE, batch=1, changes=(ModelChange("trim-vocabulary"),))
    with pytest.raises(Unsupported) as refused:
        opened(model, plan, texts=SENTENCES[:texts], new_tokens=2)
    assert reason in str(refused.value)


# Exits -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("declared", "exits"), [(None, ()), (2, (2,)), (3, ()), (0, ()), (True, ())])
def test_exits_are_what_the_model_declares(declared: object, exits: Sequence[int]) -> None:
    model = writer_of("LlamaConfig")
    model.generation_config.assistant_early_exit = declared
    assert exits_of(model) == tuple(exits)


def test_a_model_left_behind_its_exit_gives_what_its_head_reads_there(tmp_path: Path) -> None:
    model = writer_of("LlamaConfig")
    model.generation_config.assistant_early_exit = 2
    model.save_pretrained(tmp_path)
    ids = torch.arange(5, 15)[None]
    with torch.inference_mode():
        states = model(ids, output_hidden_states=True).hidden_states
        expected = model.lm_head(model.model.norm(states[2])).argmax(dim=-1)[0, -1]
    asked: dict[str, Any] = {"inputs": {"input_ids": ids, "attention_mask": torch.ones_like(ids)}, "new_tokens": 1}
    session = opened(str(tmp_path), changed(ModelChange("early-exit", 2)), **asked)
    assert session.workload.model.exits == (2,)
    assert session.results().tokens.tolist() == [[int(expected)]]
    with pytest.raises(Unsupported) as refused:
        opened(str(tmp_path), changed(ModelChange("early-exit", 3)), **asked)
    assert "exit must be between" in str(refused.value)


def test_a_model_that_declares_an_exit_writes_token_by_token_all_the_same(tmp_path: Path) -> None:
    """Its own settings would have it guess, and then no token has a moment of its own."""
    model = writer_of("LlamaConfig")
    model.save_pretrained(tmp_path / "plain")
    model.generation_config.assistant_early_exit = 2
    model.save_pretrained(tmp_path / "exits")
    session = opened(str(tmp_path / "exits"), new_tokens=NEW)
    (run,) = session.uninstrumented(1)
    assert len(run.emitted_ns) == NEW
    plain = outputs(str(tmp_path / "plain"), new_tokens=NEW)
    assert drift(plain, session.results()).tokens == 1.0
    guessing = outputs(str(tmp_path / "exits"), replace(ALONE, drafting="layers:2"), new_tokens=NEW)
    assert drift(plain, guessing).tokens == 1.0


# Activations -----------------------------------------------------------------------------------------------------------


def test_exact_gelu_stands_where_its_tanh_form_stood(tmp_path: Path) -> None:
    model = folder_of("GPT2Config", tmp_path)
    session = opened(model, changed(ModelChange("exact-gelu")))
    assert len(session.edits) == 3
    found = drift(outputs(model), session.results())
    assert found.largest is not None
    assert 0 < found.largest < 0.01  # the two forms differ by less than 1e-3 at every place
    names = [name for name in session.trace().names if "gelu" in name.lower() or "tanh" in name.lower()]
    assert len(names) == 3
    with pytest.raises(Unsupported):
        opened(folder_of("BertConfig", tmp_path), changed(ModelChange("exact-gelu")))
