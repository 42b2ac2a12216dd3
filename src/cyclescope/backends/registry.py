"""Opens a session on the engine that is asked for, and checks what can be checked without one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from importlib.util import find_spec
from typing import Any

from cyclescope.backends.base import DialogueSession, OpenTokenizers, Request, Session, WatchedCalls
from cyclescope.backends.foreign import refuse_foreign
from cyclescope.backends.probing import Probes
from cyclescope.core.dialogue import TEMPLATES
from cyclescope.core.errors import MissingExtra, UsageError
from cyclescope.core.graph.graph import Graph
from cyclescope.core.plan import Plan
from cyclescope.machines.host import package_versions

TASKS = ("auto", "embed", "classify", "fill", "answer", "translate", "generate")
_MAY_WRITE = ("auto", "answer", "translate", "generate")
SAMPLING = ("greedy", "sample")
CACHES = ("dynamic", "static", "off")
ENGINES = ("torch", "onnxruntime", "openvino", "ctranslate2")
STEPPED = ("onnxruntime", "openvino")  # engines that are called step by step where they write, and so can check guesses
# How to install what an engine needs, by engine; the packages are called as the engines are.
INSTALL = {name: f"pip install 'cyclescope[{name}]'" for name in ENGINES}
# What an engine needs besides its own package to read a transformers model.
_NEEDS = {
    "onnxruntime": ("onnxruntime", "onnx", "onnxscript"),
    "openvino": ("openvino", "onnx", "onnxscript"),
    "ctranslate2": ("ctranslate2",),
}


def open_session(request: Request, engine: str | None = None) -> Session:
    """A session for `request` on `engine`, or on that of its plan. Raises `UsageError`, `ModelError`, `MissingExtra`,
    `Unsupported` or `EngineError`.
    """
    engine = engine or (request.plan.engine if request.plan is not None else request.engine)
    if engine not in ENGINES:
        raise UsageError(f"Unknown engine {engine!r}.", "", f"Known are {', '.join(ENGINES)}.")
    check(request)
    _require_torch()
    if engine != "torch":
        return _open_exported(request, engine)
    from cyclescope.backends.torch.opening import open_torch

    return open_torch(request)


def _open_exported(request: Request, engine: str) -> Session:
    """A session on an engine that runs the model from a file."""
    missing = missing_packages(engine)
    if missing:
        raise MissingExtra(
            _not_installed(missing),
            f"The model is exported for {engine}, which then runs it.",
            INSTALL[engine],
        )
    asked = Plan(
        threads=request.threads or 0, dtype=request.dtype or "float32", seed=request.seed, device=request.device
    )
    asked = replace(asked, decoding=request.sampling, cache=request.cache)
    plan = replace(request.plan or asked, engine=engine)
    if engine == "ctranslate2":
        from cyclescope.backends.ctranslate2.opening import open_ctranslate2

        return open_ctranslate2(request, plan)
    from cyclescope.backends.exported.opening import open_exported

    return open_exported(request, plan)


def missing_packages(engine: str) -> tuple[str, ...]:
    """What `engine` needs and is not installed."""
    return tuple(name for name in _NEEDS[engine] if find_spec(name) is None)


def _not_installed(missing: Sequence[str]) -> str:
    """`onnxruntime, onnx and onnxscript are not installed.`"""
    *others, last = missing
    return f"{', '.join(others)} and {last} are not installed." if others else f"{last} is not installed."


def engine_packages(engine: str) -> tuple[tuple[str, str], ...]:
    """What `engine` needs beside PyTorch and transformers, with the versions that are installed."""
    return package_versions(_NEEDS.get(engine, ()))


def preload(request: Request) -> None:
    """Load the model that `request` names and keep it, so that sessions on it in this process open at once.

    Nothing is computed with it and no thread is started: the process can be copied afterwards. Raises like
    `open_session`.
    """
    check(request)
    _require_torch()
    from cyclescope.backends.torch.opening import preload_torch

    preload_torch(request)


def open_trace(request: Request) -> Graph:
    """The structure of the model that `request` names, from its class alone. Raises like `open_session`."""
    check(request)
    _require_torch()
    from cyclescope.backends.torch.opening import trace_only

    return trace_only(request)


def full_configuration(model: str) -> Mapping[str, Any]:
    """The configuration of `model` with all that its class adds where a file says nothing. Raises like `open_session`."""
    _require_torch()
    from cyclescope.backends.torch.loading.loading import recipe

    found: Mapping[str, Any] = recipe(Request(model)).config.to_dict()
    return found


def open_dialogue(request: Request, template: str) -> DialogueSession:
    """The dialogue that the texts of `request` make, held once. Raises like `open_session`."""
    check_dialogue(request, template)
    _require_torch()
    from cyclescope.backends.torch.opening import open_torch_dialogue

    return open_torch_dialogue(request, template)


def open_tokenizers(request: Request) -> OpenTokenizers:
    """The tokenizers of the model that `request` names, without its weights. Raises like `open_session`."""
    check(request)
    _require_torch()
    from cyclescope.backends.torch.loading.tokenizing import open_torch_tokenizers

    return open_torch_tokenizers(request)


def watching(model: object) -> AbstractContextManager[WatchedCalls]:
    """Time every call of `model` while open and remember its last input."""
    _require_torch()
    from cyclescope.backends.torch.watching import watching_calls

    return watching_calls(model)


def open_probes(device: str = "cpu", engine: str = "torch") -> Probes:
    """The probes of `engine` on `device`. Raises `UsageError`, `MissingExtra` or `Unsupported`."""
    if engine not in ENGINES:
        raise UsageError(f"Unknown engine {engine!r}.", "", f"Known are {', '.join(ENGINES)}.")
    _require_torch("torch")
    from cyclescope.backends.torch.probes import TorchProbes

    return TorchProbes(device)


def _require_torch(*needed: str) -> None:
    missing = [name for name in needed or ("torch", "transformers") if find_spec(name) is None]
    if missing:
        raise MissingExtra(
            _not_installed(missing),
            "Measuring runs the real model; showing saved runs does not need it.",
            "pip install 'cyclescope[torch]'",
        )


def check(request: Request) -> None:
    """Raise `UsageError` for a request that no engine could carry out."""
    for name, value, least in (
        ("batch", request.batch, 1),
        ("tokens", request.tokens, 1),
        ("threads", request.threads, 1),
        ("new-tokens", request.new_tokens, 1),
        ("cache-length", request.cache_length, 1),
        ("seed", request.seed, 0),
    ):
        if value is not None and value < least:
            raise UsageError(f"--{name} {value} is impossible.", "", f"Give a whole number from {least} up.")
    given = [
        bool(request.texts),
        bool(request.questions or request.contexts),
        request.tokens is not None,
        request.inputs is not None,
    ]
    if sum(given) > 1:
        raise UsageError(
            "Two kinds of input at once.",
            "A cycle takes texts, or questions and contexts, or a synthetic length, or tensors.",
            "Give only one.",
        )
    for kind, texts in (("Text", request.texts), ("Question", request.questions), ("Context", request.contexts)):
        for position, text in enumerate(texts):
            if not text.strip():
                raise UsageError(
                    f"{kind} {position + 1} is empty.",
                    "An empty text has nothing but special tokens.",
                    "Give a text, or --tokens N for a synthetic input of N tokens.",
                )
    many, kind = (len(request.questions), "questions") if request.questions else (len(request.texts), "texts")
    if request.batch is not None and many > 1 and request.batch < many:
        raise UsageError(
            f"--batch {request.batch} is smaller than the {many} {kind}.",
            "One cycle runs all texts as one batch; a larger batch repeats them.",
            "Leave --batch out, or give fewer texts.",
        )
    if request.task == "chat":
        raise UsageError(
            "A dialogue is not one cycle.",
            "Its turns are compared with each other, with and without the cache of the turn before.",
            "Use cyclescope.measure_dialogue, or `cyclescope measure MODEL --task chat`.",
        )
    if request.task not in TASKS:
        raise UsageError(f"Unknown task {request.task!r}.", "", f"Known are {', '.join(TASKS)}.")
    _check_pairs(request)
    if request.new_tokens is not None and request.task not in _MAY_WRITE:
        raise UsageError(
            f"The task {request.task!r} writes no tokens.", "", "Leave --new-tokens out, or use --task generate."
        )
    if request.cache_length is not None and request.task not in _MAY_WRITE:
        raise UsageError(
            f"The task {request.task!r} has no decode step.",
            "A cache is what one step of writing leaves for the next.",
            "Leave --cache-length out, or use --task generate.",
        )
    for name, given_name, known in (("sampling", request.sampling, SAMPLING), ("cache", request.cache, CACHES)):
        if given_name not in known:
            raise UsageError(f"Unknown --{name} {given_name!r}.", "", f"Known are {', '.join(known)}.")
    refuse_foreign(request.inputs or {})


def _check_pairs(request: Request) -> None:
    """Raise `UsageError` unless every question has its context, and the task is one that answers."""
    questions, contexts = len(request.questions), len(request.contexts)
    if request.task != "answer" and (questions or contexts):
        raise UsageError(
            f"The task {request.task!r} answers no questions.",
            "--question and --context belong to the task 'answer'.",
            "Use --task answer, or give --text.",
        )
    if request.task == "answer" and request.texts:
        raise UsageError(
            "Which part of the text is the question?",
            "The task 'answer' reads a question and the context that holds the answer.",
            "Give --question and --context instead of --text.",
        )
    if questions != contexts:
        missing, way = ("context", "--context") if questions > contexts else ("question", "--question")
        raise UsageError(
            f"A {missing} is missing: questions {questions}, contexts {contexts}.",
            "Each question is answered from a context of its own.",
            f"Give {way} once more for each; the same text may be given twice.",
        )


def check_dialogue(request: Request, template: str) -> None:
    """Raise `UsageError` for a dialogue that no engine could hold."""
    check(replace(request, task="generate"))
    if template not in TEMPLATES:
        raise UsageError(f"Unknown --chat-template {template!r}.", "", f"Known are {', '.join(TEMPLATES)}.")
    if not request.texts:
        raise UsageError(
            "A dialogue needs the user's messages.",
            "Its turns are texts, and there is none.",
            "Give --text once for each turn.",
        )
    if request.batch is not None and request.batch > 1:
        raise UsageError("A dialogue has no batch.", "Its texts are turns, one after the other.", "Leave --batch out.")
    if request.cache != "dynamic":
        raise UsageError(
            f"With --cache {request.cache} nothing of a turn can be handed on to the next.",
            "What is measured is a dialogue with and without the cache of the turn before.",
            "Leave --cache out.",
        )
