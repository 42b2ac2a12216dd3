"""From measured times to what laws and networks are fitted on: kernels of the traced graph, and segments with their times."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from cyclescope.calibrating.learning.engines.design import EngineCase
from cyclescope.calibrating.learning.engines.harvesting import Harvest, Timed
from cyclescope.calibrating.learning.engines.preparing import request_of
from cyclescope.calibrating.learning.training import halves_apart, roofline_ns
from cyclescope.core.ceilings import Ceilings
from cyclescope.core.graph.graph import Graph
from cyclescope.core.plan import REFERENCE_ENGINE, Plan
from cyclescope.core.progress import Notify, silent
from cyclescope.core.units import FloatArray
from cyclescope.predicting.fused.kernels import Kernels, kernels
from cyclescope.predicting.fused.segments import Segment, segments
from cyclescope.tracing.structures import structure_of


@dataclass(frozen=True, eq=False)
class SeenCycle:
    """One workload that was measured: its kernels, its segments and how long each of them took [segments], and the whole."""

    name: str
    family: str
    kernels: Kernels
    segments: tuple[Segment, ...]
    segment_ns: FloatArray
    wall_ns: float
    roofline_ns: float
    runs: int
    repeat: float | None


def observed(
    taken: Sequence[tuple[EngineCase, Harvest]],
    folder: Path,
    engine: str,
    machine: Ceilings,
    progress: Notify = silent,
) -> list[SeenCycle]:
    """What was `taken`, each workload traced on the reference engine, whose graph predictions start from too."""
    found: list[SeenCycle] = []
    count = sum(len(kept.timed) for _, kept in taken)
    for case, kept in taken:
        for timed in kept.timed:
            progress("trace", len(found) / max(1, count))
            plan = Plan(engine=engine, threads=kept.threads, dtype=kept.dtype)
            found.append(seen_cycle(case, timed, graph_of(case, timed, folder), plan, machine))
    return found


def graph_of(case: EngineCase, timed: Timed, folder: Path) -> Graph:
    request = request_of(case, folder, REFERENCE_ENGINE)
    return structure_of(
        replace(request, tokens=timed.tokens, batch=timed.batch, new_tokens=timed.new_tokens or None, shared=None)
    )


def seen_cycle(case: EngineCase, timed: Timed, graph: Graph, plan: Plan, machine: Ceilings) -> SeenCycle:
    """One workload. Raises `ValueError` where the times are of other segments than the graph."""
    found = kernels(graph, plan, machine)
    wall = float(np.median(timed.wall_ns))
    parts = np.asarray([wall])
    cut = segments(found)
    if len(cut) > 1:
        first = float(np.median(timed.first_ns)) if len(timed.first_ns) else np.nan
        rest = float(np.median(timed.wall_ns - timed.first_ns)) if len(timed.first_ns) else np.nan
        parts = np.asarray([first, rest])
        parts = parts * (wall / parts.sum())
    roofline = roofline_ns(graph, machine, plan.threads)
    repeat = halves_apart(timed.wall_ns)
    name = f"{case.name}-{timed.shape.name}"
    return SeenCycle(name, case.family, found, cut, parts, wall, roofline, len(timed.wall_ns), repeat)
