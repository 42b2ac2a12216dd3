"""Opens what is asked for on the engine that is asked for, once the request is sound and its packages are there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any

from cyclescope.backends.base import DialogueSession, ModelOutline, OpenTokenizers, Request, Session, WatchedCalls
from cyclescope.backends.engines import ENGINES, engine_named
from cyclescope.backends.errors import engine_errors
from cyclescope.backends.probing import Probes
from cyclescope.backends.request_checks import check, check_dialogue
from cyclescope.backends.settings import PYTHON, keeping_settings
from cyclescope.core.errors import Unsupported
from cyclescope.core.graph.graph import Graph
from cyclescope.core.machine import Machine
from cyclescope.core.message import m
from cyclescope.core.plan import REFERENCE_ENGINE
from cyclescope.machines.host import read_machine


@contextmanager
def keeping(*requests: Request) -> Iterator[None]:
    """While open, a measurement may change global settings and the objects in `requests`; afterwards, also after an
    exception and after Ctrl-C, all is as it was: what is the user's, the user finds again.
    """
    with ExitStack() as kept:
        kept.enter_context(keeping_settings([*PYTHON, *(each for engine in ENGINES for each in engine.settings())]))
        for engine in ENGINES:
            if requests and engine.keep is not None:
                kept.enter_context(engine.keep(requests))
        yield


def open_session(request: Request, engine: str | None = None) -> Session:
    """A session for `request` on `engine`, or on that of its plan. Raises `UsageError`, `ModelError`, `MissingExtra`,
    `Unsupported` or `EngineError`.
    """
    chosen = engine_named(engine or (request.plan.engine if request.plan is not None else request.engine))
    check(request)
    chosen.require()
    with engine_errors(m("prepare the model")):
        return chosen.open(request)


def preload(request: Request) -> None:
    """Load the model that `request` names and keep it, so that sessions on it in this process open at once.

    Nothing is computed with it and no thread is started: the process can be copied afterwards. Raises like
    `open_session`.
    """
    check(request)
    load = _offered(REFERENCE_ENGINE, "preload")
    load(request)


def open_trace(request: Request) -> Graph:
    """The structure of the model that `request` names, from its class alone. Raises like `open_session`."""
    check(request)
    with engine_errors(m("trace the model")):
        graph: Graph = _offered(request.engine, "trace")(request)
    return graph


def open_outline(request: Request) -> ModelOutline:
    """What is known of the model that `request` names without its weights. Raises like `open_session`."""
    check(request)
    with engine_errors(m("prepare the model")):
        outline: ModelOutline = _offered(request.engine, "outline")(request)
    return outline


def full_configuration(model: str) -> Mapping[str, Any]:
    """The configuration of `model` with all that its class adds where a file says nothing. Raises like `open_session`."""
    found: Mapping[str, Any] = _offered(REFERENCE_ENGINE, "configuration")(model)
    return found


def open_dialogue(request: Request, template: str) -> DialogueSession:
    """The dialogue that the texts of `request` make, held once. Raises like `open_session`."""
    check_dialogue(request, template)
    with engine_errors(m("prepare the model")):
        session: DialogueSession = _offered(request.engine, "dialogue")(request, template)
    return session


def open_tokenizers(request: Request) -> OpenTokenizers:
    """The tokenizers of the model that `request` names, without its weights. Raises like `open_session`."""
    check(request)
    found: OpenTokenizers = _offered(request.engine, "tokenizers")(request)
    return found


def watching(model: object) -> AbstractContextManager[WatchedCalls]:
    """Time every call of `model` while open and remember its last input."""
    watch: AbstractContextManager[WatchedCalls] = _offered(REFERENCE_ENGINE, "watch")(model)
    return watch


def open_probes(device: str = "cpu", engine: str = REFERENCE_ENGINE) -> Probes:
    """The probes of `engine` on `device`. Raises `UsageError`, `MissingExtra` or `Unsupported`."""
    chosen = engine_named(engine)
    if chosen.probes is None:
        raise Unsupported(
            m("{title} cannot be calibrated.", title=chosen.title),
            m("It offers no probes."),
            m("Use --engine {engine}, which runs the model itself.", engine=REFERENCE_ENGINE),
        )
    chosen.require(models=False)
    return chosen.probes(device)


def machine_for(engine: str = REFERENCE_ENGINE) -> Machine:
    """This machine as cycles on `engine` name it, with the versions of its packages; the engine is not loaded."""
    chosen = engine_named(engine)
    return read_machine(packages=(*chosen.packages, *chosen.reads_with, *chosen.companions))


def _offered(engine: str, what: str) -> Any:
    """The callable `what` of `engine`, or of the reference engine where it offers none; its packages are there."""
    chosen = engine_named(engine)
    if getattr(chosen, what) is None:
        chosen = engine_named(REFERENCE_ENGINE)
    chosen.require()
    return getattr(chosen, what)
