"""Two interleaved cycles, A B B A …, in one process: what drifts on the machine hits both alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from typing import Any, Unpack

from cyclescope.backends.base import Request, Session, SparingSession, UninstrumentedRun
from cyclescope.backends.registry import keeping, open_session
from cyclescope.backends.request_checks import check
from cyclescope.core.clock import Clock, SystemClock
from cyclescope.core.cycle import Cycle
from cyclescope.core.errors import UsageError
from cyclescope.core.message import Text, m
from cyclescope.core.progress import Notify, silent, tell, with_time_left
from cyclescope.core.ratios import LEAST_ROUNDS_FOR_VERDICT, interleaved_ratio, rounds
from cyclescope.core.samples import Instrumentation, Load, Samples, SetUp
from cyclescope.core.statistics import LEAST_SAMPLES
from cyclescope.core.units import NS_PER_S, Nanoseconds
from cyclescope.machines.load import LoadMeter
from cyclescope.measuring.assembly import assemble, look_at_memory
from cyclescope.measuring.division import PROXY_CALLS, Division, divide_from
from cyclescope.measuring.first_cycle import first_cycle, in_seconds
from cyclescope.measuring.options import MeasureOptions, request_of, shows_options
from cyclescope.measuring.pace import LEAST_TOKENS, Pace, most_tokens
from cyclescope.measuring.sampling import Collected, WarmUp, warm_up

DEFAULT_PAIR_BUDGET_S = 20.0
DEFAULT_WRITING_PAIR_BUDGET_S = 60.0
_MOST_BUDGET_S = 7 * 24 * 3600  # a week; more is a slip of the keyboard
_CALIBRATION_SHARE, _MOST_CALIBRATION_NS = 0.05, NS_PER_S
_ROUND = (0, 1, 1, 0)  # A B B A: both orders in every round, so that a steady drift cancels
_BLOCK_NS = 40_000_000  # shorter than what drifts, longer than what switching from one to the other costs
_MOST_IN_BLOCK = 25
# After a switch the caches hold the other's data; of cycles so short the first would show that.
_SETTLE_BELOW_NS = 200_000_000
_INSTRUMENTED_SHARE = (
    0.5  # of the time of the uninstrumented runs: the verdict is made of those, the parts of the instrumented ones
)
# Rounds after which a narrow interval is believed, and how often it is looked at.
_LEAST_ENOUGH, _LOOK_EVERY = 12, 4
_NARROW = 0.004  # half width of the interval of the ratio at which more rounds would tell nothing new
_MOST_RUNS = 4000
# Shares of the budget: the first cycle and the structure of a side; then, of what is left, uninstrumented rounds.
_FIRST, _SIDE_SHARE, _ROUNDS_SHARE = 0.12, 0.25, 0.6
_GRACE_SHARE, _SLACK_SHARE = 0.15, 0.05  # beyond the budget: for rounds that an interval still needs, and others
_PROXY_SHARE = 0.15  # of the time that is left, for a proxy; where it takes more, a loop stands in for it
_LEAST_FIRST_NS = NS_PER_S // 2
_FEWEST_TOKENS = 8  # which are written rather than that six rounds fit


@shows_options
def measure_pair(
    model_a: str | object,
    model_b: str | object,
    text: str | Sequence[str] | None = None,
    *,
    a: Mapping[str, object] | None = None,
    b: Mapping[str, object] | None = None,
    budget: float | None = None,
    progress: Notify = silent,
    **options: Unpack[MeasureOptions],
) -> tuple[Cycle, Cycle]:
    """Measure two models, or one model in two ways, in interleaved runs; `compare` then knows that they were.

    `options` are those of `measure`; `a` and `b` hold what differs on one side, such as `a={"threads": 1}`. Both are
    loaded at the same time. `budget` is in seconds for both together, loading not counted: 20, or 60 for generations.
    Raises as `measure` does.
    """
    sides = []
    for model, mine in ((model_a, a), (model_b, b)):
        side: dict[str, Any] = {"text": text, **options, **(mine or {})}
        sides.append(request_of(model, **side))
    return measure_requests(sides[0], sides[1], budget, progress)


def measure_requests(
    a: Request, b: Request, budget: float | None = None, progress: Notify = silent
) -> tuple[Cycle, Cycle]:
    """Measure what `a` and `b` ask for, interleaved, within `budget` seconds after loading."""
    if budget is not None and not 0 < budget <= _MOST_BUDGET_S:
        raise UsageError(
            m(
                "The budget must be above 0 s and at most {most} s (got {given} s).",
                most=_MOST_BUDGET_S,
                given=format(budget, "g"),
            ),
            "",
            m("Give seconds, such as 10."),
        )
    for request in (a, b):
        check(request)
    # Closed in the opposite order, so that the last one puts back what was there before the first.
    with keeping(a, b), ExitStack() as opened:
        sessions = []
        for request in (a, b):
            progress("load", 0.0)
            sessions.append(open_session(request))
            opened.callback(sessions[-1].close)
        _require_alike(*sessions)
        if budget is None:
            writes = any(session.workload.tokens_out for session in sessions)
            budget = DEFAULT_WRITING_PAIR_BUDGET_S if writes else DEFAULT_PAIR_BUDGET_S
        return measure_pair_sessions(sessions[0], sessions[1], int(budget * NS_PER_S), progress=progress)


def _require_alike(a: Session, b: Session) -> None:
    """Refuse at once what could not be compared after minutes of measuring."""
    if a.workload.tokens_out != b.workload.tokens_out:
        raise UsageError(
            m(
                "A and B must write the same number of tokens (got {a} and {b}).",
                a=a.workload.tokens_out,
                b=b.workload.tokens_out,
            ),
            m("The time of a generation grows with the tokens it writes."),
            m("Give both the same --new-tokens and --task."),
        )


def measure_pair_sessions(
    a: Session, b: Session, budget_ns: Nanoseconds, clock: Clock | None = None, progress: Notify = silent
) -> tuple[Cycle, Cycle]:
    """Rounds on two open sessions until the ratio is narrow or the budget is spent.

    All of it ends within `budget_ns` and a fifth: where both write, and too long for the rounds that an interval needs, they
    write fewer tokens; rounds that do not fit are not begun. What was given up is in the notes of both cycles.

    Ctrl-C gives what there is, marked partial, once both have samples for an interval; before that it is passed on.
    """
    clock = clock or SystemClock()
    stop_ns = clock.now_ns() + budget_ns
    first, second = _prepared(a, b, clock, stop_ns, budget_ns, progress)
    sides = [first, second]
    meter = LoadMeter()
    partial = False
    try:
        _run_interleaved(sides, clock, stop_ns, budget_ns, progress)
    except KeyboardInterrupt:
        if any(len(side.collected.uninstrumented) < LEAST_SAMPLES for side in sides):
            raise
        partial = True
    load = meter.read()
    progress("done", 1.0)
    return first.cycle(load, budget_ns, partial), second.cycle(load, budget_ns, partial)


def _prepared(
    a: Session, b: Session, clock: Clock, stop_ns: Nanoseconds, budget_ns: Nanoseconds, progress: Notify
) -> tuple[Side, Side]:
    """Both sides, ready for rounds: each within its share of the budget, and with as many tokens as the other."""
    limit_ns = max(int(_FIRST * budget_ns), _LEAST_FIRST_NS)
    starts: list[UninstrumentedRun] = []
    for session in (a, b):
        session.resume()
        tell(progress, "first cycle", 0.0, left_ns=max(0, stop_ns - clock.now_ns()))
        if isinstance(session, SparingSession):
            starts.append(first_cycle(session, limit_ns, budget_ns, starts, to_come=1 - len(starts)))
        else:
            starts.append(session.uninstrumented(1)[0])
    spared: list[Text] = []
    tokens = _tokens(a, b, starts, stop_ns - clock.now_ns(), budget_ns, spared)
    sides = []
    for session, start in zip((a, b), starts, strict=True):
        session.resume()
        sides.append(Side.prepared(session, start, tokens, clock, stop_ns, budget_ns, progress))
    covered = [side.division.tokens for side in sides if side.division.tokens]
    if covered and sides[0].division.tokens != sides[1].division.tokens:
        # Parts are compared, so both must be about the same tokens; the shorter one was all that its side could afford.
        for side in sides:
            side.cover(min(covered))
    for side in sides:
        side.notes += spared
    return sides[0], sides[1]


def _tokens(
    a: Session,
    b: Session,
    starts: Sequence[UninstrumentedRun],
    left_ns: Nanoseconds,
    budget_ns: Nanoseconds,
    spared: list[Text],
) -> int:
    """How many tokens both write: all, or so many that the rounds of an interval fit (0: they write nothing)."""
    wanted = a.workload.tokens_out
    sparing = isinstance(a, SparingSession) and isinstance(b, SparingSession)
    if not wanted or not sparing or not all(start.emitted_ns for start in starts):
        return 0
    paces = [Pace.of(start) for start in starts]
    runs = len(_ROUND) // 2 * (LEAST_ROUNDS_FOR_VERDICT + 1)

    def cost_ns(count: int) -> float:
        return runs * sum(pace.cycle_ns(count) for pace in paces)

    if cost_ns(wanted) <= max(_ROUNDS_SHARE * left_ns, _LEAST_FIRST_NS):
        return 0
    tokens = max(most_tokens(cost_ns, _ROUNDS_SHARE * left_ns, wanted), min(wanted, _FEWEST_TOKENS))
    while tokens > LEAST_TOKENS and sum(pace.cycle_ns(tokens) for pace in paces) > _ROUNDS_SHARE * left_ns / 2:
        tokens -= 1  # one round at least
    if tokens == wanted:
        return 0
    spared.append(
        m(
            "Rounds of {wanted} new tokens would take about {seconds} s, too long for the budget of {budget} s: these cycles write {tokens}. A larger --budget measures all of them.",
            wanted=wanted,
            seconds=in_seconds(cost_ns(wanted)),
            budget=in_seconds(budget_ns),
            tokens=tokens,
        )
    )
    return tokens


def _run_interleaved(
    sides: Sequence[Side], clock: Clock, stop_ns: Nanoseconds, budget_ns: Nanoseconds, progress: Notify
) -> None:
    uninstrumented_ns = instrumented_ns = 0
    number = 0
    last_ns = sum(len(_ROUND) // 2 * side.block_ns for side in sides)
    while True:
        from_ns = clock.now_ns()
        grace_ns = int(budget_ns * (_GRACE_SHARE if number < LEAST_ROUNDS_FOR_VERDICT else _SLACK_SHARE))
        if from_ns + last_ns > stop_ns + grace_ns and (number or last_ns > _LEAST_FIRST_NS):
            break
        for k in _ROUND:
            sides[k].uninstrumented_block()
        number += 1
        now = clock.now_ns()
        last_ns = now - from_ns
        uninstrumented_ns += last_ns
        if number == 1 or instrumented_ns < _INSTRUMENTED_SHARE * uninstrumented_ns:
            for side in sides if number % 2 else reversed(sides):
                side.instrumented_block(stop_ns)
            instrumented_ns += clock.now_ns() - now
        left_ns = max(0, stop_ns - clock.now_ns())
        tell(progress, "measure", min(1.0, 1 - left_ns / budget_ns), left_ns=left_ns)
        over = number >= LEAST_ROUNDS_FOR_VERDICT and not left_ns
        if over or _enough(sides, number):
            return
    if not number:
        _without_rounds(sides, clock, stop_ns)


def _without_rounds(sides: Sequence[Side], clock: Clock, stop_ns: Nanoseconds) -> None:
    """Not even one round fits: the first cycle of each stands for it, and a second one where it fits."""
    for side in sides:
        side.notes.append(m("The budget fits no round of A and B in turns, so the interval of their ratio is unknown."))
        side.collected.uninstrumented.append(side.division.warm or side.division.first)
    for side in sides:
        side.instrumented_block(stop_ns)
    for side in sides:
        if clock.now_ns() + side.block_ns <= stop_ns:
            side.uninstrumented_block()


def _enough(sides: Sequence[Side], number: int) -> bool:
    a, b = (side.collected.uninstrumented_samples() for side in sides)
    if min(len(a), len(b)) >= _MOST_RUNS:
        return True
    if number < _LEAST_ENOUGH or number % _LOOK_EVERY:
        return False
    # The width is looked at and never the verdict: to stop when a difference shows would find one where there is none.
    logs = rounds(a, b)
    ratio = interleaved_ratio(logs) if len(logs) >= LEAST_ROUNDS_FOR_VERDICT else None
    return ratio is not None and (ratio.high - ratio.low) / 2 <= _NARROW * ratio.value


@dataclass
class Side:
    """One of the two: its session and what was seen of it."""

    division: Division
    clock: Clock
    warm: WarmUp
    set_up: SetUp
    instrumentation: Instrumentation | None
    collected: Collected = field(default_factory=Collected)
    notes: list[Text] = field(default_factory=list)

    @staticmethod
    def prepared(
        session: Session,
        first: UninstrumentedRun,
        tokens: int,
        clock: Clock,
        stop_ns: Nanoseconds,
        budget_ns: Nanoseconds,
        progress: Notify,
    ) -> Side:
        """The structure, the warm-up and the cost of a timestamp, of a cycle that writes `tokens` tokens (0: as asked)."""
        notify = with_time_left(progress, clock.now_ns, stop_ns)
        division = divide_from(session, first, clock, clock.now_ns(), int(_SIDE_SHARE * budget_ns), notify, tokens)
        left_ns = max(0, stop_ns - clock.now_ns())
        warm = warm_up(division.session, clock, min(budget_ns // 3, left_ns), notify, division.run_ns)
        instrumentation = None
        if division.instruments:
            notify("overhead", 0.0)
            most = min(_MOST_CALIBRATION_NS, int(budget_ns * _CALIBRATION_SHARE))
            proxy_ns = PROXY_CALLS * division.call_overhead_ns
            instrumentation = division.parts.calibrate(division.graph, 0 if proxy_ns > _PROXY_SHARE * left_ns else most)
        set_up = SetUp(
            import_ns=session.times.import_ns,
            load_ns=session.times.load_ns,
            trace_ns=division.trace_ns,
            first_cycle_ns=first.wall_ns if division.is_whole else None,
            warmup_ns=warm.elapsed_ns,
            warmup_cycles=warm.cycles,
            steady=warm.steady,
        )
        return Side(division, clock, warm, set_up, instrumentation, notes=list(division.spared))

    def cover(self, tokens: int) -> None:
        """Trace and instrument the first `tokens` tokens, where it is more."""
        division, session = self.division, self.division.session
        if division.tokens == tokens or not isinstance(session, SparingSession):
            return
        parts = session.shortened(tokens)
        assert parts is not None
        parts.resume()
        self.division = replace(division, parts=parts, graph=parts.trace(), tokens=tokens)

    @property
    def size(self) -> int:
        """Cycles in a block."""
        return max(1, min(_MOST_IN_BLOCK, _BLOCK_NS // max(1, self.warm.typical_ns)))

    @property
    def settle(self) -> int:
        return 1 if self.warm.typical_ns < _SETTLE_BELOW_NS else 0

    @property
    def block_ns(self) -> Nanoseconds:
        """How long an uninstrumented block takes."""
        return (self.size + self.settle) * self.warm.typical_ns

    def uninstrumented_block(self) -> None:
        session = self.division.session
        session.resume()
        self.collected.uninstrumented += session.uninstrumented(self.size + self.settle)[self.settle :]

    def instrumented_block(self, stop_ns: Nanoseconds) -> None:
        """A block of instrumented runs, unless it would end after `stop_ns` and is long."""
        division = self.division
        run_ns = division.stamped_ns or self.warm.typical_ns
        block_ns = (self.size + self.settle) * run_ns
        late = self.clock.now_ns() + block_ns > stop_ns and block_ns > _LEAST_FIRST_NS
        if late or not division.instruments:
            return
        division.parts.resume()
        runs = division.parts.instrumented(division.graph, self.size + self.settle)
        self.collected.instrumented += runs[self.settle :]

    def cycle(self, load: Load, budget_ns: Nanoseconds, partial: bool) -> Cycle:
        division = self.division
        division.session.resume()
        samples = Samples(
            uninstrumented=self.collected.uninstrumented_samples(),
            instrumented=self.collected.instrumented_samples(),
            instrumentation=self.instrumentation,
            set_up=self.set_up,
            load=load,
            budget_ns=budget_ns,
            tokens=self.collected.token_samples(),
            # What tracing has shown; no cycles are run for it.
            memory=look_at_memory(division.parts, division.graph, False, self.notes),
            instrumented_tokens=division.tokens,
        )
        return assemble(division.session, division.graph, samples, partial=partial, notes=tuple(self.notes))
