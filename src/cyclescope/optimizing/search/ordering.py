"""Which plan to try next: the one that promises the shortest time, by what was measured here as far as it goes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields

from cyclescope.backends.engines import capabilities_of
from cyclescope.core.plan import Plan, Quantization
from cyclescope.core.units import Nanoseconds
from cyclescope.optimizing.optimization import Outcome, Row

# What a strategy is taken to bring counts as half a measurement: one real one on another engine outweighs it.
_PRIOR_WEIGHT = 0.5
# What a plan opens up is worth a little less than what it brings itself: both must come true.
_AHEAD = 0.8
_UNSEEN, _SEEN_ELSEWHERE, _SEEN_HERE = 0.6, 0.3, 0.1
_LITTLE = 0.1  # the same of a step that promises nothing: what promises little surprises little
_HOPE = 0.5  # standard deviations that a guess is taken to be too low
_LEAST_GAIN, _MOST_GAIN = 0.01, 100.0
# Of plans that promise nothing the cheaper one; one that takes all the time that is left must promise this much more.
_DEAR = 0.5
# Of the time that is left, on top of what each trial takes: a trial that costs next to nothing is not worth any price.
_LEAST_COST = 0.1
# An engine that nothing was made ready on yet, in times of what loading the model took, with the imports that it needs. One
# that is given the weights as they are takes a part of what an export does.
_EXPORT, _CONVERSION = 5.0, 1.0
# What it took a parameter of the model on two cores of an AMD EPYC: the export of a model that reads (BERT-base on ONNX Runtime
# and OpenVINO) and of one that writes (Gemma 3 270M on ONNX Runtime), and a conversion of that one. Other
# machines are as much slower as what was made ready on them.
_READER_NS, _WRITER_NS, _CONVERTED_NS = 120.0, 180.0, 33.0
_MOST_SCALE = 4.0
_WITHOUT_EXPORT, _QUANTIZING, _QUANTIZING_WRITER = 0.3, 0.6, 0.35  # of what the first plan of an engine took
# A guess of what something takes is right within a third; what might fit is tried, what hardly can is not. The first plan of
# an engine may take longer than anything seen, and would take all that is left with it: it must fit with room to spare.
_SURE = 0.7
_SURER = 0.9  # the same where another engine has shown the pace of this machine

Kind = tuple[str, ...]
Step = tuple[tuple[str, object], ...]


def step_between(parent: Plan, plan: Plan) -> Step:
    """What `plan` has that `parent` has not: fields with their values, of changes those that are new. Another engine is a
    step of its own in every format of numbers.
    """
    step: list[tuple[str, object]] = []
    for field in fields(Plan):
        before, after = getattr(parent, field.name), getattr(plan, field.name)
        if before == after or (field.name == "attention" and parent.engine != plan.engine):
            continue  # an engine brings its own attention
        new: object = after
        if field.name == "changes":
            new = tuple(change for change in after if change not in before)
        elif field.name == "quantization" and before != Quantization.OFF:
            new = (before, after)  # from fewer bits to others brings less than from all of them
        step.append((field.name, new))
    if parent.engine != plan.engine:
        # In 8 bits another engine may be the faster one than in 32.
        step.append(("in", (plan.quantization, plan.dtype)))
    return tuple(step)


class Guesses:
    """What steps have brought here. A gain that was measured on this engine is taken unchanged; measured on others, it is
    the best guess there is, beside what the strategy expects.
    """

    def __init__(self) -> None:
        self._logs: dict[Step, dict[str, list[float]]] = {}

    def learn(self, step: Step, engine: str, gain: float) -> None:
        """`step`, from a plan of `engine`, made the time so many times shorter."""
        self._logs.setdefault(step, {}).setdefault(engine, []).append(math.log(_within(gain)))

    def gain(self, step: Step, engine: str, expected: float) -> float:
        """Old ÷ new time that `step` promises from a plan of `engine`, where the strategy expects so much."""
        by_engine = self._logs.get(step, {})
        if engine in by_engine:
            return math.exp(sum(by_engine[engine]) / len(by_engine[engine]))
        known = [sum(logs) / len(logs) for logs in by_engine.values()]
        return math.exp((_PRIOR_WEIGHT * math.log(_within(expected)) + sum(known)) / (_PRIOR_WEIGHT + len(known)))

    def uncertainty(self, step: Step, engine: str, expected: float) -> float:
        """How far off that guess may be, as a standard deviation of its logarithm."""
        by_engine = self._logs.get(step)
        if not by_engine:
            return min(_UNSEEN, _LITTLE + abs(math.log(_within(expected))))
        return _SEEN_HERE if engine in by_engine else _SEEN_ELSEWHERE


class Costs:
    """What making plans ready took here, and so what another will take. `parameters` are those of the model (0: unknown), which
    `writes` or not.
    """

    def __init__(
        self, load_ns: Nanoseconds, baseline_ns: Nanoseconds, parameters: int = 0, *, writes: bool = False
    ) -> None:
        self._load_ns = load_ns
        self._baseline_ns = baseline_ns
        self._parameters = parameters
        self.writes = writes
        self._taken: dict[str, dict[Kind, list[int]]] = {}

    def learn(self, plan: Plan, ready_ns: Nanoseconds) -> None:
        self._taken.setdefault(plan.engine, {}).setdefault(_kind(plan), []).append(ready_ns)

    def measured(self, plan: Plan) -> bool:
        """Whether a plan of that kind was made ready on that engine."""
        return _kind(plan) in self._taken.get(plan.engine, {})

    def knows(self, plan: Plan) -> bool:
        """Whether any plan was made ready on that engine."""
        return plan.engine in self._taken or capabilities_of(plan.engine).native

    @property
    def knows_pace(self) -> bool:
        """Whether the making ready of a decoder on another engine has shown how fast that is here, beside the model's size."""
        return self.writes and any(not capabilities_of(engine).native for engine in self._taken)

    def guess(self, plan: Plan) -> Nanoseconds:
        """Of the same kind the least that it took. Of another kind a part of what the first on that engine took, which paid for
        the export that all share; quantizing looks at every weight again. A new engine takes as long as the slowest first
        plan of another would have, were it one of its kind, and no less than the size of the model lets expect.
        """
        here, native = self._taken.get(plan.engine), capabilities_of(plan.engine).native
        if here:
            if self.measured(plan):
                return min(here[_kind(plan)])
            first = next(iter(here.values()))[0]
            if native:
                return first
            quantizing = _QUANTIZING_WRITER if self.writes else _QUANTIZING
            return int(first * (_WITHOUT_EXPORT if plan.quantization == Quantization.OFF else quantizing))
        if native:
            return self._baseline_ns
        firsts = {
            engine: next(iter(taken.values()))[0]
            for engine, taken in self._taken.items()
            if not capabilities_of(engine).native
        }
        elsewhere = max((first / _first(engine) for engine, first in firsts.items()), default=self._load_ns)
        slower = max(
            (first / by_size for engine, first in firsts.items() if (by_size := self._by_size(engine))), default=1
        )
        by_size = self._by_size(plan.engine) * min(_MOST_SCALE, max(1 / _MOST_SCALE, slower))
        return int(max(_first(plan.engine) * elsewhere, by_size))

    def _by_size(self, engine: str) -> float:
        """What the first plan of `engine` takes by the size of the model, in nanoseconds."""
        if capabilities_of(engine).converts:
            return self._parameters * _CONVERTED_NS
        return self._parameters * (_WRITER_NS if self.writes else _READER_NS)


