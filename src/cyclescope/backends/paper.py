"""The paper backend: a fixed graph on a fake clock. A first-class backend, exact to the nanosecond, without a framework."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from cyclescope.backends.base import InstrumentedRun, OpenTimes, UninstrumentedRun
from cyclescope.core.edits import Edit
from cyclescope.core.errors import EngineError
from cyclescope.core.graph.graph import Graph
from cyclescope.core.machine import Machine
from cyclescope.core.message import Text
from cyclescope.core.plan import Plan
from cyclescope.core.results import Results
from cyclescope.core.samples import DeviceSamples, Instrumentation, MemorySamples, ProcessorSamples
from cyclescope.core.units import FloatArray, IntArray, Nanoseconds
from cyclescope.core.workload import InputSource, ModelFacts, Weights, Workload


class FakeClock:
    """A clock that stands still until it is advanced."""

    def __init__(self, cores: float = 1.0) -> None:
        self._now = 0
        self._cpu = 0.0
        self._cores = cores

    def now_ns(self) -> int:
        return self._now

    def cpu_ns(self) -> int:
        return int(self._cpu)

    def advance(self, ns: int) -> None:
        self._now += ns
        self._cpu += ns * self._cores


@dataclass(frozen=True, eq=False)
class Script:
    """What a paper model does: `slot_ns` [slots] is the true time of every slot of the graph.

    `pace` multiplies a run's times, one factor a run, round and round (drift and noise can be planted here);
    `warm_up` factors come before them. A stamp pair costs `inside_ns` within an operation and `outside_ns` around it
    (multiples of four keep the quarters whole). `fail_at` raises in that run, counted from 0.
    `busy_cores` [slots] is how many cores are busy in each slot (None: unknown), and a stamp that reads the
    processor time takes `processor_stamp_ns`. `device` is what marks in a device's queue would show (None: no device).
    """

    graph: Graph
    slot_ns: IntArray
    pace: tuple[float, ...] = (1.0,)
    warm_up: tuple[float, ...] = ()
    inside_ns: int = 0
    outside_ns: int = 0
    fail_at: int | None = None
    interrupt_at: int | None = None
    busy_cores: FloatArray | None = None
    processor_stamp_ns: int = 0
    device: DeviceSamples | None = None


PAPER_WORKLOAD = Workload(
    model=ModelFacts("paper", "PaperModel", "paper", 0, 0, Weights.RANDOM, "none"),
    task="embed",
    input_source=InputSource.SYNTHETIC,
    batch=1,
    tokens_in=16,
    real_tokens=16,
    characters=0,
    text_bytes=0,
)
PAPER_MACHINE = Machine(processor="paper", cores=2, memory_bytes=1 << 30, system="paper", python="")


@dataclass
class PaperSession:
    """Runs a script. Every figure that comes out is known in advance."""

    script: Script
    clock: FakeClock = field(default_factory=FakeClock)
    workload: Workload = PAPER_WORKLOAD
    plan: Plan = field(default_factory=lambda: Plan(engine="paper", threads=1))
    machine: Machine = PAPER_MACHINE
    times: OpenTimes = field(default_factory=lambda: OpenTimes(None, None))
    notes: tuple[Text, ...] = ()
    edits: tuple[Edit, ...] = ()
    runs: int = 0

    def resume(self) -> None:
        return None  # paper has no global settings

    def trace(self) -> Graph:
        return self.script.graph

    def _factor(self) -> float:
        script, run = self.script, self.runs
        self.runs += 1
        if script.fail_at == run:
            raise EngineError("The paper model failed.", "Its script says so.")
        if script.interrupt_at == run:
            raise KeyboardInterrupt
        if run < len(script.warm_up):
            return script.warm_up[run]
        return script.pace[(run - len(script.warm_up)) % len(script.pace)]

    def _slots(self) -> IntArray:
        scaled: IntArray = np.rint(self.script.slot_ns * self._factor()).astype(np.int64)
        return scaled

    def uninstrumented(self, cycles: int) -> Sequence[UninstrumentedRun]:
        runs = []
        for _ in range(cycles):
            started, cpu = self.clock.now_ns(), self.clock.cpu_ns()
            self.clock.advance(int(self._slots().sum()))
            runs.append(UninstrumentedRun(started, self.clock.now_ns() - started, self.clock.cpu_ns() - cpu))
        return runs

    def instrumented(self, graph: Graph, cycles: int) -> Sequence[InstrumentedRun]:
        slots = graph.slots
        extra = slots.stamp_cost_ns(self.script.inside_ns, self.script.outside_ns).astype(np.int64)
        runs = []
        for _ in range(cycles):
            started, cpu = self.clock.now_ns(), self.clock.cpu_ns()
            durations = self._slots() + extra
            self.clock.advance(int(durations.sum()))
            boundaries = np.concatenate([[0], np.cumsum(durations)]).astype(np.int64)
            runs.append(InstrumentedRun(started, boundaries, self.clock.cpu_ns() - cpu))
        return runs

    def calibrate(self, graph: Graph, budget_ns: Nanoseconds) -> Instrumentation:
        return Instrumentation("script", float(self.script.inside_ns), float(self.script.outside_ns), "script", 1)

    def memory(self, graph: Graph, *, again: bool) -> MemorySamples | None:
        return None  # paper holds nothing

    def results(self) -> Results:
        return Results(np.ones((1, 1), dtype=np.int64))

    def processor(self, graph: Graph, cycles: int) -> ProcessorSamples | None:
        busy = self.script.busy_cores
        if busy is None:
            return None
        stamp = self.script.processor_stamp_ns
        waiting = float(busy[graph.slots.op < 0].mean())  # threads that wait burn as much while a stamp is taken
        walls: list[IntArray] = []
        processors: list[IntArray] = []
        for _ in range(cycles):
            slots = self._slots()
            walls.append(_boundaries(slots + stamp))
            processors.append(_boundaries(slots * busy + stamp * waiting))
            self.clock.advance(int(walls[-1][-1]))
        return ProcessorSamples(np.stack(processors), np.stack(walls), float(stamp))

    def device(self, graph: Graph, cycles: int) -> DeviceSamples | None:
        return self.script.device

    def outcome(self) -> str:
        return "nothing: this model exists on paper only"

    def close(self) -> None:
        return None


def _boundaries(durations: IntArray | FloatArray) -> IntArray:
    """Where slots of these durations begin and end, from 0."""
    boundaries: IntArray = np.rint(np.concatenate([[0.0], np.cumsum(durations)])).astype(np.int64)
    return boundaries
