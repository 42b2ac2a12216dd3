"""From a session and what was seen of it to a cycle."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from cyclescope.backends.base import Session
from cyclescope.core.cycle import Cycle, Source
from cyclescope.core.errors import EngineError
from cyclescope.core.graph.graph import Graph
from cyclescope.core.message import Text, m
from cyclescope.core.samples import MemorySamples, Samples
from cyclescope.core.version import __version__
from cyclescope.store.calibration_file import with_ceilings


def assemble(session: Session, graph: Graph, samples: Samples, *, partial: bool, notes: tuple[Text, ...]) -> Cycle:
    """The measured cycle of `session`, taken now."""
    return Cycle(
        source=Source.MEASURED,
        workload=replace(session.workload, outcome=session.outcome()),
        plan=session.plan,
        machine=with_ceilings(session.machine, session.plan.engine),
        graph=graph,
        samples=samples,
        taken_at=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        version=__version__,
        partial=partial,
        notes=(*session.notes, *notes),
    )


def look_at_memory(session: Session, graph: Graph, again: bool, notes: list[Text]) -> MemorySamples | None:
    """What a cycle holds. If looking fails, what was timed stands all the same, and a note says so."""
    try:
        return session.memory(graph, again=again)
    except EngineError as error:
        notes.append(m("The memory of the cycle is unknown. {why}", why=error.summary))
        return None
