"""Best first: what promises most from the fastest plan so far is tried next, shortly; what survives is proved at length."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from cyclescope.core.clock import Clock
from cyclescope.core.edits import Edit
from cyclescope.core.errors import CyclescopeError, MissingExtra, Unsupported
from cyclescope.core.plan import Plan
from cyclescope.core.progress import Notify
from cyclescope.core.ratios import LEAST_ROUNDS as PROOF_ROUNDS
from cyclescope.core.results import Results, held_out, only
from cyclescope.core.statistics import Ratio
from cyclescope.core.units import Nanoseconds
from cyclescope.explaining.comparison import Verdict
from cyclescope.optimizing.drift import drift
from cyclescope.optimizing.optimization import Contribution, LabelScore, NotTried, Outcome, Row
from cyclescope.optimizing.parts import parts_of
from cyclescope.optimizing.strategy import Effect, Situation, Strategy, learns
from cyclescope.optimizing.trial import LEAST_ROUNDS, Arm, Turns

# How the budget is divided: looking for plans, proving the best of them, taking its parts out again. What is left is
# for the two cycles that tell why.
_SEARCH, _PROOF, _PARTS = 0.60, 0.18, 0.14
_MOST_SCREEN = 0.08  # of the budget, for the trial of one plan
# Of the budget, for making one ready. The first plan of an engine pays for the export, which the others then share: given
# up too early, that engine is lost, and with it what brings most.
_MOST_READY = 0.30
_SCREEN_ROUNDS = 6
_FINALISTS = 3
_WORTH_GOING_ON = 0.99  # a plan slower than this share of its parent's time leads nowhere
_THRESHOLD = 0.01
_LEAST_NS = 1_000_000_000
_MOVES_OUTPUTS = (Effect.APPROXIMATE, Effect.OTHER_MODEL)
_REFUSED = "moved the outputs too far where it was tried"


@dataclass(frozen=True, eq=False)
class Made:
    """An arm with the plan as it is in force, what making it ready took, and what was edited in the model."""

    arm: Arm
    plan: Plan
    ready_ns: Nanoseconds
    edits: tuple[Edit, ...] = ()


class Maker(Protocol):
    """Makes plans ready to run. Raises an error of the tree where one cannot be."""

    def make(self, plan: Plan, limit_s: float) -> Made:
        """The arm of `plan`, ready within `limit_s`."""
        ...


@dataclass(frozen=True, slots=True)
class Limits:
    """`max_drift` 0 asks for the same outputs but for rounding. `score` counts what comes out right, where there are
    labels; `max_loss` is the share of them that may be lost.
    """

    budget_ns: Nanoseconds
    max_drift: float
    score: Callable[..., LabelScore] | None = None
    max_loss: float = 0.0


@dataclass(order=True)
class _Candidate:
    """Ways to run the model come before `surgery` on it, whatever that promises: a plan that is fast already would
    otherwise have its layers taken out before other engines had their turn.
    """

    surgery: bool
    priority: float
    number: int
    plan: Plan = field(compare=False)
    strategy: str = field(compare=False)
    parent: int = field(compare=False)
    takes_s: float = field(compare=False, default=0.0)


@dataclass
class Found:
    """What there is so far; kept outside the search, so that an interruption loses the trial that was running only."""

    rows: list[Row] = field(default_factory=list)
    not_tried: list[NotTried] = field(default_factory=list)
    contributions: list[Contribution] = field(default_factory=list)
    spent: dict[str, int] = field(default_factory=dict)
    best: int = 0


class Search:
    """One search. `run` fills `found`; it may be called once."""

    def __init__(
        self,
        maker: Maker,
        baseline: Arm,
        plan: Plan,
        reference: Results,
        situation: Situation,
        strategies: Sequence[Strategy],
        limits: Limits,
        clock: Clock,
        notify: Notify,
        found: Found,
    ) -> None:
        self._maker = maker
        self._baseline = baseline
        self._reference = reference
        self._situation = situation
        self._strategies = {strategy.name: strategy for strategy in strategies}
        self._limits = limits
        self._clock = clock
        self._notify = notify
        self.found = found
        self._begin = clock.now_ns()
        self._queue: list[_Candidate] = []
        self._seen: set[Plan] = {plan}
        self._refused: set[tuple[str, str]] = set()
        score = limits.score(reference) if limits.score else None
        found.rows.append(
            Row(
                plan,
                (),
                -1,
                Outcome.TRIED,
                Ratio(1.0, 1.0, 1.0, 0),
                drift=drift(reference, reference),
                labels=score,
                held_bytes=baseline.held_bytes(),
            )
        )

    def run(self) -> None:
        """Look, prove, take apart."""
        self._expand(0)
        self._phase("search", self._look)
        self._phase("proof", self._prove)
        self._phase("parts", self._take_apart)

    # Looking ---------------------------------------------------------------------------------------------------------

    def _look(self) -> None:
        stop = self._begin + int(self._limits.budget_ns * _SEARCH)
        while self._queue and self._clock.now_ns() < stop:
            candidate = heapq.heappop(self._queue)
            self._notify("search", self._share())
            if (candidate.strategy, candidate.plan.engine) in self._refused:
                self.found.not_tried.append(NotTried(candidate.strategy, _REFUSED, candidate.plan))
                continue
            if candidate.takes_s * 1e9 > stop - self._clock.now_ns():
                self.found.not_tried.append(NotTried(candidate.strategy, "out of budget", candidate.plan))
                continue
            row = self._try(candidate, stop)
            if row.outcome is Outcome.DRIFTED and self._strategies[candidate.strategy].effect in _MOVES_OUTPUTS:
                # Strategies offer their gentlest form first, and on another plan of that engine it would do the same.
                self._refused.add((candidate.strategy, candidate.plan.engine))
            self.found.rows.append(row)
            parent = self.found.rows[candidate.parent]
            ran = row.outcome is Outcome.TRIED and row.ratio is not None
            if ran and row.speed_up * _WORTH_GOING_ON > parent.speed_up:
                self._expand(len(self.found.rows) - 1)
        for candidate in sorted(self._queue):
            self.found.not_tried.append(NotTried(candidate.strategy, "out of budget", candidate.plan))
        self._queue.clear()

    def _expand(self, parent: int) -> None:
        """Put what every strategy makes of row `parent` into the queue."""
        row = self.found.rows[parent]
        assert row.ratio is not None
        for strategy in self._strategies.values():
            if strategy.opt_in and strategy.name not in self._situation.opted:
                if parent == 0:
                    self.found.not_tried.append(NotTried(strategy.name, "takes long; name it to have it tried"))
                continue
            if strategy.effect in _MOVES_OUTPUTS and self._limits.max_drift == 0:
                if parent == 0:
                    self.found.not_tried.append(
                        NotTried(strategy.name, "changes outputs; allow a drift to have it tried")
                    )
                continue
            offer = strategy.offer(row.plan, self._situation)
            if offer.why_not and parent == 0:
                self.found.not_tried.append(NotTried(strategy.name, offer.why_not))
            for plan in offer.plans:
                if plan in self._seen:
                    continue
                self._seen.add(plan)
                # The time that is expected of it, as a share of the baseline's: the smallest first.
                expected = row.ratio.value / max(offer.expected, 0.01)
                surgery = strategy.effect is Effect.OTHER_MODEL
                number = len(self._seen)
                candidate = _Candidate(surgery, expected, number, plan, strategy.name, parent, offer.takes_s)
                heapq.heappush(self._queue, candidate)

    def _try(self, candidate: _Candidate, stop: Nanoseconds) -> Row:
        """Make the plan of `candidate` ready, look at its outputs, and run it in turns with the baseline."""
        parent = self.found.rows[candidate.parent]
        row = Row(candidate.plan, (*parent.strategies, candidate.strategy), candidate.parent, Outcome.FAILED)
        most = max(_LEAST_NS, min(int(self._limits.budget_ns * _MOST_READY), stop - self._clock.now_ns()))
        try:
            made = self._maker.make(candidate.plan, most / 1e9 + candidate.takes_s)
        except MissingExtra as error:
            return replace(row, outcome=Outcome.MISSING, reason=error.said, way_out=error.way_out)
        except Unsupported as error:
            return replace(row, outcome=Outcome.UNSUPPORTED, reason=error.said, way_out=error.way_out)
        except CyclescopeError as error:
            return replace(row, reason=error.said, way_out=error.way_out)
        row, arm = replace(row, plan=made.plan, ready_ns=made.ready_ns, edits=made.edits), made.arm
        try:
            row = self._looked_at(row, arm)
            if row.outcome is Outcome.DRIFTED:
                return row
            turns = Turns([self._baseline, arm])
            until = self._clock.now_ns() + int(self._limits.budget_ns * _MOST_SCREEN)
            while turns.rounds < _SCREEN_ROUNDS and (turns.rounds < LEAST_ROUNDS or self._clock.now_ns() < until):
                turns.round()
                if turns.rounds >= LEAST_ROUNDS and self._hopeless(turns.ratio(1, 0), parent):
                    break
            return _timed(row, turns, 1, arm, confirmed=False)
        except CyclescopeError as error:
            return replace(row, outcome=Outcome.FAILED, reason=error.said, way_out=error.way_out)
        finally:
            arm.close()

    def _looked_at(self, row: Row, arm: Arm) -> Row:
        """The row with its drift; refused where that is beyond the limit."""
        results = arm.results()
        before = self.found.rows[0].labels
        if learns(row.plan):
            # What it gives on texts that it was fitted to says little about others.
            judged = held_out(len(self._reference.mask))
            moved = drift(only(self._reference, judged), only(results, judged))
            score = self._limits.score(results, judged) if self._limits.score else None
            before = self._limits.score(self._reference, judged) if self._limits.score else None
            row = replace(row, judged_on=len(judged))
        else:
            moved = drift(self._reference, results)
            score = self._limits.score(results) if self._limits.score else None
        row = replace(row, drift=moved, labels=score, outcome=Outcome.TRIED, held_bytes=arm.held_bytes())
        if not moved.within(self._limits.max_drift):
            return replace(row, outcome=Outcome.DRIFTED, reason="drift")
        if score is not None and before is not None and before.share - score.share > self._limits.max_loss:
            return replace(row, outcome=Outcome.DRIFTED, reason="labels")
        return row

    @staticmethod
    def _hopeless(ratio: Ratio, parent: Row) -> bool:
        """Whether even the favourable end of the interval is no better than the plan that it came from."""
        return parent.ratio is not None and ratio.low > parent.ratio.high

    # Proving ---------------------------------------------------------------------------------------------------------

    def _prove(self) -> None:
        """Run the best rows side by side with the baseline, long, and choose."""
        tried = [k for k, row in enumerate(self.found.rows) if k and row.outcome is Outcome.TRIED and row.ratio]
        finalists = sorted(tried, key=lambda k: -self.found.rows[k].speed_up)[:_FINALISTS]
        finalists = [k for k in finalists if self.found.rows[k].speed_up > 1.0]
        arms: list[Arm] = []
        ready: list[int] = []
        try:
            for k in finalists:
                try:
                    arms.append(self._maker.make(self.found.rows[k].plan, self._most_s()).arm)
                    ready.append(k)
                except CyclescopeError as error:
                    self.found.rows[k] = replace(self.found.rows[k], outcome=Outcome.FAILED, reason=error.said)
            if not ready:
                return
            turns = Turns([self._baseline, *arms])
            self._take(turns, "proof", _PROOF)
            for position, k in enumerate(ready, start=1):
                self.found.rows[k] = _timed(self.found.rows[k], turns, position, arms[position - 1], confirmed=True)
            self.found.rows[0] = replace(self.found.rows[0], wall_ns=turns.wall_ns(0), confirmed=True)
            self.found.best = self._choose(ready, turns)
        finally:
            for arm in arms:
                arm.close()

    def _choose(self, ready: Sequence[int], turns: Turns) -> int:
        """The simplest of the plans that are proved to be faster, unless another is proved to be faster than that."""
        rows, base = self.found.rows, self.found.rows[0].plan
        proved = [k for k in ready if rows[k].verdict is Verdict.FASTER]
        best = 0
        for k in sorted(proved, key=lambda k: len(parts_of(rows[k].plan, base))):
            if best == 0 or turns.ratio(1 + ready.index(k), 1 + ready.index(best)).high < 1.0:
                best = k
        return best

    def _take_apart(self) -> None:
        """Take each part out of the best plan again, and run both in turns."""
        best = self.found.rows[self.found.best]
        parts = parts_of(best.plan, self.found.rows[0].plan)
        if len(parts) < 2:
            return  # one part alone is worth the whole
        arms: list[Arm] = []
        try:
            arms.append(self._maker.make(best.plan, self._most_s()).arm)
            missing: list[tuple[str, Plan, str]] = []
            ready: list[tuple[str, Plan]] = []
            for part, without in parts:
                try:
                    arms.append(self._maker.make(without, self._most_s()).arm)
                    ready.append((part, without))
                except CyclescopeError as error:
                    missing.append((part, without, error.said))
            turns = Turns(arms)
            if ready:
                self._take(turns, "parts", _PARTS)
            for position, (part, without) in enumerate(ready, start=1):
                ratio = turns.ratio(position, 0)
                self.found.contributions.append(Contribution(part, without, ratio, _verdict(ratio, turns.rounds)))
            for part, without, reason in missing:
                self.found.contributions.append(Contribution(part, without, None, Verdict.INCONCLUSIVE, reason))
        except CyclescopeError as error:
            self.found.not_tried.append(NotTried("parts", error.said))
        finally:
            for arm in arms:
                arm.close()

    def _take(self, turns: Turns, phase: str, share: float) -> None:
        """Rounds until that share of the budget is spent, and no fewer than a verdict needs."""
        until = self._clock.now_ns() + int(self._limits.budget_ns * share * 0.7)
        while turns.rounds < PROOF_ROUNDS or self._clock.now_ns() < until:
            turns.round()
            self._notify(phase, self._share())

    # The clock -------------------------------------------------------------------------------------------------------

    def _phase(self, name: str, work: Callable[[], None]) -> None:
        begin = self._clock.now_ns()
        try:
            work()
        finally:
            self.found.spent[name] = self.found.spent.get(name, 0) + self._clock.now_ns() - begin

    def _share(self) -> float:
        return min(1.0, (self._clock.now_ns() - self._begin) / max(1, self._limits.budget_ns))

    def _most_s(self) -> float:
        return max(_LEAST_NS, self._limits.budget_ns) / 1e9


def _timed(row: Row, turns: Turns, position: int, arm: Arm, *, confirmed: bool) -> Row:
    ratio = turns.ratio(position, 0)
    return replace(
        row,
        ratio=ratio,
        verdict=_verdict(ratio, turns.rounds),
        rounds=turns.rounds,
        wall_ns=turns.wall_ns(position),
        held_bytes=max(row.held_bytes, arm.held_bytes()),
        confirmed=confirmed,
    )


def _verdict(ratio: Ratio, rounds: int) -> Verdict:
    """What the interval allows to say; nothing before there are rounds enough."""
    if rounds < PROOF_ROUNDS:
        return Verdict.INCONCLUSIVE
    if ratio.high < 1 / (1 + _THRESHOLD):
        return Verdict.FASTER
    return Verdict.SLOWER if ratio.low > 1 + _THRESHOLD else Verdict.INCONCLUSIVE
