"""The best of what was found, proved at length: side by side with the baseline, then with each part taken out."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeAlias

from cyclescope.core.clock import Clock
from cyclescope.core.errors import CyclescopeError
from cyclescope.core.plan import ModelChange, Plan, Quantization
from cyclescope.core.progress import Notify, tell
from cyclescope.core.ratios import LEAST_ROUNDS_FOR_VERDICT
from cyclescope.core.statistics import Ratio
from cyclescope.core.units import NS_PER_S, Nanoseconds
from cyclescope.explaining.comparison import Verdict
from cyclescope.optimizing.optimization import (
    OUT_OF_BUDGET,
    Choice,
    Contribution,
    Found,
    Outcome,
    Phase,
    Row,
    Unfinished,
)
from cyclescope.optimizing.search.ablation import ablations
from cyclescope.optimizing.search.drift import drift
from cyclescope.optimizing.search.plan_cache import PreparedPlan
from cyclescope.optimizing.search.schedule import WARM_CYCLES, BudgetSchedule, confirmation_scope
from cyclescope.optimizing.search.status import best_of
from cyclescope.optimizing.search.trial import InterleavedRuns, estimated_round_ns
from cyclescope.optimizing.search.trials import Trials

Numbers: TypeAlias = tuple[str, str, str, tuple[ModelChange, ...]]

_FINALISTS = 3
_IN_SIGHT = 0.6  # of the speed of the fastest; a plan slower than that is not going to be the fastest after all
_THRESHOLD = 0.01
# A plan with more parts is taken unproved where it was measured to be faster by more than this.
_WORTH_A_PART = 1.03
_NARROW = 1.01  # upper ÷ lower end of every interval; half of what a verdict turns on
_LEAST_TO_TELL = 2  # rounds, for an interval
_LEAST_NS = NS_PER_S


class Confirmation:
    """Proves and takes apart what is in `found`, within `schedule`. `trials` take plans apart. `proof` makes ready what the
    proof runs (None: the same); the outputs of its plans are then judged once more, by `max_drift`. `baseline_is` says what
    a cycle takes before anything else is asked.
    """

    def __init__(
        self,
        trials: Trials,
        proof: Callable[[], Trials] | None,
        found: Found,
        schedule: BudgetSchedule,
        max_drift: float,
        clock: Clock,
        notify: Notify,
    ) -> None:
        self._trials = trials
        self._proof = proof
        self._plan_cache = trials.plan_cache
        self._baseline = trials.baseline
        self._baseline_ns, self._run_share = 0.0, 1.0
        self.found = found
        self._schedule = schedule
        self._max_drift = max_drift
        self._clock = clock
        self._notify = notify
        self._interleaved: InterleavedRuns | None = None
        self._opened: Trials | None = None
        self._judged: dict[Numbers, Plan] = {}  # by format of numbers, the plan whose outputs were judged in the proof
        self.all_refused = False  # the last confirmation found that every plan drifts too far
        self.refused: set[Numbers] = set()  # formats of numbers that drift too far on all that the proof generates
        self._positions: dict[Plan, int] = {}

    def baseline_is(self, baseline_ns: float, run_ns: float) -> None:
        """What was last seen of the baseline: the time of a whole cycle and of a run of the trials."""
        self._baseline_ns, self._run_share = baseline_ns, run_ns / baseline_ns if baseline_ns else 1.0

    def confirm(self) -> None:
        """Run the best rows side by side with the baseline, long, and choose. Where there is no time for that, the fastest
        is chosen unproved.
        """
        rows, now = self.found.rows, self._clock.now_ns()
        self.all_refused = False
        finalists = self._finalists()
        if not finalists:
            return
        until = self._schedule.proof_until(now)
        likely = finalists[:_FINALISTS]
        ready_ns = [self._proof_ready_ns(rows[k]) for k in likely]
        baseline_ns = 0 if self._opened is not None else self._warm_ns(self._baseline_ns)
        decided = confirmation_scope(
            self._baseline_ns,
            [rows[k].wall_ns for k in likely],
            ready_ns,
            self._schedule.proof_left(now) - baseline_ns,
        )
        walls = [self._baseline_ns, *(rows[k].wall_ns for k in finalists[: decided.finalists])]
        before = baseline_ns + sum(ready_ns[: decided.finalists])
        one = estimated_round_ns(walls, one_way=decided.one_way)
        if now + before + _LEAST_TO_TELL * one > self._schedule.over_ns:
            self._hand_over(finalists[0], before + LEAST_ROUNDS_FOR_VERDICT * one)
            return
        proof = self._proving()
        prepared: list[PreparedPlan] = []
        ready: list[int] = []
        try:
            while finalists and len(ready) < decided.finalists:
                k = self._next(finalists, ready)
                if self._no_time_for(rows[k], walls if ready else walls[:1]):
                    break
                finalists.remove(k)
                if made := self._made_ready(k, proof):
                    prepared.append(made)
                    ready.append(k)
                finalists = [other for other in finalists if numbers(rows[other].plan) not in self.refused]
            if not ready:
                if finalists:  # none could be made ready in what was left
                    more = self._proof_ready_ns(rows[finalists[0]]) + LEAST_ROUNDS_FOR_VERDICT * one
                    self._hand_over(finalists[0], more)
                self.all_refused = not finalists
                return
            walls = [self._baseline_ns, *(rows[k].wall_ns for k in ready)]
            variants = [proof.baseline.variant, *(each.variant for each in prepared)]
            interleaved = InterleavedRuns(variants, one_way=decided.one_way, typical_ns=walls, whole=proof.whole)
            self._take(interleaved, Phase.CONFIRMATION, until)
        except BaseException:
            for each in prepared:
                proof.plan_cache.evict(each)
            raise
        for position, (k, each) in enumerate(zip(ready, prepared, strict=True), start=1):
            rows[k] = timed(rows[k], interleaved, position, each, confirmed=True)
            self._positions[rows[k].plan] = position
            proof.plan_cache.release(each, utility(rows[k], self._baseline.plan))
        self._interleaved = interleaved
        self._baseline_ns = interleaved.wall_ns(0)
        rows[0] = replace(rows[0], wall_ns=self._baseline_ns, confirmed=True)
        self.found.best, self.found.choice = chosen(rows, ready, interleaved)
        if not self.found.best and interleaved.rounds < LEAST_ROUNDS_FOR_VERDICT and rows[ready[0]].speed_up > 1:
            more = (LEAST_ROUNDS_FOR_VERDICT - interleaved.rounds) * estimated_round_ns(walls, one_way=decided.one_way)
            self._hand_over(ready[0], more, interleaved.rounds)

    def _next(self, finalists: Sequence[int], ready: Sequence[int]) -> int:
        """The fastest of `finalists`; where what is `ready` drifts, the fastest of those that do not, if there is one: who
        allows a drift wants to know what is to be had without it.
        """
        rows, base = self.found.rows, self.found.rows[0].plan
        drifts = bool(ready) and not same_outputs(rows[ready[0]], base)
        return next((k for k in finalists if drifts and same_outputs(rows[k], base)), finalists[0])

    def judge(self, k: int) -> None:
        """Judge the outputs of row `k` on all that the proof generates, where trials generate less and its format of numbers was
        not judged yet: what is made of it later need not be tried in vain.
        """
        row = self.found.rows[k]
        if (
            self._proof is None
            or numbers(row.plan) == numbers(self._baseline.plan)
            or numbers(row.plan) in self._judged
        ):
            return
        walls = [self._baseline_ns, row.wall_ns]
        warm = self._proof_ready_ns(row) + (0 if self._opened is not None else self._warm_ns(self._baseline_ns))
        least = LEAST_ROUNDS_FOR_VERDICT * estimated_round_ns(walls, one_way=True)
        if self._clock.now_ns() + warm + least > self._schedule.end_ns:
            return
        proof = self._proving()
        if made := self._made_ready(k, proof):
            proof.plan_cache.release(made, utility(row, self._baseline.plan))

    def _proving(self) -> Trials:
        """What the proof runs, made ready when it is first needed."""
        if self._opened is None:
            self._opened = self._proof() if self._proof is not None else self._trials
        return self._opened

    def _hand_over(self, k: int, more_ns: float, rounds: int = 0) -> None:
        """Choose row `k` unproved, after so many rounds; a proof would take `more_ns` beyond them."""
        needs = self._schedule.enough_ns(self._clock.now_ns(), more_ns)
        others = [left for left in self.found.unfinished if left.phase is not Phase.CONFIRMATION]
        self.found.unfinished = [*others, Unfinished(Phase.CONFIRMATION, rounds, needs_ns=needs)]
        self.found.best = k

    def _made_ready(self, k: int, proof: Trials) -> PreparedPlan | None:
        """The plan of row `k`, ready for the proof; None where it cannot be, or where it drifts too far on all that the proof
        generates.
        """
        rows = self.found.rows
        try:
            made = proof.plan_cache.make(rows[k].plan, self._most_s())
        except CyclescopeError as error:
            rows[k] = replace(rows[k], outcome=Outcome.FAILED, reason=error.summary)
            return None
        if self._proof is None or self._judged.get(numbers(rows[k].plan)) == rows[k].plan:
            return made
        try:
            moved = drift(proof.reference, made.variant.results())
        except CyclescopeError as error:
            proof.plan_cache.evict(made)
            rows[k] = replace(rows[k], outcome=Outcome.FAILED, reason=error.summary)
            return None
        self._judged[numbers(rows[k].plan)] = rows[k].plan
        rows[k] = replace(rows[k], drift=moved)
        if moved.within(self._max_drift):
            return made
        proof.plan_cache.evict(made)
        rows[k] = replace(rows[k], outcome=Outcome.DRIFTED)
        self.refused.add(numbers(rows[k].plan))
        return None

    def _proof_ready_ns(self, row: Row) -> Nanoseconds:
        """What making a row ready for the proof takes."""
        if self._proof is None and self._plan_cache.holds(row.plan):
            return 0
        if self._opened is not None and self._opened.plan_cache.holds(row.plan):
            return 0
        return row.again_ns + self._warm_ns(row.wall_ns)

    def _warm_ns(self, wall_ns: float) -> Nanoseconds:
        """The cycles of a plan before the rounds of the proof."""
        return 0 if self._proof is None else int(WARM_CYCLES * wall_ns)

    def _no_time_for(self, row: Row, walls: Sequence[float]) -> bool:
        """Whether one plan more leaves too little for the least rounds of a proof."""
        rounds = LEAST_ROUNDS_FOR_VERDICT * estimated_round_ns([*walls, row.wall_ns], one_way=True)
        return self._clock.now_ns() + self._proof_ready_ns(row) + rounds > self._schedule.end_ns

    def ablate(self) -> None:
        """Take each part out of the best plan again, and run both interleaved; those of them that there is time for."""
        best = self.found.rows[self.found.best]
        parts = ablations(best.plan, self.found.rows[0].plan)
        if len(parts) < 2:
            return  # one part alone is worth the whole
        apart = [(part, without) for part, without in parts if without not in self._positions]
        utility = {part: self._proved(part, without) for part, without in parts if without in self._positions}
        try:
            utility |= self._measured(best, apart)
        except CyclescopeError as error:
            self.found.unfinished.append(Unfinished(Phase.ABLATION, reason=error.summary))
        finally:  # an interruption keeps what the proof has found so far
            self.found.contributions += [utility[part] for part, _ in parts if part in utility]

    def _proved(self, part: str, without: Plan) -> Contribution:
        """What a part is worth by the proof, in which the plan without it ran as well."""
        assert self._interleaved is not None
        best = self._positions[self.found.rows[self.found.best].plan]
        ratio = self._interleaved.ratio(self._positions[without], best)
        return Contribution(part, without, ratio, verdict_of(ratio, self._interleaved.rounds))

    def _measured(self, best: Row, parts: Sequence[tuple[str, Plan]]) -> dict[str, Contribution]:
        """The same by rounds of their own, of the parts that there is time for; why not, of the others."""
        contributions: dict[str, Contribution] = {}
        one_way, fitting = self._fitting(best, parts)
        for part, without in parts:
            if (part, without) not in fitting:
                contributions[part] = Contribution(part, without, None, Verdict.INCONCLUSIVE, OUT_OF_BUDGET)
        if not fitting:
            return contributions
        prepared = [self._plan_cache.make(best.plan, self._most_s())]
        walls = [best.wall_ns * self._run_share]
        try:
            ready: list[tuple[str, Plan]] = []
            for part, without in fitting:
                try:
                    prepared.append(self._plan_cache.make(without, self._most_s()))
                except CyclescopeError as error:
                    contributions[part] = Contribution(part, without, None, Verdict.INCONCLUSIVE, error.summary)
                else:
                    ready.append((part, without))
                    walls.append(self._trial_ns(without))
            if not ready:
                return contributions
            variants = [each.variant for each in prepared]
            interleaved = InterleavedRuns(variants, one_way=one_way, typical_ns=walls, whole=self._trials.whole)
            self._take(interleaved, Phase.ABLATION, self._schedule.parts_until(self._clock.now_ns()))
            for position, (part, without) in enumerate(ready, start=1):
                ratio = interleaved.ratio(position, 0)
                contributions[part] = Contribution(part, without, ratio, verdict_of(ratio, interleaved.rounds))
        finally:
            for each in prepared[1:]:
                self._plan_cache.evict(each)
            self._plan_cache.release(prepared[0], math.inf)  # whatever else is there
        return contributions

    def _fitting(self, best: Row, parts: Sequence[tuple[str, Plan]]) -> tuple[bool, list[tuple[str, Plan]]]:
        """Which parts can be taken out in the time that is left, the cheapest first, and whether in rounds one way."""
        left = self._schedule.end_ns - self._clock.now_ns() - self._ready_ns(best.plan)
        cheapest_first = sorted(parts, key=lambda each: self._ready_ns(each[1]))
        for one_way in (False, True):
            fitting = list(cheapest_first)
            while fitting:
                walls = [best.wall_ns * self._run_share, *(self._trial_ns(without) for _, without in fitting)]
                rounds = LEAST_ROUNDS_FOR_VERDICT * estimated_round_ns(walls, one_way=one_way)
                if rounds + sum(self._ready_ns(without) for _, without in fitting) <= left:
                    break
                fitting.pop()
            if len(fitting) == len(parts) or one_way:
                return one_way, fitting
        return True, []

    def _row(self, plan: Plan) -> Row | None:
        return next((row for row in self.found.rows if row.plan == plan and row.ratio is not None), None)

    def _trial_ns(self, plan: Plan) -> float:
        """Time of a trial's run of `plan` where it was tried; that of the baseline otherwise."""
        row = self._row(plan)
        return (row.wall_ns if row is not None else self._baseline_ns) * self._run_share

    def _ready_ns(self, plan: Plan) -> Nanoseconds:
        """What it takes to make `plan` ready: nothing where it is, what it takes again where it was, or as much as anything
        on that engine.
        """
        if self._plan_cache.holds(plan):
            return 0
        row = self._row(plan)
        if row is not None:
            return row.again_ns
        same = [other.ready_ns for other in self.found.rows if other.plan.engine == plan.engine]
        return max(same, default=self._baseline.ready_ns)

    def _finalists(self) -> list[int]:
        """Rows that ran and keep to the limit, the fastest first; before a long proof the fastest without drift is second."""
        rows = self.found.rows
        ran = [k for k, row in enumerate(rows) if k and row.outcome is Outcome.TRIED and row.speed_up > 1.0]
        fastest = sorted(ran, key=lambda k: -utility(rows[k], rows[0].plan))
        if self._proof is not None:
            # The proof judges outputs on more: what keeps to the limit in a trial may not, and the others stand by.
            left = [k for k in fastest if numbers(rows[k].plan) not in self.refused]
            exact = [k for k in left if same_outputs(rows[k], rows[0].plan)][:1]
            return [*left[:1], *(k for k in exact if k != left[0]), *(k for k in left[1:] if k not in exact)]
        return [k for k in fastest[:_FINALISTS] if rows[k].speed_up >= _IN_SIGHT * rows[fastest[0]].speed_up]

    def _take(self, interleaved: InterleavedRuns, phase: Phase, until: Nanoseconds) -> None:
        """Rounds until more would tell nothing new or time is up, and no fewer than a verdict needs unless the budget is far
        exceeded.
        """
        begin = self._clock.now_ns()
        while True:
            one = (self._clock.now_ns() - begin) // max(1, interleaved.rounds)
            ends = self._clock.now_ns() + one
            if interleaved.rounds >= LEAST_ROUNDS_FOR_VERDICT and (ends > until or interleaved.settled(_NARROW)):
                return
            if interleaved.rounds >= _LEAST_TO_TELL and ends > self._schedule.over_ns:
                self.found.unfinished.append(Unfinished(phase, interleaved.rounds))
                return
            interleaved.round()
            now = self._clock.now_ns()
            share, left_ns = self._schedule.share(now), self._schedule.left_ns(now)
            tell(self._notify, phase, share, best=best_of(self.found.rows), left_ns=left_ns)

    def _most_s(self) -> float:
        return max(_LEAST_NS, self._schedule.over_ns - self._clock.now_ns()) / NS_PER_S


