"""A request that no engine could carry out is refused with the fact and the way out, before any engine is loaded."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from cyclescope.backends import engine as engine_module
from cyclescope.backends.base import Request
from cyclescope.backends.engines import engine_names
from cyclescope.backends.registry import open_session, open_trace, watching
from cyclescope.backends.request_checks import TASKS, check
from cyclescope.core.errors import MissingExtra, UsageError


def refused(request: Request) -> UsageError:
    with pytest.raises(UsageError) as caught:
        check(request)
    assert caught.value.fact
    assert caught.value.way_out
    return caught.value


def tensor_of(module: str) -> Any:
    """An object that says it comes from `module`."""
    return type("Tensor", (), {"__module__": module})()


@pytest.mark.parametrize(
    "request_",
    [
        Request("bert"),
        Request("bert", texts=("你好",)),
        Request("bert", texts=("a", "b"), batch=2),
        Request("bert", texts=("a", "b"), batch=5),
        Request("bert", texts=("a",), batch=3),
        Request("bert", tokens=1, batch=1, threads=1, seed=0),
        Request("bert", inputs={"input_ids": tensor_of("torch")}),
        Request(object(), inputs={"input_ids": [[1, 2, 3]], "flag": None}),
        *(Request("bert", task=task) for task in TASKS),
        Request("bert", task="answer", questions=("a", "b"), contexts=("c", "d"), batch=3),
        Request("gpt2", task="generate", new_tokens=1),
        Request("gpt2", new_tokens=8, sampling="sample", cache="static"),
    ],
)
def test_a_sound_request_passes(request_: Request) -> None:
    check(request_)


@pytest.mark.parametrize(
    ("name", "value", "least"),
    [("batch", 0, 1), ("batch", -3, 1), ("tokens", 0, 1), ("threads", 0, 1), ("threads", -1, 1), ("seed", -1, 0)],
)
def test_an_impossible_number_is_refused_with_the_least_possible_one(name: str, value: int, least: int) -> None:
    error = refused(Request("bert", **{name: value}))
    assert str(error.fact) == f"--{name} must be at least {least} (got {value})."
    assert f"from {least} up" in str(error.way_out)


@pytest.mark.parametrize(
    "two",
    [
        {"texts": ("a",), "tokens": 5},
        {"texts": ("a",), "inputs": {}},
        {"tokens": 5, "inputs": {"input_ids": tensor_of("torch")}},
        {"texts": ("a",), "tokens": 5, "inputs": {}},
    ],
)
def test_two_kinds_of_input_at_once_are_refused(two: dict[str, Any]) -> None:
    assert str(refused(Request("bert", **two)).fact) == "Only one kind of input can be given."


@pytest.mark.parametrize("blank", ["", " ", "\n\t ", "\u3000"])
def test_a_blank_text_is_refused_by_its_position(blank: str) -> None:
    assert str(refused(Request("bert", texts=("a", blank))).fact) == "Text 2 is empty."


def test_a_batch_smaller_than_the_texts_is_refused() -> None:
    assert (
        str(refused(Request("bert", texts=("a", "b", "c"), batch=2)).fact)
        == "--batch must be at least 3, the number of texts (got 2)."
    )


@pytest.mark.parametrize(
    "request_",
    [
        Request("gpt2", new_tokens=0),
        Request("gpt2", task="translate", new_tokens=0),
        Request("bert", task="classify", new_tokens=3),
        Request("gpt2", new_tokens=3, sampling="beam"),
        Request("gpt2", new_tokens=3, cache="paged"),
    ],
)
def test_a_generation_that_cannot_be_is_refused(request_: Request) -> None:
    error = refused(request_)
    assert error.fact
    assert error.way_out


@pytest.mark.parametrize(
    ("given", "fact"),
    [
        ({"task": "answer", "questions": ("a",)}, "A context is missing: questions 1, contexts 0."),
        ({"task": "answer", "contexts": ("a",)}, "A question is missing: questions 0, contexts 1."),
        ({"task": "answer", "questions": ("a",), "contexts": ("b", "c")}, "A question is missing"),
        ({"task": "answer", "questions": ("a", " "), "contexts": ("b", "c")}, "Question 2 is empty."),
        ({"task": "answer", "questions": ("a",), "contexts": ("",)}, "Context 1 is empty."),
        ({"task": "answer", "texts": ("a",)}, "The task 'answer' takes no --text."),
        ({"task": "embed", "questions": ("a",), "contexts": ("b",)}, "answers no questions"),
        ({"task": "answer", "questions": ("a",), "contexts": ("b",), "tokens": 4}, "Only one kind of input"),
        ({"task": "answer", "questions": ("a", "b"), "contexts": ("c", "d"), "batch": 1}, "the number of questions"),
    ],
)
def test_questions_without_their_contexts_are_refused(given: dict[str, Any], fact: str) -> None:
    assert fact in str(refused(Request("bert", **given)).fact)


def test_an_unknown_task_is_refused_with_the_known_ones() -> None:
    error = refused(Request("bert", task="summarize"))
    assert "'summarize'" in str(error.fact)
    assert all(task in str(error.way_out) for task in TASKS)


@pytest.mark.parametrize(
    ("module", "package", "asked"),
    [
        ("tensorflow.python.framework.ops", "tensorflow", "tf"),
        ("keras.src.backend.common.keras_tensor", "keras", "tf"),
        ("jaxlib.xla_extension", "jaxlib", "jax"),
        ("jax._src.array", "jax", "jax"),
        ("mlx.core", "mlx", "mlx"),
    ],
)
def test_a_tensor_of_another_framework_is_refused_by_its_name_and_package(
    module: str, package: str, asked: str
) -> None:
    inputs = {"attention_mask": tensor_of("torch"), "input_ids": tensor_of(module)}
    error = refused(Request("bert", inputs=inputs))
    assert str(error.fact) == f"'input_ids' is a {package} tensor, and the model is a PyTorch model."
    assert f'return_tensors="{asked}"' in str(error.cause)
    assert 'return_tensors="pt"' in str(error.way_out)


def test_an_array_of_numpy_is_refused_too() -> None:
    assert 'return_tensors="np"' in str(refused(Request("bert", inputs={"input_ids": np.zeros((1, 3))})).cause)


def test_a_package_whose_name_only_begins_like_a_framework_is_no_framework() -> None:
    check(Request("bert", inputs={"input_ids": tensor_of("jaxtyping_like.tensorflow")}))
    check(Request("bert", inputs={"input_ids": tensor_of("tensorflow_free")}))


def test_an_unknown_engine_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UsageError, match="Unknown engine 'tpu'") as caught:
        open_session(Request("bert"), engine="tpu")
    assert all(engine in str(caught.value.way_out) for engine in engine_names())


def test_a_missing_framework_is_told_with_the_command_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_module, "find_spec", lambda name: None)
    for needs_torch in (open_session, open_trace, watching):
        with pytest.raises(MissingExtra, match="torch and transformers are not installed") as caught:
            needs_torch(Request("bert"))
        assert "cyclescope[torch]" in str(caught.value.way_out)


def test_a_bad_request_is_refused_before_a_missing_framework_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_module, "find_spec", lambda name: None)
    for opening in (open_session, open_trace):
        with pytest.raises(UsageError):
            opening(Request("bert", tokens=0))


def test_checking_loads_no_framework() -> None:
    code = (
        "import sys; from cyclescope.backends.request_checks import check; from cyclescope.backends.base import Request\n"
        "check(Request('bert', texts=('a',))); sys.exit(bool({'torch', 'transformers'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_what_an_engine_lacks_is_told_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    said = {}
    for lacking in (("onnx",), ("onnxruntime", "onnx", "onnxscript")):
        monkeypatch.setattr(engine_module, "find_spec", lambda name, lacking=lacking: None if name in lacking else True)
        with pytest.raises(MissingExtra) as caught:
            open_session(Request("bert"), engine="onnxruntime")
        said[len(lacking)] = str(caught.value).splitlines()[0]
    assert said == {1: "onnx is not installed.", 3: "onnxruntime, onnx and onnxscript are not installed."}
