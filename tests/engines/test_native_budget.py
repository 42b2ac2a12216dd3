"""Looking for native code between operations keeps its time: a long cycle is not run again and again for it."""

from __future__ import annotations

import numpy as np
import pytest
from core.small_graphs import small_bert

from cyclescope.backends.base import InstrumentedRun
from cyclescope.backends.torch.stamping.native import native_slots

GRAPH = small_bert(1)
S = 1_000_000_000


@pytest.mark.parametrize(("run_s", "runs"), [(9.0, 0), (0.9, 0), (0.1, 2)])
def test_no_more_runs_than_there_is_time_for(run_s: float, runs: int) -> None:
    made: list[InstrumentedRun] = []

    def run() -> InstrumentedRun:
        # All of the time lies in operations, so that there is nothing to be looked into.
        width = np.where(GRAPH.slots.op >= 0, int(run_s * S) // len(GRAPH), 0)
        made.append(InstrumentedRun(0, np.concatenate([[0], np.cumsum(width)]), 0))
        return made[-1]

    first = run()
    assert native_slots(GRAPH, run, 2 * S, first) == ()
    assert len(made) - 1 == runs
