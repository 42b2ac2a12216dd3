"""What of a cycle the instrumented runs are about, where they write only the first tokens of it."""

from __future__ import annotations

import numpy as np

from cyclescope.core.cycle import Cycle
from cyclescope.core.units import IntArray


def covered_wall_ns(cycle: Cycle) -> IntArray:
    """Wall time [runs] of that part of the uninstrumented runs that the graph and the instrumented runs hold.

    Of a generation whose first `instrumented_tokens` tokens they hold it is the time to the last of those and what passes
    behind the last token of all, which both kinds of runs have.
    """
    samples = cycle.samples
    wall, tokens, count = samples.uninstrumented.wall_ns, samples.tokens, samples.instrumented_tokens
    if not count or tokens is None or count >= tokens.emitted_ns.shape[1]:
        return wall
    runs = min(len(wall), len(tokens))
    emitted = tokens.emitted_ns[:runs]
    part: IntArray = wall[:runs] - emitted[:, -1] + emitted[:, count - 1]
    return part


def covered_share(cycle: Cycle) -> float:
    """How much of the wall time of a cycle that part takes."""
    wall = cycle.samples.uninstrumented.wall_ns
    if not len(wall):
        return 1.0
    return float(np.median(covered_wall_ns(cycle))) / max(1.0, float(np.median(wall)))
