"""From a request to a session on CTranslate2."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from time import perf_counter_ns
from typing import Any

from cyclescope.backends.base import OpenTimes, Request, Session
from cyclescope.backends.exported.asked import asked_of, folder_for, plain
from cyclescope.backends.exported.opaque_session import OpaqueSession
from cyclescope.backends.exported.opening import keep_files, refuse
from cyclescope.backends.exported.outputs import Outputs, outputs_of
from cyclescope.backends.exported.program import Program
from cyclescope.backends.exported.shelf import name_of
from cyclescope.backends.exported.writer import EngineWriter
from cyclescope.backends.exported.writing_session import WritingSession, written
from cyclescope.backends.torch.calls import TorchCalls
from cyclescope.backends.torch.errors import engine_errors
from cyclescope.backends.torch.loading.heads import WRITE, auto_class
from cyclescope.backends.torch.loading.loading import Loaded, in_hand, load, recipe
from cyclescope.backends.torch.steps import Inputs, Steps, arrays_of
from cyclescope.core.plan import Plan


def open_ctranslate2(request: Request, plan: Plan) -> Session:
    """Convert what `request` names and make it ready on CTranslate2. Raises like `open_session`."""
    refuse(plan)
    begin = perf_counter_ns()
    # Here and not above: the engine is imported by the process that runs it, and how long that takes is told.
    from cyclescope.backends.ctranslate2 import making

    import_ns = perf_counter_ns() - begin
    begin = perf_counter_ns()
    making.refuse_plan(plan)
    making.refuse_lost(request.edits)
    loaded = _loaded(plain(request))
    asked = asked_of(request, plan, loaded)
    making.refuse_lost(asked.edits)
    steps = asked.steps
    opened: Program | EngineWriter
    run: Callable[[Steps, Inputs], Any]
    session: Callable[..., Session]
    shelf = folder_for(request)
    with ExitStack() as undo:
        folder = Path(undo.enter_context(shelf)) / f"ctranslate2-{name_of(asked.edits, ())}"
        made = making.Making(steps, asked.workload, asked.plan, asked.machine, loaded.tokenizer, folder)
        with engine_errors("make the model ready on ctranslate2"):
            if steps.writer is None:
                program = made.program()
                opened, run, session = program, partial(_read, program), partial(OpaqueSession, program)
                feed = Steps.arrays
            else:
                writer = made.writer()
                opened, run, session = writer, partial(written, writer), partial(WritingSession, writer)
                feed = Steps.inputs
        if request.export_to is not None:
            keep_files(opened.files, Path(request.export_to))
        undo.pop_all()
    times = OpenTimes(import_ns, perf_counter_ns() - begin)
    parts = asked.workload, asked.plan, asked.machine, times
    if len(asked.calls) == 1:
        return session(steps, *parts, folder=shelf, notes=asked.notes, edits=asked.edits)

    def close() -> None:
        opened.close()
        shelf.__exit__(None, None, None)

    return TorchCalls(asked.calls, asked.texts, *parts, asked.notes, asked.edits, feed=feed, run=run, close=close)


def _loaded(request: Request) -> Loaded:
    """The model that `request` names. One that cannot be converted is refused before there are weights."""
    from cyclescope.backends.ctranslate2.converting import refuse_unconvertible

    if isinstance(request.model, str):
        found = recipe(request)
        kinds = auto_class(found.head, found.config)._model_mapping
        if type(found.config) in kinds:
            name = kinds[type(found.config)].__name__
            refuse_unconvertible(name, found.config, writes=found.head == WRITE)
        return load(request)
    loaded = in_hand(request)
    config = getattr(loaded.model, "config", None)
    refuse_unconvertible(type(loaded.model).__name__, config, writes=loaded.head == WRITE)
    return loaded


def _read(program: Program, steps: Steps, inputs: Inputs) -> Outputs:
    """One of several calls of a model that reads."""
    return outputs_of(program(arrays_of(inputs)))
