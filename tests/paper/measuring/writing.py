"""A paper session that writes token by token on a fake clock, and can stop in the middle."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from paper_generation import BATCH, PROMPT, PaperDecoder

from cyclescope.backends.base import InstrumentedRun, UninstrumentedRun
from cyclescope.backends.paper import PAPER_WORKLOAD, FakeClock, PaperSession, Script
from cyclescope.core.graph.graph import Graph
from cyclescope.core.samples import Instrumentation, MemorySamples, ProcessorSamples
from cyclescope.core.units import IntArray

TAIL_NS = 7  # behind the last token


@dataclass
class Costs:
    """What everything takes: the first token, the k-th step after it, and how many times as long other runs are."""

    first_ns: int
    step_ns: int
    growth_ns: int = 0
    cold: float = 1.0  # of the first run of all
    trace_call_ns: int = 0
    stamped: float = 1.0
    proxy_ns: int = 0
    pace: tuple[float, ...] = (1.0,)
    runs: int = 0

    def tokens_ns(self, tokens: int) -> list[int]:
        """How long each token of one more run takes."""
        factor = (self.cold if not self.runs else 1.0) * self.pace[self.runs % len(self.pace)]
        self.runs += 1
        steps = [self.step_ns + k * self.growth_ns for k in range(tokens - 1)]
        return [int(factor * ns) for ns in (self.first_ns, *steps)]


@dataclass
class WritingPaper(PaperSession):
    """A generation of `tokens` tokens; `diary` notes what was run, with the number of tokens."""

    costs: Costs = field(default_factory=lambda: Costs(1, 1))
    tokens: int = 32
    diary: list[str] = field(default_factory=list)

    def note(self, what: str) -> None:
        self.diary.append(f"{what} {self.tokens}")

    def _run(self, factor: float, limit_ns: int | None = None) -> UninstrumentedRun:
        started, emitted = self.clock.now_ns(), []
        for ns in self.costs.tokens_ns(self.tokens):
            self.clock.advance(int(factor * ns))
            emitted.append(self.clock.now_ns() - started)
            if limit_ns is not None and len(emitted) >= 2 and emitted[-1] >= limit_ns:
                break
        if len(emitted) == self.tokens:
            self.clock.advance(TAIL_NS)
        wall = self.clock.now_ns() - started
        return UninstrumentedRun(started, wall, wall, 0, tuple(emitted))

    def rehearse(self, limit_ns: int) -> UninstrumentedRun:
        self.note("first")
        return self._run(1.0, limit_ns)

    def shortened(self, tokens: int) -> WritingPaper:
        made = writing(tokens, self.costs, self.clock)
        made.diary = self.diary
        return made

    def outline(self) -> Graph | None:
        return None

    def trace(self) -> Graph:
        self.note("trace")
        self._run(1.0)
        self.clock.advance(self.tokens * self.costs.trace_call_ns)
        return self.script.graph

    def uninstrumented(self, cycles: int) -> Sequence[UninstrumentedRun]:
        runs = []
        for _ in range(cycles):
            self.note("plain")
            runs.append(self._run(1.0))
        return runs

    def instrumented(self, graph: Graph, cycles: int) -> Sequence[InstrumentedRun]:
        runs = []
        for _ in range(cycles):
            self.note("light")
            run = self._run(self.costs.stamped)
            runs.append(InstrumentedRun(run.started_ns, self._boundaries(graph, run), run.cpu_ns))
        return runs

    def _boundaries(self, graph: Graph, run: UninstrumentedRun) -> IntArray:
        """The slots of each step share its time alike; what is before the first and behind the last step, their ends."""
        step = np.clip(graph.slots.step, 0, self.tokens - 1)
        share = np.diff([0, *run.emitted_ns]) / np.bincount(step, minlength=self.tokens)
        edges = np.concatenate([[0.0], np.cumsum(share[step])]).round().astype(np.int64)
        edges[-1] = run.wall_ns
        return edges

    def calibrate(self, graph: Graph, budget_ns: int) -> Instrumentation:
        self.diary.append("proxy" if budget_ns else "loop")
        self.clock.advance(self.costs.proxy_ns if budget_ns else 0)
        return Instrumentation("script", 0.0, 0.0, "script", 1)

    def memory(self, graph: Graph, *, again: bool) -> MemorySamples | None:
        if again:
            self.note("memory")
            self._run(1.0)
        return None

    def processor(self, graph: Graph, cycles: int) -> ProcessorSamples | None:
        for _ in range(cycles + 1):
            self.note("processor")
            self._run(self.costs.stamped)
        return None


def writing(tokens: int, costs: Costs, clock: FakeClock | None = None) -> WritingPaper:
    graph = PaperDecoder(tokens).graph()
    workload = replace(
        PAPER_WORKLOAD, task="generate", batch=BATCH, tokens_in=PROMPT, real_tokens=PROMPT * BATCH, tokens_out=tokens
    )
    script = Script(graph, np.ones(len(graph.slots), dtype=np.int64))
    return WritingPaper(script, clock or FakeClock(), workload, costs=costs, tokens=tokens)
