"""From a request to a session on CTranslate2."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter_ns
from typing import Any

from cyclescope.backends.base import OpenTimes, Request, Session
from cyclescope.backends.exported.opaque_session import OpaqueSession
from cyclescope.backends.exported.opening import change_model, keep_files, refuse
from cyclescope.backends.exported.outputs import Outputs, arrays_of, outputs_of
from cyclescope.backends.exported.program import Program
from cyclescope.backends.exported.shelf import name_of
from cyclescope.backends.exported.writer import EngineWriter
from cyclescope.backends.exported.writing_session import WritingSession, written
from cyclescope.backends.host import read_machine, usable_cores
from cyclescope.backends.torch.calls import TorchCalls
from cyclescope.backends.torch.errors import engine_errors
from cyclescope.backends.torch.heads import WRITE, auto_class
from cyclescope.backends.torch.loading import Loaded, in_hand, load, recipe
from cyclescope.backends.torch.planning import calls_for
from cyclescope.backends.torch.standalone.editing import edit
from cyclescope.backends.torch.steps import Inputs, Steps
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
    plain = replace(request, dtype=None, attention=None, plan=None, threads=None, device="cpu")
    loaded = _loaded(plain)
    with engine_errors("make the input"):
        calls, texts, workload, notes = calls_for(plain, loaded, plan)
    steps = calls[0]
    plan = replace(plan, threads=plan.threads or usable_cores(), attention="engine")
    machine = read_machine("cpu")
    said: tuple[str, ...] = ()
    if edits := request.edits:
        edit(steps.model, [(e.what, e.path, e.numbers) for e in edits], request.files)
    else:
        edits, said = change_model(calls, texts, workload, plan, machine, request.files)
        making.refuse_lost(edits)
    opened: Program | EngineWriter
    run: Callable[[Steps, Inputs], Any]
    session: Callable[..., Session]
    with ExitStack() as undo:
        shelf: AbstractContextManager[str] = (
            nullcontext(request.shared) if request.shared else TemporaryDirectory(prefix="cyclescope-")
        )
        folder = Path(undo.enter_context(shelf)) / f"ctranslate2-{name_of(edits, ())}"
        made = making.Making(steps, workload, plan, machine, loaded.tokenizer, folder)
        with engine_errors("make the model ready on ctranslate2"):
            if steps.writer is None:
                program = made.program()
                opened, run, session = program, partial(_read, program), partial(OpaqueSession, program)
            else:
                writer = made.writer()
                opened, run, session = writer, partial(written, writer), partial(WritingSession, writer)
        if request.export_to is not None:
            keep_files(opened.files, Path(request.export_to))
        undo.pop_all()
    times = OpenTimes(import_ns, perf_counter_ns() - begin)
    remarks = (*((loaded.note,) if loaded.note else ()), *notes, *said)
    if len(calls) == 1:
        return session(steps, workload, plan, machine, times, folder=shelf, notes=remarks, edits=edits)

    def close() -> None:
        opened.close()
        shelf.__exit__(None, None, None)

    return TorchCalls(calls, texts, workload, plan, machine, times, remarks, edits, run=run, close=close)


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
