"""Measuring the workloads of a design in turn, within a budget; what was measured is kept as cycles on disk."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from cyclescope.backends.base import Request, Session
from cyclescope.backends.registry import open_session
from cyclescope.calibrating.learning.design import TrainingCase
from cyclescope.calibrating.rounds import settling_runs, share_in_turn
from cyclescope.core.clock import Clock
from cyclescope.core.cycle import Cycle
from cyclescope.core.graph.graph import Graph
from cyclescope.core.progress import Notify, silent
from cyclescope.core.samples import Instrumentation, Samples, SetUp
from cyclescope.core.units import Nanoseconds
from cyclescope.machines.load import LoadMeter
from cyclescope.measuring.assembly import assemble
from cyclescope.measuring.sampling import Collected
from cyclescope.store.run_file import save

SUFFIX = ".cycle"
_MOST_IN_BLOCK = 12


@dataclass
class OpenCase:
    """One workload that is ready to run, and what was seen of it."""

    name: str
    session: Session
    graph: Graph
    instrumentation: Instrumentation
    run_ns: Nanoseconds
    meter: LoadMeter = field(default_factory=LoadMeter)
    collected: Collected = field(default_factory=Collected)

    @staticmethod
    def open(name: str, request: Request) -> OpenCase:
        """Load the model of `request`, run it twice, trace it. Raises like `open_session`."""
        session = open_session(request)
        session.uninstrumented(1)
        graph = session.trace()
        run = session.uninstrumented(1)[0]
        return OpenCase(name, session, graph, session.calibrate(graph, 0), run.wall_ns)

    def sample(self, budget_ns: Nanoseconds) -> None:
        """A block of uninstrumented and one of instrumented runs, which take about `budget_ns` together."""
        self.session.resume()
        fit = max(1, min(_MOST_IN_BLOCK, int(budget_ns / 2 / max(1, self.run_ns))))
        settle = settling_runs(self.run_ns)
        fit = max(1, fit - settle)
        self.collected.uninstrumented += self.session.uninstrumented(settle + fit)[settle:]
        self.collected.instrumented += self.session.instrumented(self.graph, settle + fit)[settle:]

    def cycle(self) -> Cycle:
        """What was seen, as a measured cycle."""
        samples = Samples(
            uninstrumented=self.collected.uninstrumented_samples(),
            instrumented=self.collected.instrumented_samples(),
            instrumentation=self.instrumentation,
            set_up=SetUp(),
            load=self.meter.read(),
            tokens=self.collected.token_samples(),
        )
        return assemble(self.session, self.graph, samples, partial=False, notes=())


def request_of(case: TrainingCase, folder: Path, threads: int | None = None) -> Request:
    """What to open for `case`, whose configuration is written below `folder`."""
    return Request(
        str(case.write(folder)),
        tokens=case.tokens,
        batch=case.batch,
        new_tokens=case.new_tokens or None,
        task="auto" if case.new_tokens else "embed",
        weights="random",
        threads=threads,
        attention=case.attention,
    )


def harvest(
    cases: Sequence[TrainingCase],
    folder: Path,
    budget_ns: Nanoseconds,
    clock: Clock,
    progress: Notify = silent,
    threads: int | None = None,
) -> list[Path]:
    """Measure `cases` in rounds within `budget_ns` (loading apart) and keep each as a cycle in `folder`.

    After Ctrl-C what was seen is kept, and the interruption goes on up.
    """
    opened: list[OpenCase] = []
    try:
        for number, case in enumerate(cases):
            progress("load", number / len(cases))
            opened.append(OpenCase.open(case.name, request_of(case, folder / "models", threads)))
        share_in_turn(opened, clock, budget_ns, progress)
    finally:
        kept = [_keep(one, folder) for one in opened if one.collected.uninstrumented and one.collected.instrumented]
        for one in opened:
            with suppress(Exception):
                one.session.close()
    return kept


def _keep(one: OpenCase, folder: Path) -> Path:
    path = folder / f"{one.name}{SUFFIX}"
    save(one.cycle(), path)
    return path
