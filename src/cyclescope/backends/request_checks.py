"""Refuses requests that no engine could carry out, before any engine is loaded."""

from __future__ import annotations

from dataclasses import replace

from cyclescope.backends.base import Request
from cyclescope.backends.engines import title_of
from cyclescope.backends.foreign import refuse_foreign
from cyclescope.core.dialogue import TEMPLATES
from cyclescope.core.errors import UsageError
from cyclescope.core.message import m
from cyclescope.core.plan import REFERENCE_ENGINE

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
        ("tensor", request.tensor, 1),
        ("pipeline", request.pipeline, 1),
        ("data", request.data, 1),
        ("microbatches", request.microbatches, 1),
    ):
        if value is not None and value < least:
            raise UsageError(
                m("--{name} must be at least {least} (got {value}).", name=name, least=least, value=value),
                "",
                m("Give a whole number from {least} up.", least=least),
            )
    given = [
        bool(request.texts),
        bool(request.questions or request.contexts),
        request.tokens is not None,
        request.inputs is not None,
    ]
    if sum(given) > 1:
        raise UsageError(
            m("Only one kind of input can be given."),
            m("A cycle takes texts, or questions and contexts, or a synthetic length, or tensors."),
            m("Give only one."),
        )
    for kind, texts in (
        (m("Text"), request.texts),
        (m("Question"), request.questions),
        (m("Context"), request.contexts),
    ):
        for position, text in enumerate(texts):
            if not text.strip():
                raise UsageError(
                    m("{kind} {position} is empty.", kind=kind, position=position + 1),
                    m("An empty text has only special tokens."),
                    m("Give a text, or --tokens N for a synthetic input of N tokens."),
                )
    many, kind = (len(request.questions), m("questions")) if request.questions else (len(request.texts), m("texts"))
    if request.batch is not None and many > 1 and request.batch < many:
        raise UsageError(
            m(
                "--batch must be at least {many}, the number of {kind} (got {batch}).",
                batch=request.batch,
                many=many,
                kind=kind,
            ),
            m("One cycle runs all texts as one batch; a larger batch repeats them."),
            m("Leave --batch out, or give fewer texts."),
        )
    if request.task == "chat":
        raise UsageError(
            m("A dialogue is not one cycle."),
            m("Its turns are compared with each other, with and without the cache of the turn before."),
            m("Use cyclescope.measure_dialogue, or `cyclescope measure MODEL --task chat`."),
        )
    if request.task not in TASKS:
        raise UsageError(
            m("Unknown task {task}.", task=repr(request.task)), "", m("Known are {tasks}.", tasks=", ".join(TASKS))
        )
    _check_pairs(request)
    if request.new_tokens is not None and request.task not in _MAY_WRITE:
        raise UsageError(
            m("The task {task} generates no tokens.", task=repr(request.task)),
            "",
            m("Leave --new-tokens out, or use --task generate."),
        )
    if request.cache_length is not None and request.task not in _MAY_WRITE:
        raise UsageError(
            m("The task {task} has no decode step.", task=repr(request.task)),
            m("A cache holds what one decode step leaves for the next."),
            m("Leave --cache-length out, or use --task generate."),
        )
    for name, given_name, known in (("sampling", request.sampling, SAMPLING), ("cache", request.cache, CACHES)):
        if given_name not in known:
            raise UsageError(
                m("Unknown --{name} {given_name}.", name=name, given_name=repr(given_name)),
                "",
                m("Known are {known}.", known=", ".join(known)),
            )
    refuse_foreign(request.inputs or {}, title_of(REFERENCE_ENGINE))


def _check_pairs(request: Request) -> None:
    """Raise `UsageError` unless every question has its context, and the task is one that answers."""
    questions, contexts = len(request.questions), len(request.contexts)
    if request.task != "answer" and (questions or contexts):
        raise UsageError(
            m("The task {task} answers no questions.", task=repr(request.task)),
            m("--question and --context belong to the task 'answer'."),
            m("Use --task answer, or give --text."),
        )
    if request.task == "answer" and request.texts:
        raise UsageError(
            m("The task 'answer' takes no --text."),
            m("The task 'answer' takes a question and the context that holds the answer."),
            m("Give --question and --context instead of --text."),
        )
    if questions != contexts:
        missing, way = (m("context"), "--context") if questions > contexts else (m("question"), "--question")
        raise UsageError(
            m(
                "A {missing} is missing: questions {questions}, contexts {contexts}.",
                missing=missing,
                questions=questions,
                contexts=contexts,
            ),
            m("Each question needs one context."),
            m("Give {way} as often as the other; the same text may be given twice.", way=way),
        )


def check_dialogue(request: Request, template: str) -> None:
    """Raise `UsageError` for a dialogue that no engine could hold."""
    check(replace(request, task="generate"))
    if template not in TEMPLATES:
        raise UsageError(
            m("Unknown --chat-template {template}.", template=repr(template)),
            "",
            m("Known are {templates}.", templates=", ".join(TEMPLATES)),
        )
    if not request.texts:
        raise UsageError(
            m("A dialogue needs the user's messages."),
            m("Its turns are texts, and none is given."),
            m("Give --text once for each turn."),
        )
    if request.batch is not None and request.batch > 1:
        raise UsageError(
            m("A dialogue has no batch."), m("Its texts are turns, one after the other."), m("Leave --batch out.")
        )
    if request.cache != "dynamic":
        raise UsageError(
            m("--cache must be dynamic for a dialogue (got {cache}).", cache=request.cache),
            m("A dialogue is measured with and without the cache of the turn before."),
            m("Leave --cache out."),
        )
