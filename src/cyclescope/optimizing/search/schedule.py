"""How the budget is divided. Short cycles get shares of it; where cycles are long, what must be measured comes first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cyclescope.core.ratios import LEAST_ROUNDS_FOR_VERDICT
from cyclescope.core.units import Nanoseconds
from cyclescope.optimizing.search.trial import LEAST_SCREENING_ROUNDS, estimated_round_ns

WARM_CYCLES = 1  # of each plan before a proof that runs more than trials did; it gives the outputs too
ASSUMED_TIME_SHARE = 0.5  # of the baseline's time, for a plan that was not found yet
_PROOF, _PARTS = 0.12, 0.08
_MOST_PROOF = 0.5  # of the budget; a proof that would take more has to do without a search worth the name
_MOST_SPARE = 0.2  # for either of them, however much is left
_SCREEN = 0.04  # for the trial of one plan
# For making one plan ready. The first plan of an engine pays for the export, which the others then share: given up too
# early, that engine is lost, and with it what brings most.
_MOST_READY = 0.30
_ALL_OVER = 0.05  # of the budget; beyond its end by this, a proof is broken off whatever it has


@dataclass(frozen=True, slots=True)
class ConfirmationScope:
    """How many of the fastest plans run beside the baseline, and whether a round goes one way only."""

    finalists: int
    one_way: bool


@dataclass(frozen=True, slots=True)
class Screen:
    """The least rounds of a trial, and whether they go one way only."""

    least: int
    one_way: bool


_SCREENS = (Screen(LEAST_SCREENING_ROUNDS, False), Screen(2, True), Screen(1, True))


@dataclass(frozen=True, slots=True)
class BudgetSchedule:
    """`begin_ns` is when the budget began, `after_ns` what is to be left of it at the end, for the question why."""

    begin_ns: Nanoseconds
    budget_ns: Nanoseconds
    after_ns: Nanoseconds = 0

    @property
    def end_ns(self) -> Nanoseconds:
        """When everything but the question why should be done."""
        return self.begin_ns + self.budget_ns - self.after_ns

    @property
    def over_ns(self) -> Nanoseconds:
        """When it must be."""
        return self.end_ns + int(self.budget_ns * _ALL_OVER)

    def search_until(
        self,
        baseline_ns: float,
        best_ns: float,
        warm: int = 0,
        beside_ns: Sequence[float] = (),
        *,
        parts: bool = True,
    ) -> Nanoseconds:
        """When looking ends, so that a plan with cycles of `best_ns` can still be proved and taken apart. While none is
        faster than the baseline there is nothing to take apart, and one that is twice as fast is hoped for. `warm` cycles of
        each plan come before the rounds of the proof, in which plans with cycles of `beside_ns` run too. Without `parts` nothing
        is taken apart: the best has one.
        """
        walls = [baseline_ns, min(best_ns, ASSUMED_TIME_SHARE * baseline_ns), *beside_ns]
        least = LEAST_ROUNDS_FOR_VERDICT * estimated_round_ns(walls, one_way=True) + warm * sum(walls)
        if best_ns >= baseline_ns:
            return self.begin_ns + self.budget_ns - int(min(least, self.budget_ns * _MOST_PROOF))
        proof = min(max(self.budget_ns * _PROOF, least), self.budget_ns * _MOST_PROOF)
        return self.end_ns - int(proof + (self.budget_ns * _PARTS if parts else 0))

    def proof_until(self, now_ns: Nanoseconds) -> Nanoseconds:
        """When proving ends that begins now, where it could go on: not all that a short search has left over."""
        return now_ns + min(self.proof_left(now_ns), int(self.budget_ns * _MOST_SPARE))

    def proof_left(self, now_ns: Nanoseconds) -> Nanoseconds:
        """What the least rounds of a proof that begins now may take."""
        return self.end_ns - int(self.budget_ns * _PARTS) - now_ns

    def parts_until(self, now_ns: Nanoseconds) -> Nanoseconds:
        """The same for taking apart."""
        return min(self.end_ns, now_ns + int(self.budget_ns * _MOST_SPARE))

    def enough_ns(self, now_ns: Nanoseconds, more_ns: float) -> Nanoseconds:
        """A budget in which `more_ns` beyond what was spent until now would fit, with the phases behind it."""
        return int((now_ns - self.begin_ns + more_ns + self.after_ns) / (1 - _PARTS))

    def most_ready_ns(self) -> Nanoseconds:
        """What making one plan ready may take at most."""
        return int(self.budget_ns * _MOST_READY)

    def screen_ns(self) -> Nanoseconds:
        """What the trial of one plan should take."""
        return int(self.budget_ns * _SCREEN)

    def left_ns(self, now_ns: Nanoseconds) -> Nanoseconds:
        """What is left of the budget."""
        return max(0, self.begin_ns + self.budget_ns - now_ns)

    def share(self, now_ns: Nanoseconds) -> float:
        """Share of the budget that is spent."""
        return min(1.0, (now_ns - self.begin_ns) / max(1, self.budget_ns))

    def screen(self, walls_ns: Sequence[float]) -> Screen:
        """How a plan is tried beside the baseline: one round at least, of one cycle each, where they are very long."""
        for screen in _SCREENS:
            if screen.least * estimated_round_ns(walls_ns, one_way=screen.one_way) <= self.screen_ns():
                return screen
        return _SCREENS[-1]


def confirmation_scope(
    baseline_ns: float, walls_ns: Sequence[float], ready_ns: Sequence[Nanoseconds], time_ns: Nanoseconds
) -> ConfirmationScope:
    """What of a proof fits into `time_ns`: the finalists have cycles of `walls_ns`, the fastest first, and take `ready_ns`
    to be made ready. Rounds both ways are better than one way, then more finalists than fewer; one is always run.
    """
    n = len(walls_ns)
    several = [(k, False) for k in range(n, max(1, n - 1) - 1, -1)] + [(k, True) for k in range(n, 0, -1)]
    for count, one_way in several:
        rounds = LEAST_ROUNDS_FOR_VERDICT * estimated_round_ns([baseline_ns, *walls_ns[:count]], one_way=one_way)
        if sum(ready_ns[:count]) + rounds <= time_ns:
            return ConfirmationScope(count, one_way)
    return ConfirmationScope(min(1, n), True)
