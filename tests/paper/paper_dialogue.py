"""A dialogue on paper: what a token costs to read and to write is planted."""

from __future__ import annotations

from dataclasses import dataclass, field

from paper_models import PAPER_BERT_WORKLOAD

from cyclescope.backends.paper import PAPER_MACHINE
from cyclescope.core.dialogue import Dialogue, TurnFacts, TurnRun
from cyclescope.core.machine import Machine
from cyclescope.core.plan import Plan
from cyclescope.core.workload import ModelFacts
from cyclescope.measuring.dialogue import dialogue_session

READ_NS, WRITE_NS, NEW = 1_000_000, 3_000_000, 5
TURNS = (TurnFacts(10, 0, 30, True), TurnFacts(40, 12, 120, True), TurnFacts(70, 45, 210, False))


@dataclass
class PaperClock:
    """A clock that stands still until somebody works."""

    at: int = 0

    def now_ns(self) -> int:
        return self.at


@dataclass
class PaperDialogue:
    """Reads a token in READ_NS and writes one in WRITE_NS; remembers what it was asked. Interrupts itself if told to."""

    clock: PaperClock
    turns: tuple[TurnFacts, ...] = TURNS
    interrupt_at: int = -1
    asked: list[tuple[int, bool]] = field(default_factory=list)
    model: ModelFacts = PAPER_BERT_WORKLOAD.model
    plan: Plan = field(default_factory=Plan)
    machine: Machine = PAPER_MACHINE
    new_tokens: int = NEW
    notes: tuple[str, ...] = ("A note [bold]of[/bold] theirs.",)

    def run(self, number: int, *, reuse: bool) -> TurnRun:
        if len(self.asked) == self.interrupt_at:
            raise KeyboardInterrupt
        self.asked.append((number, reuse))
        facts = self.turns[number]
        first = (facts.prompt_tokens - (facts.cached_tokens if reuse else 0)) * READ_NS
        wall = first + NEW * WRITE_NS
        self.clock.at += wall
        return TurnRun(first, wall)

    def close(self) -> None:
        """Nothing was changed."""


def held(budget_ns: int = 10**12, **settings: int) -> tuple[Dialogue, PaperDialogue]:
    clock = PaperClock()
    session = PaperDialogue(clock, **settings)  # type: ignore[arg-type]
    return dialogue_session(session, "plain", budget_ns, clock), session
