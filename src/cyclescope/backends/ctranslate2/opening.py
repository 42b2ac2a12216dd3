"""From a request to a session on CTranslate2."""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial
from pathlib import Path
from time import perf_counter_ns

from cyclescope.backends.artifacts.black_box_session import BlackBoxSession
from cyclescope.backends.artifacts.cache import name_of
from cyclescope.backends.artifacts.calls import ArtifactCalls, ProgramRun, RunCall, WriterRun
from cyclescope.backends.artifacts.kept_files import keep_files
from cyclescope.backends.artifacts.program import Program
from cyclescope.backends.artifacts.writer import EngineWriter
from cyclescope.backends.artifacts.writing_session import WritingSession
from cyclescope.backends.base import OpenTimes, Request, Session
from cyclescope.backends.engine import Engine
from cyclescope.backends.errors import engine_errors
from cyclescope.backends.torch.exporting.call_costs import generation_costs
from cyclescope.backends.torch.exporting.checking import refuse_plan
from cyclescope.backends.torch.exporting.loading import load_checked
from cyclescope.backends.torch.exporting.resolving import folder_for, resolve_request, unmodified
from cyclescope.core.message import m


def open_ctranslate2(request: Request, engine: Engine) -> Session:
    """Convert what `request` names and make it ready on CTranslate2. Raises like `open_session`."""
    plan = request.plan_on(engine.name)
    refuse_plan(plan, engine)
    begin = perf_counter_ns()
    # Here and not above: the engine is imported by the process that runs it, and how long that takes is told.
    from cyclescope.backends.ctranslate2 import making
    from cyclescope.backends.ctranslate2.converting import refuse_unconvertible

    import_ns = perf_counter_ns() - begin
    begin = perf_counter_ns()
    making.refuse_plan(plan)
    making.refuse_lost(request.edits)
    loaded = load_checked(unmodified(request), refuse_unconvertible)
    resolved = resolve_request(request, plan, loaded)
    making.refuse_lost(resolved.edits)
    program: Program | None = None
    writer: EngineWriter | None = None
    folder_of_cache = folder_for(request)
    with ExitStack() as undo:
        folder = Path(undo.enter_context(folder_of_cache)) / f"{engine.name}-{name_of(resolved.edits, ())}"
        made = making.ConversionJob(resolved, loaded.tokenizer, folder)
        with engine_errors(m("prepare the model on {engine}", engine=engine.name)):
            if resolved.steps.writer is None:
                program = made.program()
                run: RunCall = ProgramRun(program)
                files = program.files
            else:
                writer = made.writer()
                run, files = WriterRun(writer), writer.files
        if request.export_to is not None:
            keep_files(files, Path(request.export_to))
        undo.pop_all()
    times = OpenTimes(import_ns, perf_counter_ns() - begin)
    parts = resolved.workload, resolved.plan, resolved.machine, times
    calls, notes, edits = resolved.array_calls, resolved.notes, resolved.edits
    if len(calls) > 1:
        return ArtifactCalls(run, calls, resolved.texts, *parts, folder=folder_of_cache, notes=notes, edits=edits)
    if program is not None:
        return BlackBoxSession(program, calls[0], *parts, folder=folder_of_cache, notes=notes, edits=edits)
    assert writer is not None
    estimate_costs = partial(generation_costs, resolved.steps, resolved.workload, resolved.plan, resolved.machine)
    return WritingSession(
        writer, calls[0], *parts, estimate_costs=estimate_costs, folder=folder_of_cache, notes=notes, edits=edits
    )
