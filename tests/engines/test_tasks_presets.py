"""The tasks: each builds the workload that its name promises, on whatever head the model has for it."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import transformers
from architectures import config, folder
from command_line import CommandLine

from cyclescope.backends.base import DEFAULT_NEW_TOKENS, Request
from cyclescope.backends.registry import open_session
from cyclescope.core.cycle import Cycle
from cyclescope.core.errors import Unsupported, UsageError
from cyclescope.core.graph.structure import ENCODE, READ_OUT, TOKENIZE
from cyclescope.explaining.explain import explain
from cyclescope.explaining.tasks import division, throughput
from cyclescope.measuring.measure import measure

QUESTION, CONTEXT = "Where does the text go?", "The text goes into the tokenizer, and then into the model."


def quick(model: object, *, text: Any = None, **settings: Any) -> Cycle:
    return measure(model, text, budget=0.2, threads=1, **settings)


@pytest.fixture(scope="module")
def t5(tmp_path_factory: pytest.TempPathFactory) -> str:
    return folder(tmp_path_factory.getbasetemp(), "T5Config")


@pytest.fixture(scope="module")
def gpt2(tmp_path_factory: pytest.TempPathFactory) -> str:
    return folder(tmp_path_factory.getbasetemp(), "GPT2Config")


def stages(cycle: Cycle) -> set[str]:
    return set(cycle.graph.stages)


# Classify --------------------------------------------------------------------------------------------------------------


def test_classify_tells_texts_a_second_and_what_padding_costs() -> None:
    cycle = quick("bert-tiny", text=["One.", "A text that is longer than the other one by far."], task="classify")
    told = throughput(explain(cycle))
    assert told is not None
    assert told.texts == 2
    assert 0 < told.padding_share < 0.5
    assert told.padding_ns is not None
    assert 0 < told.padding_ns < explain(cycle).wall.value_ns
    assert len(cycle.workload.outcome.split(", ")) == 2


# Translate -------------------------------------------------------------------------------------------------------------


def test_translate_runs_the_encoder_once_and_writes_as_many_tokens_as_said(t5: str) -> None:
    cycle = quick(t5, text="Where does the time go?", task="translate", new_tokens=3)
    assert cycle.workload.task == "translate"
    assert cycle.workload.tokens_out == 3
    assert {TOKENIZE, ENCODE, READ_OUT} <= stages(cycle)
    told = division(explain(cycle))
    assert told is not None
    assert told.tokens == 3
    assert told.encoder_share > 0
    assert told.decoder_share > 0


@pytest.mark.parametrize("task", ["translate", "generate"])
def test_a_task_that_writes_has_a_number_of_tokens_of_its_own(task: str, t5: str) -> None:
    session = open_session(Request(t5, texts=("time",), task=task))
    assert session.workload.tokens_out == DEFAULT_NEW_TOKENS == 32


@pytest.mark.parametrize(("text", "language"), [("Where?", "Chinese"), ("时间去哪儿了？", "English")])
def test_a_decoder_is_asked_to_translate(text: str, language: str, gpt2: str) -> None:
    session = open_session(Request(gpt2, texts=(text,), task="translate", new_tokens=2, keep_text=True))
    assert session.workload.texts == (f"Translate into {language}: {text}\n",)
    assert any("Translate into" in str(note) for note in session.notes)


@pytest.mark.parametrize("task", ["translate", "generate"])
def test_an_encoder_cannot_write(task: str) -> None:
    with pytest.raises(Unsupported, match="cannot generate text") as caught:
        quick("bert-tiny", text="a", task=task)
    assert caught.value.way_out


def test_an_encoder_in_hand_cannot_translate() -> None:
    model = transformers.AutoModelForMaskedLM.from_config(config("BertConfig")).eval()
    with pytest.raises(Unsupported, match="cannot generate text"):
        measure(model, tokens=4, task="translate", budget=0.1)


def test_texts_of_unequal_length_are_padded_on_the_left_for_a_decoder(gpt2: str) -> None:
    session = open_session(Request(gpt2, texts=("a", "a b c d e f g"), task="generate", new_tokens=1))
    mask = session._steps.inputs()["attention_mask"]  # type: ignore[attr-defined]
    assert mask[0].tolist() == sorted(mask[0].tolist())
    assert int(mask[0].sum()) < int(mask[1].sum()) == mask.shape[1]


# Answer ----------------------------------------------------------------------------------------------------------------


def test_an_encoder_marks_the_answer_in_the_context() -> None:
    cycle = quick("bert-tiny", question=QUESTION, context=CONTEXT, task="answer")
    assert cycle.workload.model.class_name == "BertForQuestionAnswering"
    assert cycle.workload.tokens_out == 0
    assert cycle.workload.characters == len(QUESTION) + len(CONTEXT)
    assert cycle.graph.stages[-1] == READ_OUT
    assert cycle.workload.outcome.startswith("start_logits"), "what it read may not be told"
    assert throughput(explain(cycle)) is not None


def test_question_and_context_are_two_segments_of_one_input() -> None:
    session = open_session(Request("bert-tiny", questions=(QUESTION,), contexts=(CONTEXT,), task="answer"))
    inputs = session._steps.inputs()  # type: ignore[attr-defined]
    segments = inputs["token_type_ids"][0].tolist()
    assert segments == sorted(segments)
    assert set(segments) == {0, 1}


@pytest.mark.parametrize("last", [6, 2])
def test_the_answer_is_what_stands_from_the_likeliest_start_to_the_likeliest_end_after_it(last: int) -> None:
    request = Request("bert-tiny", questions=(QUESTION,), contexts=(CONTEXT,), task="answer", keep_text=True)
    session = open_session(request)
    steps = session._steps  # type: ignore[attr-defined]
    ids = steps.inputs()["input_ids"]
    starts, ends = torch.zeros(ids.shape), torch.zeros(ids.shape)
    starts[0, 4] = 1.0
    ends[0, last] = 1.0
    ends[0, 8] = 0.5
    result = transformers.modeling_outputs.QuestionAnsweringModelOutput(start_logits=starts, end_logits=ends)
    tokenizer = steps.read_out._tokenizer
    expected = ids[0, 4 : (last if last > 4 else 8) + 1]
    assert steps.read_out(result) == tokenizer.decode(expected, skip_special_tokens=True)


def test_pairs_make_a_batch_and_the_answers_are_kept_with_the_texts() -> None:
    cycle = quick(
        "bert-tiny",
        question=[QUESTION, "Why?"],
        context=[CONTEXT, "Because it is so, and has always been so."],
        task="answer",
        batch=3,
        keep_text=True,
    )
    assert cycle.workload.batch == 3
    assert cycle.workload.outcome.count(" | ") == 2
    assert cycle.workload.texts[:3] == (QUESTION, "Why?", QUESTION)


@pytest.mark.parametrize(
    ("model", "prompt"), [("t5", "question: {q} context: {c}"), ("gpt2", "question: {q} context: {c} answer:")]
)
def test_a_model_that_writes_writes_the_answer(model: str, prompt: str, request: pytest.FixtureRequest) -> None:
    settings = {"task": "answer", "new_tokens": 2, "keep_text": True}
    asked = Request(request.getfixturevalue(model), questions=(QUESTION,), contexts=(CONTEXT,), **settings)
    session = open_session(asked)
    assert session.workload.texts == (prompt.format(q=QUESTION, c=CONTEXT),)
    assert session.workload.tokens_out == 2
    assert any("question:" in str(note) for note in session.notes)


def test_a_model_configured_to_mark_answers_does_so_even_where_it_could_write() -> None:
    made = config("GPT2Config")
    model = transformers.AutoModelForQuestionAnswering.from_config(made).eval()
    cycle = measure(model, inputs={"input_ids": torch.arange(5, 12)[None]}, task="answer", budget=0.1)
    assert cycle.workload.tokens_out == 0
    assert "start_logits" in cycle.workload.outcome


def test_a_context_that_is_too_long_is_cut_and_the_question_kept() -> None:
    session = open_session(Request("bert-tiny", questions=(QUESTION,), contexts=(CONTEXT * 60,), task="answer"))
    longest = session.workload.model.max_positions
    assert longest is not None
    assert session.workload.tokens_in == longest
    assert session.workload.cut_tokens > 0
    segments = session._steps.inputs()["token_type_ids"][0].tolist()  # type: ignore[attr-defined]
    short = open_session(Request("bert-tiny", questions=(QUESTION,), contexts=("a",), task="answer"))
    first = short._steps.inputs()["token_type_ids"][0].tolist()  # type: ignore[attr-defined]
    assert segments.count(0) == first.count(0)


def test_without_a_pair_one_of_ours_is_asked() -> None:
    assert open_session(Request("bert-tiny", task="answer")).workload.characters > 50


def test_a_model_in_hand_that_can_neither_mark_nor_write_is_refused() -> None:
    model = transformers.AutoModel.from_config(config("GPT2Config")).eval()
    with pytest.raises(Unsupported, match="cannot answer questions"):
        measure(model, tokens=4, task="answer", budget=0.1)


def test_a_named_model_without_a_head_for_answers_is_refused(tmp_path: Any) -> None:
    transformers.CLIPTextConfig(hidden_size=16, intermediate_size=16, num_hidden_layers=1).save_pretrained(tmp_path)
    with pytest.raises(Unsupported, match="no head for the task 'answer'"):
        measure(str(tmp_path), tokens=4, task="answer", budget=0.1)


@pytest.mark.parametrize(
    "arguments",
    [
        ("--task", "answer", "--question", "a"),
        ("--task", "answer", "--context", "a"),
        ("--task", "answer", "--text", "a"),
        ("--question", "a", "--context", "b"),
        ("--task", "answer", "--question", " ", "--context", "b"),
    ],
)
def test_the_command_refuses_what_is_no_question_with_its_context(
    arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    CommandLine(capsys).refuses(UsageError.exit_code, "measure", "bert-tiny", *arguments)


def test_the_command_answers(capsys: pytest.CaptureFixture[str]) -> None:
    done = CommandLine(capsys).succeeds(
        "measure",
        "bert-tiny",
        "--task",
        "answer",
        "--question",
        QUESTION,
        "--context",
        CONTEXT,
        "--budget",
        "0.1",
        "--threads",
        "1",
        "--json",
    )
    assert done.document["workload"]["task"] == "answer"
    assert done.document["throughput"]["texts"] == 1
    assert QUESTION not in done.out
