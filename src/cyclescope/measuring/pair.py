"""Two cycles measured in turns, A B B A …, in one process: what drifts on the machine hits both alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any, Unpack

from cyclescope.backends.base import Request, Session
from cyclescope.backends.registry import keeping, open_session
from cyclescope.backends.request_checks import check
from cyclescope.core.clock import Clock, SystemClock
from cyclescope.core.cycle import Cycle
from cyclescope.core.errors import UsageError
from cyclescope.core.graph.graph import Graph
from cyclescope.core.message import Text, m
from cyclescope.core.progress import Notify, silent
from cyclescope.core.ratios import LEAST_ROUNDS_FOR_VERDICT, interleaved_ratio, rounds
from cyclescope.core.samples import Instrumentation, Load, Samples, SetUp
from cyclescope.core.statistics import LEAST_SAMPLES
from cyclescope.core.units import NS_PER_S, Nanoseconds
from cyclescope.machines.load import LoadMeter
from cyclescope.measuring.assembly import assemble, look_at_memory
from cyclescope.measuring.options import MeasureOptions, request_of, shows_options
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
    0.5  # of the time of the uninstrumented runs: the verdict is made of those, the parts of the stamped ones
)
# Rounds after which a narrow interval is believed, and how often it is looked at.
_LEAST_ENOUGH, _LOOK_EVERY = 12, 4
_NARROW = 0.004  # half width of the interval of the ratio at which more rounds would tell nothing new
_MOST_RUNS = 4000
_MOST_OVERRUN = 2  # so many times the budget, for the rounds that an interval needs at least


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
    loaded at the same time. `budget` is in seconds for both together, loading, tracing and warming up not counted: 20,
    or 60 for generations; the rounds that an interval needs at least are run in twice the budget, if they fit. Raises
    as `measure` does.
    """
    sides = []
    for model, mine in ((model_a, a), (model_b, b)):
        side: dict[str, Any] = {"text": text, **options, **(mine or {})}
        sides.append(request_of(model, **side))
    return measure_requests(sides[0], sides[1], budget, progress)


def measure_requests(
    a: Request, b: Request, budget: float | None = None, progress: Notify = silent
) -> tuple[Cycle, Cycle]:
    """Measure what `a` and `b` ask for in turns, within `budget` seconds after warming up."""
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

    The rounds that an interval needs at least are run even in twice the budget, and one in any case.

    Ctrl-C gives what there is, marked partial, once both have samples for an interval; before that it is passed on.
    """
    clock = clock or SystemClock()
    sides = [_Side(a, clock), _Side(b, clock)]
    for side in sides:
        side.prepare(budget_ns, progress)
    begin = clock.now_ns()
    meter = LoadMeter()
    partial = False
    try:
        _run_interleaved(sides, clock, begin, budget_ns, progress)
    except KeyboardInterrupt:
        if any(len(side.collected.uninstrumented) < LEAST_SAMPLES for side in sides):
            raise
        partial = True
    load = meter.read()
    progress("done", 1.0)
    first, second = (side.cycle(load, budget_ns, partial) for side in sides)
    return first, second


def _run_interleaved(
    sides: Sequence[_Side], clock: Clock, begin: int, budget_ns: Nanoseconds, progress: Notify
) -> None:
    uninstrumented_ns = instrumented_ns = 0
    number = 0
    while True:
        from_ns = clock.now_ns()
        for k in _ROUND:
            sides[k].uninstrumented_block()
        number += 1
        now = clock.now_ns()
        uninstrumented_ns += now - from_ns
        if number == 1 or instrumented_ns < _INSTRUMENTED_SHARE * uninstrumented_ns:
            for side in sides if number % 2 else reversed(sides):
                side.instrumented_block()
            instrumented_ns += clock.now_ns() - now
        spent = clock.now_ns() - begin
        progress("measure", min(1.0, spent / budget_ns))
        # Fewer rounds than an interval needs would be time spent for nothing.
        least = LEAST_ROUNDS_FOR_VERDICT if spent < _MOST_OVERRUN * budget_ns else 1
        if number >= least and (spent >= budget_ns or _enough(sides, number)):
            return


def _enough(sides: Sequence[_Side], number: int) -> bool:
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
class _Side:
    """One of the two: its session and what was seen of it."""

    session: Session
    clock: Clock
    collected: Collected = field(default_factory=Collected)
    graph: Graph | None = None
    set_up: SetUp = field(default_factory=SetUp)
    instrumentation: Instrumentation | None = None
    warm: WarmUp = field(default_factory=lambda: WarmUp(0, 0, False, 1))

    def prepare(self, budget_ns: Nanoseconds, progress: Notify) -> None:
        """The first cycle, the structure, the warm-up and the cost of a stamp."""
        session, clock = self.session, self.clock
        session.resume()
        progress("first cycle", 0.0)
        first = session.uninstrumented(1)[0]
        progress("trace", 0.0)
        traced_from = clock.now_ns()
        self.graph = session.trace()
        traced_ns = clock.now_ns() - traced_from
        warm = self.warm = warm_up(session, clock, budget_ns // 3, progress)
        progress("calibrate", 0.0)
        most = min(_MOST_CALIBRATION_NS, int(budget_ns * _CALIBRATION_SHARE))
        self.instrumentation = session.calibrate(self.graph, most)
        self.set_up = SetUp(
            import_ns=session.times.import_ns,
            load_ns=session.times.load_ns,
            trace_ns=traced_ns,
            first_cycle_ns=first.wall_ns,
            warmup_ns=warm.elapsed_ns,
            warmup_cycles=warm.cycles,
            steady=warm.steady,
        )

    @property
    def size(self) -> int:
        """Cycles in a block."""
        return max(1, min(_MOST_IN_BLOCK, _BLOCK_NS // max(1, self.warm.typical_ns)))

    @property
    def settle(self) -> int:
        return 1 if self.warm.typical_ns < _SETTLE_BELOW_NS else 0

    def uninstrumented_block(self) -> None:
        self.session.resume()
        self.collected.uninstrumented += self.session.uninstrumented(self.size + self.settle)[self.settle :]

    def instrumented_block(self) -> None:
        assert self.graph is not None
        self.session.resume()
        self.collected.instrumented += self.session.instrumented(self.graph, self.size + self.settle)[self.settle :]

    def cycle(self, load: Load, budget_ns: Nanoseconds, partial: bool) -> Cycle:
        assert self.graph is not None
        self.session.resume()
        notes: list[Text] = []
        samples = Samples(
            uninstrumented=self.collected.uninstrumented_samples(),
            instrumented=self.collected.instrumented_samples(),
            instrumentation=self.instrumentation,
            set_up=self.set_up,
            load=load,
            budget_ns=budget_ns,
            tokens=self.collected.token_samples(),
            # What tracing has shown; no cycles are run for it.
            memory=look_at_memory(self.session, self.graph, False, notes),
        )
        return assemble(self.session, self.graph, samples, partial=partial, notes=tuple(notes))