def numbers(plan: Plan) -> Numbers:
    """What decides how far the outputs of `plan` drift, as a rule."""
    return plan.engine, plan.quantization, plan.dtype, plan.changes


def same_outputs(row: Row, base: Plan) -> bool:
    """Whether the outputs of `row` are the same but for rounding, and not only on the few tokens of a trial: it computes in
    the numbers of the plan `base`, or chooses tokens in them.
    """
    plan = row.plan
    if plan.quantization is Quantization.INT8_HEAD:
        plan = replace(plan, quantization=Quantization.OFF)
    return row.drift is not None and row.drift.same and numbers(plan)[1:] == numbers(base)[1:]


def utility(row: Row, base: Plan) -> float:
    """How many times as fast as the plan `base` it is, with a part more counted against it."""
    return row.speed_up / math.pow(_WORTH_A_PART, len(ablations(row.plan, base)))


def timed(row: Row, interleaved: InterleavedRuns, position: int, prepared: PreparedPlan, *, confirmed: bool) -> Row:
    """`row` with what the rounds say about its variant, which is at `position` of them; the baseline is at 0."""
    ratio = interleaved.ratio(position, 0)
    return replace(
        row,
        ratio=ratio,
        verdict=verdict_of(ratio, interleaved.rounds),
        rounds=interleaved.rounds,
        wall_ns=interleaved.wall_ns(position),
        held_bytes=max(row.held_bytes, prepared.variant.held_bytes()),
        confirmed=confirmed,
    )


def verdict_of(ratio: Ratio, rounds: int) -> Verdict:
    """What the interval allows to say; nothing before there are rounds enough."""
    if rounds < LEAST_ROUNDS_FOR_VERDICT:
        return Verdict.INCONCLUSIVE
    if ratio.high < 1 / (1 + _THRESHOLD):
        return Verdict.FASTER
    return Verdict.SLOWER if ratio.low > 1 + _THRESHOLD else Verdict.INCONCLUSIVE


def chosen(rows: Sequence[Row], ready: Sequence[int], interleaved: InterleavedRuns) -> tuple[int, Choice | None]:
    """Of the plans that are proved to be faster than the baseline the one with the fewest parts, unless another is proved
    to be faster than that, or was measured to be faster by more than three hundredths. Rows `ready` are the variants 1, 2, …
    of `interleaved`. With it, what it was preferred to without a proof.
    """

    def ratio(k: int, to: int) -> Ratio:
        return interleaved.ratio(1 + ready.index(k), 1 + ready.index(to))

    size = {k: len(ablations(rows[k].plan, rows[0].plan)) for k in ready}
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
