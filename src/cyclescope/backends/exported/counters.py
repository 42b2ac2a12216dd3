"""What an engine's counters cost, and where."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cyclescope.backends.base import LightRun
from cyclescope.core.graph import Graph

_SHORTEST = 10  # percent of the operations


def share_inside(graph: Graph, runs: Sequence[LightRun]) -> float:
    """How much of the cost of the counters lies within what they say that an operation took, by some `runs` of `graph`.

    ONNX Runtime writes down the shapes of an operation before it looks at the clock again, and the rest after that. Its
    shortest operations do next to nothing, and it does little between two: what both take is the cost, shared so.
    """
    slots = graph.slots
    took = np.median([np.diff(run.boundaries_ns) for run in runs], axis=0)
    within = float(np.percentile(took[slots.op >= 0], _SHORTEST))
    around = float(np.median(took[slots.op_stamps == 2])) if np.any(slots.op_stamps == 2) else 0.0
    return within / max(1.0, within + around)