@dataclass(frozen=True, slots=True)
class Ahead:
    """A step that could follow a plan, what it is expected to bring, and the plan that it leads to."""

    step: Step
    expected_speedup: float
    plan: Plan


@dataclass(frozen=True, eq=False)
class Candidate:
    """A plan to try. Ways to run the model come before `surgery` on it, whatever that promises: a plan that is fast
    already would otherwise have its layers taken out before other engines had their turn.

    `expected` is what its strategy guesses for `step`; `ahead` are the steps that could follow.
    `takes_ns` is what making it ready takes beyond what is usual. `exact`: outputs change by rounding at most.
    """

    plan: Plan
    strategy: str
    parent: int
    surgery: bool
    step: Step
    expected_speedup: float
    ahead: tuple[Ahead, ...] = ()
    takes_ns: Nanoseconds = 0
    exact: bool = False


class Queue:
    """Candidates, and what has been learned that orders them."""

    def __init__(self, guesses: Guesses, costs: Costs) -> None:
        self.guesses = guesses
        self.costs = costs
        self._waiting: list[Candidate] = []

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, candidate: Candidate) -> None:
        self._waiting.append(candidate)

    def take(
        self, rows: Sequence[Row], left_ns: Nanoseconds, trial_ns: Nanoseconds = 0, *, exact: bool = False
    ) -> Candidate | None:
        """The best of those that can be made ready and tried within `left_ns`; None where there is none. A trial takes
        `trial_ns` as a rule. `exact`: of those that are, as long as there are any.

        Best is what promises most for what it costs: the logarithm of how many times as fast as the fastest so far, a second.
        So what is ready (other numbers and threads on an engine that has its files) comes before the export of another.
        """
        fitting = [c for c in self._waiting if self.fits(c, left_ns)]
        if exact:
            fitting = [c for c in fitting if c.exact] or fitting
        if not fitting:
            return None
        fastest = min(row.ratio.value for row in rows if row.outcome is Outcome.TRIED and row.ratio is not None)

        def order(candidate: Candidate) -> tuple[bool, bool, float]:
            promise = self.promise(candidate, rows)
            if promise >= fastest:
                return candidate.surgery, True, promise * self._dear(candidate, left_ns, trial_ns)
            cost_ns = trial_ns + _LEAST_COST * left_ns
            if not self._now_or_never(candidate, left_ns, trial_ns):
                cost_ns += self.takes_ns(candidate)
            return candidate.surgery, False, -math.log(fastest / promise) / cost_ns

        best = min(fitting, key=order)
        self._waiting.remove(best)
        return best

    def rest(self, rows: Sequence[Row]) -> list[Candidate]:
        """What is left, the most promising first; the queue is empty then."""
        waiting = sorted(self._waiting, key=lambda c: (c.surgery, self.promise(c, rows)))
        self._waiting = []
        return waiting

    def fits(self, candidate: Candidate, left_ns: Nanoseconds) -> bool:
        """Whether it can be ready in time, by what was measured; what is new here must fit by a guess, with room to spare."""
        if not self.costs.knows(candidate.plan):
            return self.takes_ns(candidate) <= (_SURER if self.costs.knows_pace else _SURE) * left_ns
        return _SURE * self.takes_ns(candidate) <= left_ns

    def _now_or_never(self, candidate: Candidate, left_ns: Nanoseconds, trial_ns: Nanoseconds) -> bool:
        """Whether there is time for it now and would not be after one more trial: whatever takes long would otherwise be put
        off until it is too late.
        """
        if self.costs.writes and not self.costs.knows(candidate.plan):
            # Of a reader several engines are exported, each as long as the other: which is worth it, the order says.
            return self.fits(candidate, left_ns) and not self.fits(candidate, left_ns - trial_ns)
        takes_ns = self.takes_ns(candidate)
        return left_ns - trial_ns < takes_ns <= left_ns / _SURE

    def _dear(self, candidate: Candidate, left_ns: Nanoseconds, trial_ns: Nanoseconds) -> float:
        """How much less a plan promises for the time it takes."""
        if self._now_or_never(candidate, left_ns, trial_ns):
            return 1.0
        return 1 + _DEAR * self.takes_ns(candidate) / left_ns

    def takes_ns(self, candidate: Candidate) -> Nanoseconds:
        """What making `candidate` ready is expected to take; what is said to come on top was in what was measured."""
        extra = 0 if self.costs.measured(candidate.plan) else candidate.takes_ns
        return self.costs.guess(candidate.plan) + extra

    def time(self, candidate: Candidate, rows: Sequence[Row]) -> float:
        """The time that is expected of it, as a share of the baseline's."""
        parent = rows[candidate.parent]
        assert parent.ratio is not None
        return parent.ratio.value / self.guesses.gain(candidate.step, parent.plan.engine, candidate.expected_speedup)

    def promise(self, candidate: Candidate, rows: Sequence[Row]) -> float:
        """The same of the best that could come of it in one more step, where both go well. What is known only by guess may
        go better than what was seen: without that, small changes of the fastest plan would be tried before other engines.
        """
        engine = rows[candidate.parent].plan.engine
        gain = self.guesses.gain(candidate.step, engine, candidate.expected_speedup)
        uncertainty = self.guesses.uncertainty(candidate.step, engine, candidate.expected_speedup)
        time = self.time(candidate, rows)
        there = candidate.plan.engine
        if gain < 1 and there == engine:
            return time * math.exp(-_HOPE * uncertainty)  # whatever comes after it comes better without it
        tried = {row.plan for row in rows}  # by another way; nothing more comes of them
        gains = (
            (self.guesses.gain(a.step, there, a.expected_speedup), a) for a in candidate.ahead if a.plan not in tried
        )
        best, ahead = max(gains, default=(1.0, None), key=lambda each: each[0])
        if ahead is not None and best > 1:
            time /= math.pow(best, _AHEAD)
            uncertainty = math.hypot(uncertainty, self.guesses.uncertainty(ahead.step, there, ahead.expected_speedup))
        return time * math.exp(-_HOPE * uncertainty)


def _first(engine: str) -> float:
    """What the first plan of `engine` takes, in times of what loading does."""
    return _CONVERSION if capabilities_of(engine).converts else _EXPORT


def _kind(plan: Plan) -> Kind:
    """What decides how long making a plan ready takes, beside its engine."""
    return plan.compiling, plan.quantization, plan.dtype, *(change.name for change in plan.changes)


def _within(gain: float) -> float:
    return min(_MOST_GAIN, max(_LEAST_GAIN, gain))
