"""What an engine's counters cost, and where."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from cyclescope.backends.base import InstrumentedRun
from cyclescope.core.clock import Clock, SystemClock
from cyclescope.core.graph.graph import Graph
from cyclescope.core.units import Nanoseconds

# Operations that one watch sees, as far as whole cycles go: the engine keeps them in memory until the watch is over.
MOST_WATCHED = 100_000
LOOKED_INTO = 3  # cycles of a calibration that tell where the cost falls
_SHORTEST = 10  # percent of the operations
_LEAST_PAIRS = 3
_SETTLE, _BLOCK = 1, 4  # runs of a block
_ENOUGH_NS = 300_000_000  # of runs in a block; one that takes as long is warm when it ends
_MOST_OVERDRAWN = 2  # so many times the budget, for the pairs that a median needs

Run = Callable[[], Nanoseconds]
"""Runs once, and gives how long that took."""


def differences_in_turns(
    without: Run, within: Run, budget_ns: Nanoseconds, most: int, clock: Clock | None = None
) -> list[float]:
    """How much longer `within` takes than `without`, in nanoseconds, for each of some pairs of interleaved blocks.

    Blocks, as the cycles are taken in: a run right after one of the other kind finds its caches cold. They are as short as
    `budget_ns` asks for, a run at least. Three pairs are made even in twice the budget, and one in any case; `within` runs
    about `most` times at most. A first pair, which shows what waking up costs, is left out.
    """
    clock = clock or SystemClock()
    begin = clock.now_ns()
    block_ns = min(_ENOUGH_NS, budget_ns // (2 * (1 + _LEAST_PAIRS)))
    pairs: list[float] = []
    runs = 0
    while len(pairs) < 2 or runs < most:
        spent = clock.now_ns() - begin
        allowed = budget_ns if len(pairs) > _LEAST_PAIRS else _MOST_OVERDRAWN * budget_ns
        if len(pairs) >= 2 and spent >= allowed:
            break
        uncounted, counted = _block(without, block_ns), _block(within, block_ns)
        runs += len(counted)
        pairs.append(_typical(counted) - _typical(uncounted))
    return pairs[1:]


def _block(run: Run, block_ns: Nanoseconds) -> list[Nanoseconds]:
    walls: list[Nanoseconds] = []
    while len(walls) < _SETTLE + _BLOCK and sum(walls) < max(1, block_ns):
        walls.append(run())
    return walls


def _typical(walls: Sequence[Nanoseconds]) -> float:
    """The median of a block, whose first run only settles; a block of one long run is that run."""
    return float(np.median(walls[_SETTLE:] or walls))


def share_inside(graph: Graph, runs: Sequence[InstrumentedRun]) -> float:
    """How much of the cost of the counters lies within what they say that an operation took, by some `runs` of `graph`.

    ONNX Runtime writes down the shapes of an operation before it looks at the clock again, and the rest after that. Its
    shortest operations do next to nothing, and it does little between two: what both take is the cost, shared so.
    """
    slots = graph.slots
    took = np.median([np.diff(run.boundaries_ns) for run in runs], axis=0)
    within = float(np.percentile(took[slots.op >= 0], _SHORTEST))
    around = float(np.median(took[slots.op_stamps == 2])) if np.any(slots.op_stamps == 2) else 0.0
    return within / max(1.0, within + around)
