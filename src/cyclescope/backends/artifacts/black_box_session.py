"""A program of an engine that tells nothing of what happens inside a call: it is one operation, with the model's own cost."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cyclescope.backends.artifacts.program import Arrays, Call, Program
from cyclescope.backends.artifacts.session import ExportedSession
from cyclescope.core.graph.graph import Graph
from cyclescope.core.samples import Instrumentation
from cyclescope.core.units import IntArray, Nanoseconds


class BlackBoxWatch:
    """Implements `artifacts.program.Watch` for the one operation `name`: it takes as long as the call."""

    def __init__(self, program: Program, name: str) -> None:
        self._program, self._name = program, name

    def __call__(self, arrays: Arrays) -> Arrays:
        return self._program(arrays)

    def finish(self, calls: Sequence[Call]) -> Sequence[tuple[tuple[str, ...], IntArray]]:
        return [((self._name,), np.asarray([[call.begin_ns, call.end_ns]], dtype=np.int64)) for call in calls]

    def close(self) -> None:
        """It holds no resources."""


class BlackBoxSession(ExportedSession):
    """A session on such a program."""

    def calibrate(self, graph: Graph, budget_ns: Nanoseconds) -> Instrumentation:
        """Nothing is switched on inside, so a cycle whose call is timed costs what an uninstrumented one does."""
        self._known(graph)
        return Instrumentation(self._program.how, 0.0, 0.0, "this model", 0)
