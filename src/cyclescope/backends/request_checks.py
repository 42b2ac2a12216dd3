"""Refuses requests that no engine could carry out, before any engine is loaded."""

from __future__ import annotations

from dataclasses import replace

from cyclescope.backends.base import Request
from cyclescope.backends.foreign import refuse_foreign
from cyclescope.core.dialogue import TEMPLATES
from cyclescope.core.errors import UsageError

TASKS = ("auto", "embed", "classify", "fill", "answer", "translate", "generate")
_MAY_WRITE = ("auto", "answer", "translate", "generate")
SAMPLING = ("greedy", "sample")
CACHES = ("dynamic", "static", "off")


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
