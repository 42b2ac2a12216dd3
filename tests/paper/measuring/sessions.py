"""Paper sessions whose cycle is one round number of nanoseconds, and what they ran."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from core.small_graphs import small_bert

from cyclescope.backends.base import InstrumentedRun, OpenTimes, UninstrumentedRun
from cyclescope.backends.paper import PaperSession, Script
from cyclescope.core.graph.graph import Graph
from cyclescope.core.samples import Instrumentation

GRAPH = small_bert(1)
MS = 1_000_000
TRACE_NS, CALIBRATE_NS = 777, 5_000


@dataclass
class WatchedSession(PaperSession):
    """A paper session that writes down what it is asked for, and takes a known time to trace, to calibrate, and to make
    ready for an instrumented block.
    """

    ready_ns: int = 0
    uninstrumented_ns: int = 0
    blocks: list[tuple[str, int]] = field(default_factory=list)
    calibration_budgets: list[int] = field(default_factory=list)
    closed: int = 0

    def trace(self) -> Graph:
        self.clock.advance(TRACE_NS)
        return super().trace()

    def uninstrumented(self, cycles: int) -> Sequence[UninstrumentedRun]:
        self.blocks.append(("plain", cycles))
        begin = self.clock.now_ns()
        runs = super().uninstrumented(cycles)
        self.uninstrumented_ns += self.clock.now_ns() - begin
        return runs

    def instrumented(self, graph: Graph, cycles: int) -> Sequence[InstrumentedRun]:
        self.blocks.append(("light", cycles))
        self.clock.advance(self.ready_ns)
        return super().instrumented(graph, cycles)

    def calibrate(self, graph: Graph, budget_ns: int) -> Instrumentation:
        self.calibration_budgets.append(budget_ns)
        self.clock.advance(CALIBRATE_NS)
        return super().calibrate(graph, budget_ns)

    def close(self) -> None:
        self.closed += 1


def session(
    cycle_ns: int = 10 * MS,
    *,
    pace: tuple[float, ...] = (1.0,),
    warm_up: tuple[float, ...] = (),
    fail_at: int | None = None,
    interrupt_at: int | None = None,
    ready_ns: int = 0,
) -> WatchedSession:
    """A session whose cycle takes `cycle_ns` in an uninstrumented run at pace 1; stamps cost nothing, but `ready_ns` for a block."""
    slot_ns = np.full(len(GRAPH.slots), cycle_ns // len(GRAPH.slots))
    slot_ns[0] += cycle_ns - slot_ns.sum()
    script = Script(GRAPH, slot_ns, pace, warm_up, fail_at=fail_at, interrupt_at=interrupt_at)
    return WatchedSession(script, times=OpenTimes(import_ns=11, load_ns=22), ready_ns=ready_ns)
