"""Best first: what promises most from the fastest plan so far is tried next, shortly; what survives is proved at length."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from statistics import median

from cyclescope.core.clock import Clock
from cyclescope.core.errors import CyclescopeError, MissingExtra, Unsupported
from cyclescope.core.plan import Plan
from cyclescope.core.progress import Notify, tell
from cyclescope.core.ratios import LEAST_ROUNDS_FOR_VERDICT
from cyclescope.core.results import held_out, only
from cyclescope.core.statistics import Ratio
from cyclescope.core.units import NS_PER_S, Nanoseconds
from cyclescope.optimizing.optimization import Found, LabelScore, NotTried, Outcome, Phase, Row, Skip, Unfinished
from cyclescope.optimizing.search.ablation import ablations
from cyclescope.optimizing.search.confirmation import Confirmation, Numbers, numbers, same_outputs, timed, utility
from cyclescope.optimizing.search.drift import drift
from cyclescope.optimizing.search.ordering import Ahead, Candidate, Costs, Guesses, Queue, step_between
from cyclescope.optimizing.search.plan_cache import PreparedPlan
from cyclescope.optimizing.search.schedule import ASSUMED_TIME_SHARE, WARM_CYCLES, BudgetSchedule
from cyclescope.optimizing.search.status import best_of, steps_of
from cyclescope.optimizing.search.trial import LEAST_SCREENING_ROUNDS, InterleavedRuns, estimated_round_ns
from cyclescope.optimizing.search.trials import Trials
from cyclescope.optimizing.strategies.strategy import Effect, Situation, Strategy, learns

_SCREEN_ROUNDS = 6
_NARROW = 1.1  # upper ÷ lower end of an interval that says enough about the order of plans
_WORTH_GOING_ON = 0.99  # a plan slower than this share of its parent's time leads nowhere
_LEAST_NS = NS_PER_S
_MOVES_OUTPUTS = (Effect.APPROXIMATE, Effect.OTHER_MODEL)
_TRIES = (
    2  # of a step that fails, on one engine: the first failure may have been that of the plan that it was made from
)
_WORTH_JUDGING = 1.1  # times as fast as the fastest before it
_EXACT_TURN = 3  # trials, of which one is that of plans that leave the outputs the same
_HARDLY = 0.1  # of the drift that is allowed; below it what a plan was made from does not count
_FAILED_GAIN = 0.5  # what a step that failed is taken to bring where it is tried next


@dataclass(frozen=True, slots=True)
class Limits:
    """`max_drift` 0 asks for the same outputs but for rounding. `score` counts what comes out right, where there are
    labels; `max_loss` is the share of them that may be lost.
    """

    schedule: BudgetSchedule
    max_drift: float
    score: Callable[..., LabelScore] | None = None
    max_loss: float = 0.0


class Search:
    """One search by `trials`. `run` fills `found`; it may be called once.

    `proof` makes ready what the proof runs, where trials run a part of a cycle only; None: they run the same.
    """

    def __init__(
        self,
        trials: Trials,
        proof: Callable[[], Trials] | None,
        situation: Situation,
        strategies: Sequence[Strategy],
        limits: Limits,
        clock: Clock,
        notify: Notify,
        found: Found,
    ) -> None:
        self._trials = trials
        self._proof = proof
        self._plan_cache = trials.plan_cache
        baseline = self._baseline = trials.baseline
        reference = self._reference = trials.reference
        self._baseline_ns = 0.0  # of a whole cycle
        self._run_ns = 0.0  # of what a trial runs of it
        self._situation = situation
        self._strategies = {strategy.name: strategy for strategy in strategies}
        self._limits = limits
        self._schedule = limits.schedule
        self._clock = clock
        self._notify = notify
        self.found = found
        load_ns, parameters = found.spent.get(Phase.LOAD, 0), situation.workload.model.parameters
        self._queue = Queue(Guesses(), Costs(load_ns, baseline.ready_ns, parameters, writes=situation.writes))
        self._seen: set[Plan] = {baseline.plan}
        self._refused: dict[tuple[object, ...], Skip] = {}
        self._drifted: set[Numbers] = set()
        self._failures: Counter[tuple[object, str]] = Counter()
        self._trials_ns: list[Nanoseconds] = []
        score = limits.score(reference) if limits.score else None
        found.rows.append(
            Row(
                baseline.plan,
                (),
                -1,
                Outcome.TRIED,
                Ratio(1.0, 1.0, 1.0, 0),
                drift=drift(reference, reference),
                labels=score,
                held_bytes=baseline.variant.held_bytes(),
                ready_ns=baseline.ready_ns,
            )
        )

    def run(self) -> None:
        """Look, prove, take apart."""
        self._phase(Phase.SEARCH, self._begin)
        confirmation = Confirmation(
            self._trials,
            self._proof,
            self.found,
            self._limits.schedule,
            self._limits.max_drift,
            self._clock,
            self._notify,
        )
        tried = 0
        while len(self.found.rows) > tried and (not tried or confirmation.all_refused):
            tried = len(self.found.rows)
            self._phase(Phase.SEARCH, partial(self._look, confirmation))
            confirmation.baseline_is(self._baseline_ns, self._run_ns)
            self._phase(Phase.CONFIRMATION, confirmation.confirm)
        self._leave()
        self._phase(Phase.ABLATION, confirmation.ablate)

    def _begin(self) -> None:
        run = self._baseline.first or self._baseline.variant.run(1)[0]
        # One run may be an unlucky one; making ready ended in another.
        self._run_ns = float(run.wall_ns if self._proof is not None else min(run.wall_ns, self._baseline.ready_ns))
        self._baseline_ns = self._trials.whole.time_ns(run) * self._run_ns / max(1, run.wall_ns)
        self._expand(0)

    def _look(self, confirmation: Confirmation) -> None:
        while (left := self._left_ns()) > 0:
            candidate = self._queue.take(self.found.rows, left, self._usual_trial_ns(), exact=self._exact_next())
            if candidate is None:
                break
            self._tell(candidate)
            if refused := self._why_refused(candidate):
                self.found.not_tried.append(NotTried(candidate.strategy, refused, candidate.plan))
                continue
            begin = self._clock.now_ns()
            row = self._try(candidate, left)
            self._trials_ns.append(self._clock.now_ns() - begin)
            if row is None:
                self.found.not_tried.append(NotTried(candidate.strategy, Skip.SAME_PLAN, candidate.plan))
                continue
            best = max((other.speed_up for other in self.found.rows if other.outcome is Outcome.TRIED), default=1.0)
            self.found.rows.append(row)
            if row.outcome is Outcome.TRIED and row.speed_up > _WORTH_JUDGING * best:
                confirmation.baseline_is(self._baseline_ns, self._run_ns)
                confirmation.judge(len(self.found.rows) - 1)
                self._drifted |= confirmation.refused
                row = self.found.rows[-1]
            self._learn(candidate, row)
            if self._leads_on(candidate, row):
                self._expand(len(self.found.rows) - 1)

    def _leave(self) -> None:
        """Say what was not tried."""
        rest = self._queue.rest(self.found.rows)
        if rest and not any(row.outcome is Outcome.TRIED for row in self.found.rows[1:]):
            self.found.unfinished.append(Unfinished(Phase.SEARCH, needs_ns=self._enough_for(rest)))
        for candidate in rest:
            why = self._why_refused(candidate) or Skip.OUT_OF_BUDGET
            self.found.not_tried.append(NotTried(candidate.strategy, why, candidate.plan))

    def _tell(self, candidate: Candidate) -> None:
        """What is tried now, and the fastest so far that keeps to the limit."""
        now = self._clock.now_ns()
        tell(
            self._notify,
            Phase.SEARCH,
            self._schedule.share(now),
            now=steps_of(candidate.plan, (*self.found.rows[candidate.parent].strategies, candidate.strategy)),
            best=best_of(self.found.rows),
            left_ns=self._schedule.left_ns(now),
        )

    def _left_ns(self) -> Nanoseconds:
        """Time left for looking; less a trial's own least rounds, which come after it was made ready."""
        ratios = [row.ratio.value for row in self.found.rows if row.outcome is Outcome.TRIED and row.ratio]
        warm = 0 if self._proof is None else WARM_CYCLES
        beside = [self._baseline_ns * row.ratio.value for row in self._exact_beside() if row.ratio is not None]
        stop = self._schedule.search_until(
            self._baseline_ns, self._baseline_ns * min(ratios), warm, beside, parts=self._takes_apart()
        )
        walls = [self._run_ns, self._run_ns * min(ASSUMED_TIME_SHARE, *ratios)]
        if len(self.found.rows) == 1:
            # One plan is tried even if it could not be proved: that it may be faster is worth knowing.
            stop = max(stop, self._schedule.end_ns - 2 * estimated_round_ns(walls, one_way=True))
        screen = self._schedule.screen(walls)
        trial = screen.least * estimated_round_ns(walls, one_way=screen.one_way)
        return stop - self._clock.now_ns() - trial

    def _takes_apart(self) -> bool:
        """Whether the fastest plan so far has parts to be taken out, as far as a long proof leaves time for it."""
        ran = [row for row in self.found.rows if row.outcome is Outcome.TRIED]
        fastest = max(ran, key=lambda row: row.speed_up)
        return self._proof is None or len(ablations(fastest.plan, self._baseline.plan)) > 1

    def _exact_beside(self) -> list[Row]:
        """The fastest plan that leaves the outputs the same, where it is faster than the baseline and not the fastest of all:
        a long proof runs it too.
        """
        ran = sorted((row for row in self.found.rows if row.outcome is Outcome.TRIED), key=lambda row: -row.speed_up)
        exact = [row for row in ran if same_outputs(row, self._baseline.plan) and row.speed_up > 1]
        return exact[:1] if self._proof is not None and exact and exact[0] is not ran[0] else []

    def _enough_for(self, candidates: Sequence[Candidate]) -> Nanoseconds:
        """A budget in which the cheapest of `candidates` can be made ready, tried and proved."""
        least = min(map(self._queue.takes_ns, candidates))
        trial = estimated_round_ns([self._run_ns, self._run_ns * ASSUMED_TIME_SHARE], one_way=True)
        walls = [self._baseline_ns, self._baseline_ns * ASSUMED_TIME_SHARE]
        proof = LEAST_ROUNDS_FOR_VERDICT * estimated_round_ns(walls, one_way=True)
        return self._schedule.enough_ns(self._clock.now_ns(), least + trial + proof)

    def _usual_trial_ns(self) -> Nanoseconds:
        return int(median(self._trials_ns)) if self._trials_ns else 0

    def _expand(self, parent: int) -> None:
        """Put what every strategy makes of row `parent` into the queue."""
        row = self.found.rows[parent]
        for strategy in self._strategies.values():
            if strategy.opt_in and strategy.name not in self._situation.opted:
                if parent == 0:
                    self.found.not_tried.append(NotTried(strategy.name, Skip.OPT_IN))
                continue
            if not self._allowed(strategy):
                if parent == 0:
                    self.found.not_tried.append(NotTried(strategy.name, Skip.CHANGES_OUTPUTS))
                continue
            offer = strategy.offer(row.plan, self._situation)
            if offer.not_applicable_reason and parent == 0:
                reason = offer.not_applicable_reason
                self.found.not_tried.append(NotTried(strategy.name, Skip.NOT_APPLICABLE, detail=reason))
            for plan in offer.plans:
                if plan in self._seen:
                    continue
                self._seen.add(plan)
                candidate = Candidate(
                    plan,
                    strategy.name,
                    parent,
                    strategy.effect is Effect.OTHER_MODEL,
                    step_between(row.plan, plan),
                    offer.expected_speedup,
                    self._ahead(plan),
                    int(offer.takes_s * NS_PER_S),
                    exact=self._exact(strategy.name) and all(map(self._exact, row.strategies)),
                )
                self._queue.put(candidate)

    def _exact(self, name: str) -> bool:
        """Whether the strategy of that name changes outputs by rounding at most."""
        return self._strategies[name].effect not in _MOVES_OUTPUTS

    def _exact_next(self) -> bool:
        """Whether the turn is that of plans without drift: of what drifts in long generations little may be left. Where one of
        them is faster than the baseline, there is something to fall back on.
        """
        if self._proof is None or self._limits.max_drift == 0 or len(self.found.rows) % _EXACT_TURN:
            return False
        base = self._baseline.plan
        return not any(same_outputs(row, base) and row.speed_up > _WORTH_JUDGING for row in self.found.rows[1:])

    def _allowed(self, strategy: Strategy) -> bool:
        return strategy.effect not in _MOVES_OUTPUTS or self._limits.max_drift > 0

    def _ahead(self, plan: Plan) -> tuple[Ahead, ...]:
        """The steps that could follow `plan` and leave the model unmodified."""
        steps = []
        for strategy in self._strategies.values():
            if strategy.opt_in or strategy.effect is Effect.OTHER_MODEL or not self._allowed(strategy):
                continue
            offer = strategy.offer(plan, self._situation)
            steps += [Ahead(step_between(plan, after), offer.expected_speedup, after) for after in offer.plans]
        return tuple(steps)

    def _try(self, candidate: Candidate, left_ns: Nanoseconds) -> Row | None:
        """Make the plan of `candidate` ready, look at its outputs, and run it interleaved with the baseline. None where what is in
        force then was tried before.
        """
        parent = self.found.rows[candidate.parent]
        row = Row(candidate.plan, (*parent.strategies, candidate.strategy), candidate.parent, Outcome.FAILED)
        most = max(_LEAST_NS, min(self._schedule.most_ready_ns() + candidate.takes_ns, left_ns))
        try:
            prepared = self._plan_cache.make(candidate.plan, most / NS_PER_S)
        except MissingExtra as error:
            return replace(row, outcome=Outcome.MISSING, reason=error.summary, way_out=error.way_out)
        except Unsupported as error:
            return replace(row, outcome=Outcome.UNSUPPORTED, reason=error.summary, way_out=error.way_out)
        except CyclescopeError as error:
            return replace(row, reason=error.summary, way_out=error.way_out)
        if any(other.plan == prepared.plan for other in self.found.rows):
            self._plan_cache.evict(prepared)
            return None
        self._seen.add(prepared.plan)
        again_ns = prepared.ready_ns if prepared.again_ns is None else prepared.again_ns
        row = replace(row, plan=prepared.plan, ready_ns=prepared.ready_ns, again_ns=again_ns, edits=prepared.edits)
        try:
            row = self._looked_at(row, prepared)
            if row.outcome is Outcome.TRIED:
                row = self._screened(row, prepared, parent)
        except CyclescopeError as error:
            self._plan_cache.evict(prepared)
            return replace(row, outcome=Outcome.FAILED, reason=error.summary, way_out=error.way_out)
        except BaseException:
            self._plan_cache.evict(prepared)
            raise
        if row.ratio is not None:
            self._plan_cache.release(prepared, utility(row, self._baseline.plan))
        else:
            self._plan_cache.evict(prepared)
        return row

    def _looked_at(self, row: Row, prepared: PreparedPlan) -> Row:
        """The row with its drift; refused where that is beyond the limit."""
        results = prepared.variant.results()
        before = self.found.rows[0].labels
        if learns(row.plan, self._situation.texts):
            # What it gives on texts that it was fitted to says little about others.
            judged = held_out(len(self._reference.mask))
            moved = drift(only(self._reference, judged), only(results, judged))
            score = self._limits.score(results, judged) if self._limits.score else None
            before = self._limits.score(self._reference, judged) if self._limits.score else None
            row = replace(row, judged_on=len(judged))
        else:
            moved = drift(self._reference, results)
            score = self._limits.score(results) if self._limits.score else None
        row = replace(row, drift=moved, labels=score, outcome=Outcome.TRIED, held_bytes=prepared.variant.held_bytes())
        if not moved.within(self._limits.max_drift):
            return replace(row, outcome=Outcome.DRIFTED)
        if score is not None and before is not None and before.share - score.share > self._limits.max_loss:
            return replace(row, outcome=Outcome.MISLABELED)
        return row

    def _screened(self, row: Row, prepared: PreparedPlan, parent: Row) -> Row:
        """The row with a first ratio, from no more rounds than it takes to see where it belongs."""
        # Of a part of a long cycle one run more would cost as much as a round.
        own_ns = self._run_ns if self._proof is not None else float(prepared.variant.run(1)[0].wall_ns)
        walls = [self._run_ns, own_ns]
        screen = self._schedule.screen(walls)
        interleaved = InterleavedRuns(
            [self._baseline.variant, prepared.variant],
            one_way=screen.one_way,
            typical_ns=walls,
            whole=self._trials.whole,
        )
        begin = self._clock.now_ns()
        until = begin + self._schedule.screen_ns()
        while interleaved.rounds < screen.least or (
            interleaved.rounds < _SCREEN_ROUNDS
            and self._clock.now_ns() + (self._clock.now_ns() - begin) // interleaved.rounds <= until
        ):
            interleaved.round()
            if interleaved.rounds >= LEAST_SCREENING_ROUNDS and _says_enough(interleaved.ratio(1, 0), parent):
                break
        self._baseline_ns, self._run_ns = interleaved.wall_ns(0), interleaved.run_ns(0)
        return timed(row, interleaved, 1, prepared, confirmed=False)

    def _learn(self, candidate: Candidate, row: Row) -> None:
        """Remember what making it ready took, what the step brought, and what moved the outputs too far by itself."""
        parent = self.found.rows[candidate.parent]
        if row.ready_ns:
            self._queue.costs.learn(row.plan, row.ready_ns)
        if row.outcome is Outcome.TRIED and row.ratio is not None and parent.ratio is not None:
            gain = parent.ratio.value / row.ratio.value
            self._queue.guesses.learn(candidate.step, parent.plan.engine, gain)
        engine = candidate.plan.engine
        strategy = self._strategies[candidate.strategy]
        if row.outcome in (Outcome.DRIFTED, Outcome.MISLABELED) and strategy.effect in _MOVES_OUTPUTS:
            company = () if self._is_to_blame(row, parent) else _numbers(parent.plan)
            self._refused[self._blamed(candidate), engine, *company] = Skip.DRIFTED
        if row.outcome is Outcome.MISSING:
            self._refused[engine,] = Skip.FAILED
        if row.outcome in (Outcome.UNSUPPORTED, Outcome.FAILED):
            self._queue.guesses.learn(candidate.step, parent.plan.engine, _FAILED_GAIN)
            self._failures[candidate.step, engine] += 1
            if self._failures[candidate.step, engine] >= _TRIES:
                self._refused[candidate.step, engine] = Skip.FAILED

    def _is_to_blame(self, row: Row, parent: Row) -> bool:
        """Whether the last step by itself went too far, and not only in the company of what it was stacked on."""
        if row.outcome is Outcome.MISLABELED:
            first = self.found.rows[0].labels
            return parent.labels is None or first is None or parent.labels.right >= first.right
        return parent.drift is None or parent.drift.amount <= _HARDLY * self._limits.max_drift

    def _blamed(self, candidate: Candidate) -> object:
        """What else would go too far. Surgery is offered in its gentlest form first, so that all of it would; of formats of
        numbers one says nothing about another.
        """
        return candidate.strategy if candidate.surgery else candidate.step

    def _why_refused(self, candidate: Candidate) -> Skip | None:
        """Why `candidate` is not worth a trial after what was seen on its engine; None where it is."""
        if numbers(candidate.plan) in self._drifted:
            return Skip.DRIFTED
        engine, blamed = candidate.plan.engine, self._blamed(candidate)
        company = _numbers(self.found.rows[candidate.parent].plan)
        keys = ((engine,), (candidate.step, engine), (blamed, engine), (blamed, engine, *company))
        return next((self._refused[key] for key in keys if key in self._refused), None)

    def _leads_on(self, candidate: Candidate, row: Row) -> bool:
        """Whether to look at what can be made of it. Another engine may be slow in float32 and fast in 8 bits: what
        becomes of it is left to the order.
        """
        if row.outcome is not Outcome.TRIED or row.ratio is None:
            return False
        parent = self.found.rows[candidate.parent]
        return parent.plan.engine != row.plan.engine or row.speed_up * _WORTH_GOING_ON > parent.speed_up

    def _phase(self, name: Phase, work: Callable[[], None]) -> None:
        begin = self._clock.now_ns()
        try:
            work()
        finally:
            self.found.spent[name] = self.found.spent.get(name, 0) + self._clock.now_ns() - begin


def _numbers(plan: Plan) -> tuple[str, str]:
    """The formats of numbers of `plan`."""
    return plan.quantization, plan.dtype


def _says_enough(ratio: Ratio, parent: Row) -> bool:
    """Whether the interval is narrow, or even its favourable end no better than the plan that it came from."""
    hopeless = parent.ratio is not None and ratio.low > parent.ratio.high
    return hopeless or (ratio.low > 0 and ratio.high / ratio.low < _NARROW)
