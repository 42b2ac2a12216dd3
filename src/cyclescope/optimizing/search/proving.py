"""The best of what was found, proved at length: side by side with the model as it is, then with each part taken out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from cyclescope.core.clock import Clock
from cyclescope.core.errors import CyclescopeError
from cyclescope.core.plan import Plan
from cyclescope.core.progress import Notify
from cyclescope.core.ratios import LEAST_ROUNDS as PROOF_ROUNDS
from cyclescope.core.statistics import Ratio
from cyclescope.core.units import NS_PER_S, Nanoseconds
from cyclescope.explaining.comparison import Verdict
from cyclescope.optimizing.optimization import OUT_OF_BUDGET, Choice, Contribution, Found, NotTried, Outcome, Row
from cyclescope.optimizing.search.keeping import Kept, Made
from cyclescope.optimizing.search.parts import parts_of
from cyclescope.optimizing.search.schedule import Schedule, course
from cyclescope.optimizing.search.trial import Turns, estimated_round_ns

_FINALISTS = 3
_IN_SIGHT = 0.6  # of the speed of the fastest; a plan slower than that is not going to be the fastest after all
_THRESHOLD = 0.01
# A plan with more parts is taken unproved where it was measured to be faster by more than this.
_WORTH_A_PART = 1.03
_NARROW = 1.01  # upper ÷ lower end of every interval; half of what a verdict turns on
_LEAST_TO_TELL = 2  # rounds, for an interval
_LEAST_NS = NS_PER_S


class Proving:
    """Proves and takes apart what is in `found`, within `schedule`. `baseline_ns` is the time of a cycle of the baseline."""

    def __init__(
        self,
        kept: Kept,
        baseline: Made,
        baseline_ns: float,
        found: Found,
        schedule: Schedule,
        clock: Clock,
        notify: Notify,
    ) -> None:
        self._kept = kept
        self._baseline = baseline
        self._baseline_ns = baseline_ns
        self.found = found
        self._schedule = schedule
        self._clock = clock
        self._notify = notify
        self._turns: Turns | None = None
        self._positions: dict[Plan, int] = {}

    def prove(self) -> None:
        """Run the best rows side by side with the baseline, long, and choose."""
        rows, now = self.found.rows, self._clock.now_ns()
        finalists = self._finalists()
        if not finalists:
            return
        until = self._schedule.proof_until(now)
        ready_ns = [0 if self._kept.holds(rows[k].plan) else rows[k].again_ns for k in finalists]
        decided = course(
            self._baseline_ns, [rows[k].wall_ns for k in finalists], ready_ns, self._schedule.proof_left(now)
        )
        finalists = finalists[: decided.finalists]
        walls = [self._baseline_ns, *(rows[k].wall_ns for k in finalists)]
        least = _LEAST_TO_TELL * estimated_round_ns(walls, one_way=decided.one_way)
        if now + sum(ready_ns[: decided.finalists]) + least > self._schedule.over_ns:
            self.found.not_tried.append(NotTried("proof", OUT_OF_BUDGET))
            return
        made: list[Made] = []
        ready: list[int] = []
        try:
            for k in finalists:
                try:
                    made.append(self._kept.make(rows[k].plan, self._most_s()))
                    ready.append(k)
                except CyclescopeError as error:
                    rows[k] = replace(rows[k], outcome=Outcome.FAILED, reason=error.said)
            if not ready:
                return
            walls = [self._baseline_ns, *(rows[k].wall_ns for k in ready)]
            arms = [self._baseline.arm, *(each.arm for each in made)]
            turns = Turns(arms, one_way=decided.one_way, typical_ns=walls)
            self._take(turns, "proof", until)
        except BaseException:
            for each in made:
                self._kept.drop(each)
            raise
        for position, (k, each) in enumerate(zip(ready, made, strict=True), start=1):
            rows[k] = timed(rows[k], turns, position, each, confirmed=True)
            self._positions[rows[k].plan] = position
            self._kept.leave(each, worth(rows[k], self._baseline.plan))
        self._turns = turns
        self._baseline_ns = turns.wall_ns(0)
        rows[0] = replace(rows[0], wall_ns=self._baseline_ns, confirmed=True)
        self.found.best, self.found.choice = chosen(rows, ready, turns)

    def take_apart(self) -> None:
        """Take each part out of the best plan again, and run both in turns; those of them that there is time for."""
        best = self.found.rows[self.found.best]
        parts = parts_of(best.plan, self.found.rows[0].plan)
        if len(parts) < 2:
            return  # one part alone is worth the whole
        apart = [(part, without) for part, without in parts if without not in self._positions]
        worth = {part: self._proved(part, without) for part, without in parts if without in self._positions}
        try:
            worth |= self._measured(best, apart)
        except CyclescopeError as error:
            self.found.not_tried.append(NotTried("parts", error.said))
        finally:  # an interruption keeps what the proof told already
            self.found.contributions += [worth[part] for part, _ in parts if part in worth]

    def _proved(self, part: str, without: Plan) -> Contribution:
        """What a part is worth by the proof, in which the plan without it ran as well."""
        assert self._turns is not None
        best = self._positions[self.found.rows[self.found.best].plan]
        ratio = self._turns.ratio(self._positions[without], best)
        return Contribution(part, without, ratio, verdict_of(ratio, self._turns.rounds))

    def _measured(self, best: Row, parts: Sequence[tuple[str, Plan]]) -> dict[str, Contribution]:
        """The same by rounds of their own, of the parts that there is time for; why not, of the others."""
        told: dict[str, Contribution] = {}
        one_way, fitting = self._fitting(best, parts)
        for part, without in parts:
            if (part, without) not in fitting:
                told[part] = Contribution(part, without, None, Verdict.INCONCLUSIVE, OUT_OF_BUDGET)
        if not fitting:
            return told
        made = [self._kept.make(best.plan, self._most_s())]
        walls = [best.wall_ns]
        try:
            ready: list[tuple[str, Plan]] = []
            for part, without in fitting:
                try:
                    made.append(self._kept.make(without, self._most_s()))
                except CyclescopeError as error:
                    told[part] = Contribution(part, without, None, Verdict.INCONCLUSIVE, error.said)
                else:
                    ready.append((part, without))
                    walls.append(self._wall_ns(without))
            if not ready:
                return told
            turns = Turns([each.arm for each in made], one_way=one_way, typical_ns=walls)
            self._take(turns, "parts", self._schedule.parts_until(self._clock.now_ns()))
            for position, (part, without) in enumerate(ready, start=1):
                ratio = turns.ratio(position, 0)
                told[part] = Contribution(part, without, ratio, verdict_of(ratio, turns.rounds))
        finally:
            for each in made[1:]:
                self._kept.drop(each)
            self._kept.leave(made[0], math.inf)  # whatever else is there
        return told

    def _fitting(self, best: Row, parts: Sequence[tuple[str, Plan]]) -> tuple[bool, list[tuple[str, Plan]]]:
        """Which parts can be taken out in the time that is left, the cheapest first, and whether in rounds one way."""
        left = self._schedule.end_ns - self._clock.now_ns() - self._ready_ns(best.plan)
        cheapest_first = sorted(parts, key=lambda each: self._ready_ns(each[1]))
        for one_way in (False, True):
            fitting = list(cheapest_first)
            while fitting:
                walls = [best.wall_ns, *(self._wall_ns(without) for _, without in fitting)]
                rounds = PROOF_ROUNDS * estimated_round_ns(walls, one_way=one_way)
                if rounds + sum(self._ready_ns(without) for _, without in fitting) <= left:
                    break
                fitting.pop()
            if len(fitting) == len(parts) or one_way:
                return one_way, fitting
        return True, []

    def _row(self, plan: Plan) -> Row | None:
        return next((row for row in self.found.rows if row.plan == plan and row.ratio is not None), None)

    def _wall_ns(self, plan: Plan) -> float:
        """Time of a cycle of `plan` where it was tried; that of the baseline otherwise."""
        row = self._row(plan)
        return row.wall_ns if row is not None else self._baseline_ns

    def _ready_ns(self, plan: Plan) -> Nanoseconds:
        """What it takes to make `plan` ready: nothing where it is, what it takes again where it was, or as much as anything
        on that engine.
        """
        if self._kept.holds(plan):
            return 0
        row = self._row(plan)
        if row is not None:
            return row.again_ns
        same = [other.ready_ns for other in self.found.rows if other.plan.engine == plan.engine]
        return max(same, default=self._baseline.ready_ns)

    def _finalists(self) -> list[int]:
        """The fastest rows that ran and keep to the limit, the fastest first."""
        rows = self.found.rows
        ran = [k for k, row in enumerate(rows) if k and row.outcome is Outcome.TRIED and row.speed_up > 1.0]
        fastest = sorted(ran, key=lambda k: -worth(rows[k], rows[0].plan))[:_FINALISTS]
        return [k for k in fastest if rows[k].speed_up >= _IN_SIGHT * rows[fastest[0]].speed_up]

    def _take(self, turns: Turns, phase: str, until: Nanoseconds) -> None:
        """Rounds until more would tell nothing new or time is up, and no fewer than a verdict needs unless the budget is far
        exceeded.
        """
        begin = self._clock.now_ns()
        while True:
            one = (self._clock.now_ns() - begin) // max(1, turns.rounds)
            ends = self._clock.now_ns() + one
            if turns.rounds >= PROOF_ROUNDS and (ends > until or turns.settled(_NARROW)):
                return
            if turns.rounds >= _LEAST_TO_TELL and ends > self._schedule.over_ns:
                self.found.not_tried.append(NotTried(phase, f"{OUT_OF_BUDGET}, after {turns.rounds} rounds"))
                return
            turns.round()
            self._notify(phase, self._schedule.share(self._clock.now_ns()))

    def _most_s(self) -> float:
        return max(_LEAST_NS, self._schedule.over_ns - self._clock.now_ns()) / NS_PER_S


def worth(row: Row, base: Plan) -> float:
    """How many times as fast as the plan `base` it is, with a part more counted against it."""
    return row.speed_up / math.pow(_WORTH_A_PART, len(parts_of(row.plan, base)))


def timed(row: Row, turns: Turns, position: int, made: Made, *, confirmed: bool) -> Row:
    """`row` with what the rounds say about its arm, which is at `position` of them; the baseline is at 0."""
    ratio = turns.ratio(position, 0)
    return replace(
        row,
        ratio=ratio,
        verdict=verdict_of(ratio, turns.rounds),
        rounds=turns.rounds,
        wall_ns=turns.wall_ns(position),
        held_bytes=max(row.held_bytes, made.arm.held_bytes()),
        confirmed=confirmed,
    )


def verdict_of(ratio: Ratio, rounds: int) -> Verdict:
    """What the interval allows to say; nothing before there are rounds enough."""
    if rounds < PROOF_ROUNDS:
        return Verdict.INCONCLUSIVE
    if ratio.high < 1 / (1 + _THRESHOLD):
        return Verdict.FASTER
    return Verdict.SLOWER if ratio.low > 1 + _THRESHOLD else Verdict.INCONCLUSIVE


def chosen(rows: Sequence[Row], ready: Sequence[int], turns: Turns) -> tuple[int, Choice | None]:
    """Of the plans that are proved to be faster than the baseline the one with the fewest parts, unless another is proved
    to be faster than that, or was measured to be faster by more than three hundredths. Rows `ready` are the arms 1, 2, …
    of `turns`. With it, what it was preferred to without a proof.
    """

    def ratio(k: int, to: int) -> Ratio:
        return turns.ratio(1 + ready.index(k), 1 + ready.index(to))

    size = {k: len(parts_of(rows[k].plan, rows[0].plan)) for k in ready}
    proved = sorted((k for k in ready if rows[k].verdict is Verdict.FASTER), key=lambda k: size[k])
    best = 0
    for k in proved:
        least = _WORTH_A_PART if best and size[k] > size[best] else 1.0
        if best == 0 or ratio(k, best).high < 1.0 or ratio(k, best).value < 1 / least:
            best = k
    for k in proved:
        if size[k] < size[best] and ratio(best, k).high >= 1.0:
            return best, Choice(k, ratio(best, k))
    return best, None
