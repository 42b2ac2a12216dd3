"""A cluster on paper: machines that answer in turn, measure paper models, die and come back as a script says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from paper_learning import machine

from cyclescope.backends.paper import FakeClock
from cyclescope.calibrating.learning.cluster.messages import (
    Answer,
    Calibrate,
    Calibrated,
    Described,
    Failed,
    Measure,
    Measured,
    Question,
    from_line,
)
from cyclescope.calibrating.learning.cluster.pool import Event, Lost
from cyclescope.calibrating.learning.design import VERSION as DESIGN
from cyclescope.calibrating.learning.harvesting import harvest
from cyclescope.core.ceilings import Ceilings
from cyclescope.core.lines import to_line
from cyclescope.core.version import __version__


@dataclass
class PaperMachine:
    """One machine: its ceilings, after how many shares it dies, whether it is counted in after that, and which workloads fail there."""

    ceilings: Ceilings = field(default_factory=machine)
    dies_after: int | None = None
    comes_back: bool = False
    never_free: bool = False
    fails: tuple[str, ...] = ()
    version: str = __version__
    shares: list[tuple[str, ...]] = field(default_factory=list)


class PaperPool:
    """`machines` by name; each question is answered in the order in which it was asked. What goes over the line is what would go
    over a real one.
    """

    def __init__(
        self, machines: Mapping[str, PaperMachine], folder: Path, clock: FakeClock, here: str | None = None
    ) -> None:
        self.machines = machines
        self.here = here
        self.on_event: Callable[[Event], None] = lambda event: None
        self.slots: set[str] = set()
        self._folder = folder
        self._clock = clock
        self._open: dict[str, Question] = {}

    def describe(self, engine: str) -> Mapping[str, Described | Failed]:
        return {name: Described(one.ceilings.fingerprint, one.version, DESIGN) for name, one in self.machines.items()}

    def ask(self, machine: str, question: Question) -> None:
        assert machine not in self._open, "a slot measures one thing at a time"
        read = from_line(to_line(question))
        assert isinstance(read, Question)
        self._open[machine] = read

    def next(self, timeout_s: float) -> Event | None:
        ready = [name for name in self._open if not self.machines[name].never_free]
        if not ready:
            return None
        question = self._open.pop(ready[0])
        self.slots.add(ready[0])
        event = Event(ready[0], self._outcome(ready[0], question))
        self.on_event(event)
        return event

    def holds(self, machine: str) -> bool:
        return machine in self.slots

    def alive(self, machine: str) -> bool:
        return self.machines[machine].comes_back

    def release(self, machine: str) -> None:
        self._open.pop(machine, None)
        self.slots.discard(machine)

    def _outcome(self, name: str, question: Question) -> Answer | Lost:
        one = self.machines[name]
        if isinstance(question, Calibrate):
            return Answer(Calibrated(one.ceilings))
        assert isinstance(question, Measure)
        if one.dies_after is not None and len(one.shares) >= one.dies_after:
            one.dies_after = None
            return Lost()
        names = tuple(case.name for case in question.cases)
        if set(names) & set(one.fails):
            return Answer(Failed("It does not fit.", "Too large."))
        one.shares.append(names)
        folder = self._folder / name
        paths = harvest([case.case() for case in question.cases], folder, question.budget_ns, self._clock)
        return Answer(Measured(tuple(path.stem for path in paths)), {path.stem: path.read_bytes() for path in paths})


def slower(times: float) -> Ceilings:
    """A machine that looks alike, and whose memory is so many times slower."""
    ceilings = machine()
    levels = tuple(replace(level, bytes_per_s=level.bytes_per_s.scaled(1 / times, "")) for level in ceilings.bandwidths)
    return replace(ceilings, bandwidths=levels)
