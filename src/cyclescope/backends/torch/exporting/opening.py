"""From a request to a session on an engine that runs a model from a file."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import replace
from pathlib import Path
from time import perf_counter_ns
from typing import Any

from cyclescope.backends.artifacts.calls import ArtifactCalls, ProgramRun
from cyclescope.backends.artifacts.kept_files import keep_files
from cyclescope.backends.artifacts.program import Program
from cyclescope.backends.artifacts.session import ExportedSession
from cyclescope.backends.artifacts.writing_session import WritingSession
from cyclescope.backends.base import OpenTimes, Request
from cyclescope.backends.engine import Engine
from cyclescope.backends.torch.exporting.checking import refuse_plan
from cyclescope.backends.torch.exporting.making import ExportJob, make_program
from cyclescope.backends.torch.exporting.opening_writer import ready_writer, writing_session
from cyclescope.backends.torch.exporting.resolving import ResolvedRequest, folder_for, resolve_request, unmodified
from cyclescope.backends.torch.exporting.runtime import Runtime
from cyclescope.backends.torch.exporting.samples import samples_of
from cyclescope.backends.torch.loading.loading import in_hand, load
from cyclescope.core.errors import Unsupported
from cyclescope.core.message import m

Session = ExportedSession | WritingSession[Any] | ArtifactCalls


def open_exported(request: Request, engine: Engine, load_runtime: Callable[[], Runtime]) -> Session:
    """Export what `request` names and make it ready on `engine`, which `load_runtime` imports. Raises like `open_session`."""
    plan = request.plan_on(engine.name)
    refuse_plan(plan, engine)
    begin = perf_counter_ns()
    runtime = load_runtime()
    import_ns = perf_counter_ns() - begin
    begin = perf_counter_ns()
    loaded = load(unmodified(request)) if isinstance(request.model, str) else in_hand(unmodified(request))
    resolved = resolve_request(request, plan, loaded)
    writes = resolved.steps.writer is not None
    if plan.drafting != "off" and not writes:
        raise Unsupported(m("Drafting needs a model that generates."), "", m("Leave the draft out."))
    folder = folder_for(request)
    with ExitStack() as undo:
        place = Path(undo.enter_context(folder))
        if writes:
            writer = ready_writer(resolved, runtime, place)
            files = writer.files
        else:
            samples = samples_of(unmodified(request), loaded, resolved.calls, resolved.texts)
            program, kept, notes = make_program(ExportJob(runtime, resolved, samples, request.files), place)
            files = program.files
            resolved = replace(resolved, edits=resolved.edits + kept, notes=resolved.notes + notes)
        if request.export_to is not None:
            keep_files(files, Path(request.export_to))
        undo.pop_all()
    times = OpenTimes(import_ns, perf_counter_ns() - begin)
    if writes:
        return writing_session(writer, resolved, times, folder)
    return _encoding_session(program, resolved, times, folder)


def _encoding_session(
    program: Program, resolved: ResolvedRequest, times: OpenTimes, folder: AbstractContextManager[object]
) -> ExportedSession | ArtifactCalls:
    """A session of the one call that there is, or of several."""
    parts = resolved.workload, resolved.plan, resolved.machine, times
    calls = resolved.array_calls
    notes, edits = resolved.notes, resolved.edits
    if len(calls) > 1:
        run = ProgramRun(program)
        return ArtifactCalls(run, calls, resolved.texts, *parts, folder=folder, notes=notes, edits=edits)
    return ExportedSession(program, calls[0], *parts, folder=folder, notes=notes, edits=edits)
