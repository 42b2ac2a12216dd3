"""`cyclescope import TRACE`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cyclescope.cli.cycles import deliver_cycle
from cyclescope.cli.deliver import Forms
from cyclescope.cli.files import require_places
from cyclescope.cli.options import optional
from cyclescope.core.errors import Interrupted
from cyclescope.core.message import N_, m


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
    out: Annotated[Path | None, optional(N_("Save the run to this file (.cycle)"))] = None,
    forms: Forms,
) -> None:
    """Import a trace of another tool."""
    require_places((out, *forms.files), (trace,))
    from cyclescope.cli.progress import progress
    from cyclescope.importing.import_trace import import_trace

    try:
        with progress(forms.language) as notify:
            cycle = import_trace(trace, name=name or "", progress=notify)
    except KeyboardInterrupt as exc:
        raise Interrupted(m("Interrupted."), m("Nothing was imported yet.")) from exc
    deliver_cycle(cycle, out, forms)
