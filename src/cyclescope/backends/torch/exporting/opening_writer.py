"""An engine made ready to write, and held against what the model itself writes."""

from __future__ import annotations

from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import Any

from cyclescope.backends.artifacts.cache import folder_of, name_of, verified_once
from cyclescope.backends.artifacts.calls import ArtifactCalls, WriterRun
from cyclescope.backends.artifacts.profiled_session import ProfiledSession
from cyclescope.backends.artifacts.writer import EngineWriter, ProfiledWriter
from cyclescope.backends.artifacts.writing_session import WritingSession
from cyclescope.backends.base import OpenTimes
from cyclescope.backends.errors import engine_errors
from cyclescope.backends.torch.exporting.call_costs import generation_costs
from cyclescope.backends.torch.exporting.checking import refuse_generation, refuse_other_tokens
from cyclescope.backends.torch.exporting.resolving import ResolvedRequest
from cyclescope.backends.torch.exporting.runtime import Runtime
from cyclescope.core.errors import Unsupported
from cyclescope.core.message import m
from cyclescope.core.plan import REFERENCE_ENGINE, Plan


def ready_writer(resolved: ResolvedRequest, runtime: Runtime, folder: Path) -> EngineWriter:
    """What writes by the plan of `resolved`, once its engine has been seen to write in float32 what the model itself does.

    What another process has left in `folder` of the same model with the same edits is reused. Raises `Unsupported`
    and `EngineError`.
    """
    plan, model = resolved.plan, resolved.steps.model
    build_writer = runtime.build_writer
    if build_writer is None:
        raise Unsupported(
            m("{engine} does not support generation.", engine=plan.engine),
            "",
            m("Use --engine {engine}, which runs the model itself.", engine=REFERENCE_ENGINE),
        )
    refuse_generation(model, plan, resolved.texts)
    place = folder / f"writer-{name_of(resolved.edits, [])}"

    def build(plan: Plan) -> EngineWriter:
        return build_writer(model, plan, resolved.machine, place / folder_of(plan))

    def check(writer: EngineWriter) -> None:
        refuse_other_tokens(writer, resolved.steps)

    with engine_errors(m("prepare the model on {engine}", engine=plan.engine)):
        return verified_once(place, plan, build, check) or build(plan)


def writing_session(
    writer: EngineWriter, resolved: ResolvedRequest, times: OpenTimes, folder: AbstractContextManager[object]
) -> WritingSession[Any] | ArtifactCalls:
    """A session of the one call that there is, or of several."""
    parts = resolved.workload, resolved.plan, resolved.machine, times
    calls, notes, edits = resolved.array_calls, resolved.notes, resolved.edits
    if len(calls) > 1:
        run = WriterRun(writer)
        return ArtifactCalls(run, calls, resolved.texts, *parts, folder=folder, notes=notes, edits=edits)
    estimate_costs = partial(generation_costs, resolved.steps, resolved.workload, resolved.plan, resolved.machine)
    reason = writer.not_profiled_reason if isinstance(writer, ProfiledWriter) else ""
    if isinstance(writer, ProfiledWriter) and not reason:
        return ProfiledSession(
            writer, calls[0], *parts, estimate_costs=estimate_costs, folder=folder, notes=notes, edits=edits
        )
    notes = (*notes, *((reason,) if reason else ()))
    return WritingSession(
        writer, calls[0], *parts, estimate_costs=estimate_costs, folder=folder, notes=notes, edits=edits
    )
