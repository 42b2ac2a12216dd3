"""The noun at the centre: one compute cycle, text in to text out."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from cyclescope.core.graph.graph import Graph
from cyclescope.core.machine import Machine
from cyclescope.core.message import Text
from cyclescope.core.plan import Plan
from cyclescope.core.samples import Samples
from cyclescope.core.workload import Workload


class Source(StrEnum):
    """The three honest ways to get a cycle."""

    MEASURED = "measured"
    PREDICTED = "predicted"
    IMPORTED = "imported"


@dataclass(frozen=True, eq=False)
class Cycle:
    """Workload, plan, machine, graph and samples of time. Frozen; every conclusion is a function of it.

    `taken_at` is UTC in ISO 8601, `version` the cyclescope that took it. `partial` is set where a measurement was
    interrupted. `notes` are facts that every reader of the cycle must know (a fallback that was taken, a cut text).
    """

    source: Source
    workload: Workload
    plan: Plan
    machine: Machine
    graph: Graph
    samples: Samples
    taken_at: str
    version: str
    partial: bool = False
    notes: tuple[Text, ...] = ()
