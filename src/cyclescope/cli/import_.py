"""`cyclescope import TRACE`."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cyclescope.cli.cycles import deliver_cycle
from cyclescope.cli.deliver import Forms
from cyclescope.cli.files import require_places
from cyclescope.cli.options import Task, TaskOption, TrustRemoteCode, optional
from cyclescope.core.errors import Interrupted, UsageError
from cyclescope.core.message import N_, m
from cyclescope.store.recognizing import is_run

if TYPE_CHECKING:
    from cyclescope.core.cycle import Cycle
    from cyclescope.core.progress import Notify
    from cyclescope.importing.overlay import Overlay


def import_(
    trace: Annotated[
        Path,
        typer.Argument(
            help=N_("Trace file (plain, gz or zst), or a folder with the files of all ranks"), metavar="TRACE"
        ),
    ],
    *,
    name: Annotated[
        str | None, optional(N_("Name of the model where the trace has none (default: the name of the file)"))
    ] = None,
    model: Annotated[
        str | None,
        optional(
            N_("Model whose traced graph is laid over the operations (folder, config.json, built-in or hub name)")
        ),
    ] = None,
    task: TaskOption = Task.EMBED,
    tokens: Annotated[
        int | None, optional(N_("Length of each sequence of --model, where the trace does not tell it"))
    ] = None,
    batch: Annotated[int | None, optional(N_("Batch size of --model, where the trace does not tell it"))] = None,
    trust_remote_code: TrustRemoteCode = False,
    out: Annotated[Path | None, optional(N_("Save the run to this file (.cycle)"))] = None,
    forms: Forms,
) -> None:
    """Import a trace of another tool."""
    require_places((out, *forms.files), (trace,))
    if is_run(trace):
        raise UsageError(
            m("{path} is a saved run and no trace.", path=str(trace)),
            "",
            m("Show it with `cyclescope show {path}`.", path=str(trace)),
        )
    if model is None and (tokens is not None or batch is not None):
        raise UsageError(
            m("--tokens and --batch need --model."),
            m("They are the shape that its graph is traced for."),
            m("Name a model, or remove them."),
        )
    from cyclescope.cli.progress import progress
    from cyclescope.importing.import_trace import import_trace

    try:
        with progress(forms.language) as notify:
            over = None
            if model is not None:
                over = partial(_overlay, model, task.value, tokens, batch, trust_remote_code, notify)
            cycle = import_trace(trace, name=name or "", overlay=over, progress=notify)
    except KeyboardInterrupt as exc:
        raise Interrupted(m("Interrupted."), m("Nothing was imported yet.")) from exc
    deliver_cycle(cycle, out, forms)


def _overlay(
    model: str,
    task: str,
    tokens: int | None,
    batch: int | None,
    trust_remote_code: bool,
    notify: Notify,
    cycle: Cycle,
) -> Overlay:
    """The model that is laid over the trace, traced for the shape that the trace tells."""
    from cyclescope.backends.base import Request
    from cyclescope.importing.overlay import Overlay
    from cyclescope.tracing.structures import outline_of, structure_of

    notify("trace", 0.0)
    work, dtype = cycle.workload, cycle.plan.dtype
    request = Request(
        model=model,
        tokens=tokens or work.tokens_in or None,
        batch=batch or work.batch or None,
        task=task,
        dtype=dtype if dtype in ("float32", "bfloat16", "float16") else None,
        attention="sdpa" if cycle.plan.attention == "sdpa" else None,
        trust_remote_code=trust_remote_code,
    )
    outline = outline_of(request)
    return Overlay(structure_of(request), outline.model, outline.task)
