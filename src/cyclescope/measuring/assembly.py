"""From a session and what was seen of it to a cycle."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from cyclescope.backends.base import Session
from cyclescope.core.cycle import Cycle, Source
from cyclescope.core.graph import Graph
from cyclescope.core.samples import Samples
from cyclescope.core.version import __version__


def assemble(session: Session, graph: Graph, samples: Samples, *, partial: bool, notes: tuple[str, ...]) -> Cycle:
    """The measured cycle of `session`, taken now."""
    return Cycle(
        source=Source.MEASURED,
        workload=replace(session.workload, outcome=session.outcome()),
        plan=session.plan,
        machine=session.machine,
        graph=graph,
        samples=samples,
        taken_at=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        version=__version__,
        partial=partial,
        notes=(*session.notes, *notes),
    )
