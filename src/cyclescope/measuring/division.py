"""How a budget is divided before it is spent: what of a long cycle is run whole, and what is instrumented of it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from cyclescope.backends.base import Session, SparingSession, UninstrumentedRun
from cyclescope.core.clock import Clock
from cyclescope.core.errors import UsageError
from cyclescope.core.graph.graph import Graph
from cyclescope.core.message import Text, m
from cyclescope.core.progress import Notify
from cyclescope.core.units import NS_PER_S, Nanoseconds
from cyclescope.measuring.first_cycle import first_cycle, in_seconds
from cyclescope.measuring.pace import LEAST_TOKENS, Pace, most_tokens

# Shares of the budget: what the first cycle may take, and a cycle of which several are to be run.
_FIRST, _SHORTENED = 0.35, 0.2
_PARTS = 0.45  # of the time that is left after the first cycle, for tracing and the first instrumented runs
_LEAST_FIRST_NS = NS_PER_S // 2
# Tracing, and runs that are instrumented for the first time, take so many times as long as an uninstrumented run at least.
_TRACED, _STAMPED = 1.3, 1.1
_CHECKED = 3  # runs at most: two ways to take timestamps are tried, and one run counts
_LEAST_STAMPED_RUNS = 2  # the one that checks the trace, and one that counts
# A cycle so short, in a budget so small, is run whole: the fixed costs exceed such a budget in any case.
SMALL_BUDGET_NS, _SHORT_NS = 2 * NS_PER_S, 3 * NS_PER_S
PROXY_CALLS = 5  # calibrating timestamps on a proxy takes so many times what tracing adds to one call of the model
_LEAST_DIVIDED = 4  # tokens; of so few nothing is left out
_MOST_OF_LEFT = 4  # a cycle that fits so often into what is left may be traced and checked in the usual way
# Of what is left, that a second cycle may take: the first one is cold, and says too little about those that follow. What makes
# it slower (weights that are touched first, threads that start) takes a second or so, and matters in short ones.
_WARMED, _COLD_NS = 0.7, 2 * NS_PER_S


@dataclass(frozen=True, eq=False)
class Division:
    """What is measured within a budget.

    Whole cycles are runs of `session`; instrumented ones are runs of `parts`, which writes the first `tokens` tokens of it
    (0: the same cycle). An instrumented run takes about `stamped_ns` (None: nobody knows); `instruments` is False where the
    budget does not fit one. `first` is the very first
    cycle, which is not whole where `is_whole` is False, `warm` the one after it, where one was run. `spared` says what was
    given up.
    """

    session: Session
    parts: Session
    graph: Graph
    first: UninstrumentedRun
    is_whole: bool = True
    tokens: int = 0
    stamped_ns: Nanoseconds | None = None
    trace_ns: Nanoseconds = 0
    spared: tuple[Text, ...] = ()
    instruments: bool = True
    call_overhead_ns: Nanoseconds = 0  # what tracing adds to one call of the model
    warm: UninstrumentedRun | None = None

    @property
    def run_ns(self) -> Nanoseconds:
        """How long a whole cycle takes, as far as the first ones told."""
        if self.warm is not None:
            return min(self.warm.wall_ns, self.first.wall_ns)
        return self.first.wall_ns if self.is_whole else Pace.of(self.first).cycle_ns(self.session.workload.tokens_out)


def divide(session: Session, clock: Clock, begin_ns: Nanoseconds, budget_ns: Nanoseconds, notify: Notify) -> Division:
    """Run the first cycle and find out the structure, of as much of the cycle as the budget allows.

    Raises `UsageError` where not even one step and its structure fit; otherwise as the session does.
    """
    notify("first cycle", 0.0)
    if not isinstance(session, SparingSession):
        return _traced(session, session.uninstrumented(1)[0], clock, notify, stamped_ns=None)
    least_ns = _LEAST_FIRST_NS if budget_ns >= SMALL_BUDGET_NS else _SHORT_NS
    first = first_cycle(session, max(int(_FIRST * budget_ns), least_ns), budget_ns)
    divider = Divider(session, first, clock, begin_ns, budget_ns, notify)
    if divider.is_short:
        return _traced(session, first, clock, notify, stamped_ns=None)
    return divider.generation() if first.emitted_ns else divider.forward_pass()


def divide_from(
    session: Session,
    first: UninstrumentedRun,
    clock: Clock,
    begin_ns: Nanoseconds,
    budget_ns: Nanoseconds,
    notify: Notify,
    tokens: int,
) -> Division:
    """The same behind the `first` cycle, of a cycle that writes `tokens` tokens (0: as many as the session writes)."""
    if not isinstance(session, SparingSession):
        return _traced(session, first, clock, notify, stamped_ns=None)
    divider = Divider(session, first, clock, begin_ns, budget_ns, notify)
    if divider.is_short:
        return _traced(session, first, clock, notify, stamped_ns=None)
    if not first.emitted_ns:
        return divider.forward_pass()
    shorter = session.shortened(tokens) if tokens else session
    assert shorter is not None
    return divider.structured(shorter, Pace.of(first), divider.cut(shorter.workload.tokens_out))


def _traced(
    session: Session, first: UninstrumentedRun, clock: Clock, notify: Notify, stamped_ns: Nanoseconds | None
) -> Division:
    notify("trace", 0.0)
    begin = clock.now_ns()
    graph = session.trace()
    trace_ns = clock.now_ns() - begin
    overhead_ns = trace_ns if stamped_ns else 0
    return Division(
        session, session, graph, first, stamped_ns=stamped_ns, trace_ns=trace_ns, call_overhead_ns=overhead_ns
    )


@dataclass
class Divider:
    """Divides the budget for one session, whose first cycle was run."""

    session: SparingSession
    first: UninstrumentedRun
    clock: Clock
    begin_ns: Nanoseconds
    budget_ns: Nanoseconds
    notify: Notify
    spared: list[Text] = field(default_factory=list)

    @property
    def is_short(self) -> bool:
        return (
            self.budget_ns < SMALL_BUDGET_NS
            and self.first.wall_ns < _SHORT_NS
            and len(self.first.emitted_ns)
            in (0, self.session.workload.tokens_out)  # 0: where they do not come one by one
        )

    def left_ns(self) -> Nanoseconds:
        return self.begin_ns + self.budget_ns - self.clock.now_ns()

    # A cycle of one call ---------------------------------------------------------------------------------------------

    def forward_pass(self) -> Division:
        """A call cannot be cut; where it is long, its structure comes from the meta device, and is checked by the first
        instrumented run that counts.
        """
        cycle_ns = self.first.wall_ns
        warm: UninstrumentedRun | None = None
        left_ns = self.left_ns()
        is_tight = _MOST_OF_LEFT * cycle_ns > left_ns and cycle_ns <= _WARMED * left_ns
        if is_tight and (cycle_ns <= _COLD_NS or (1 + _STAMPED) * cycle_ns <= _WARMED * left_ns):
            warm = self.session.uninstrumented(1)[0]
            cycle_ns = min(cycle_ns, warm.wall_ns)
        stamped_ns = int(_STAMPED * cycle_ns)
        if _MOST_OF_LEFT * cycle_ns <= self.left_ns():
            division = _traced(self.session, self.first, self.clock, self.notify, stamped_ns)
            return replace(division, warm=warm)
        self.notify("trace", 0.0)
        begin = self.clock.now_ns()
        graph = self.session.outline()
        if graph is None:
            return replace(_traced(self.session, self.first, self.clock, self.notify, stamped_ns), warm=warm)
        trace_ns = self.clock.now_ns() - begin
        fits = stamped_ns <= self.left_ns()
        if not fits:
            self._say_not_instrumented(2 * stamped_ns)
        return Division(
            self.session,
            self.session,
            graph,
            self.first,
            stamped_ns=stamped_ns,
            trace_ns=trace_ns,
            spared=tuple(self.spared),
            instruments=fits,
            call_overhead_ns=trace_ns,
            warm=warm,
        )

    # A cycle that writes ---------------------------------------------------------------------------------------------

    def generation(self) -> Division:
        session, wanted = self.session, self.session.workload.tokens_out
        pace = Pace.of(self.first)
        is_whole = len(self.first.emitted_ns) >= wanted
        if not is_whole:
            pace = self._pace_when_warm(pace)
            session = self._fitting(pace, wanted)
            is_whole = self.cut(session.workload.tokens_out)
        return self.structured(session, pace, is_whole)

    def structured(self, session: SparingSession, pace: Pace, is_whole: bool, at_most: int | None = None) -> Division:
        """The structure of as many tokens of `session` (`at_most` so many) as the time that is left allows."""
        tokens = session.workload.tokens_out
        probe = session.shortened(LEAST_TOKENS) if tokens > _LEAST_DIVIDED else None
        few, parts = (LEAST_TOKENS, probe) if probe is not None else (tokens, session)
        few_ns = pace.cycle_ns(few)
        self.notify("trace", 0.0)
        self._require_time(pace, few_ns)
        begin = self.clock.now_ns()
        graph = parts.trace()
        overhead_ns = max(0.0, self.clock.now_ns() - begin - few_ns) / few
        fits = _CHECKED * _STAMPED * few_ns <= self.left_ns()
        slowdown, covered = _STAMPED, few
        if fits:
            # How much longer an instrumented run takes is seen on a few steps.
            seen = parts.instrumented(graph, 1)[0]
            slowdown = max(_STAMPED, float(seen.boundaries_ns[-1]) / max(1, few_ns))
            if few < tokens:
                covered = min(self._covered(pace, overhead_ns, slowdown, tokens), at_most or tokens)
        else:
            self._say_not_instrumented(int(_CHECKED * _STAMPED * few_ns))
        if covered > few:
            longer = session if covered == tokens else session.shortened(covered)
            assert longer is not None
            parts, graph = longer, longer.trace()
        if covered < tokens and fits:
            self._say_covered(covered, tokens)
        return Division(
            session,
            parts,
            graph,
            self.first,
            is_whole=is_whole,
            tokens=covered if covered < tokens else 0,
            stamped_ns=int(slowdown * pace.cycle_ns(covered)),
            trace_ns=self.clock.now_ns() - begin,
            spared=tuple(self.spared),
            instruments=fits,
            call_overhead_ns=int(overhead_ns),
        )

    def _pace_when_warm(self, pace: Pace) -> Pace:
        """`pace` with the prompt read once more: the first time the weights came from the disk, and threads were started."""
        if pace.cycle_ns(LEAST_TOKENS) > _SHORTENED * self.budget_ns:
            return pace
        short = self.session.shortened(LEAST_TOKENS + 1)
        assert short is not None  # what was ended early can be ended early
        again = Pace.of(short.uninstrumented(1)[0])
        return Pace(min(pace.first_ns, again.first_ns), min(pace.step_ns, again.step_ns), pace.growth_ns)

    def cut(self, tokens: int) -> bool:
        """Whether the first run wrote `tokens` tokens, and is a run of so many from here on."""
        emitted = self.first.emitted_ns[:tokens]
        if len(emitted) == tokens:
            self.first = replace(self.first, wall_ns=emitted[-1], emitted_ns=emitted)
        return len(emitted) == tokens

    def _fitting(self, pace: Pace, wanted: int) -> SparingSession:
        """The session whose cycle fits into the budget several times: the whole one, or a shorter one."""
        if pace.cycle_ns(wanted) <= _FIRST * self.left_ns():
            return self.session
        tokens = most_tokens(pace.cycle_ns, _SHORTENED * self.budget_ns, wanted)
        shorter = self.session.shortened(tokens)
        assert shorter is not None
        self._say_shortened(tokens, wanted, pace)
        return shorter

    def _covered(self, pace: Pace, overhead_ns: float, slowdown: float, tokens: int) -> int:
        """How many tokens the instrumented runs write: as many as their share of what is left is enough for."""

        def cost_ns(count: int) -> float:
            traced = pace.cycle_ns(count) + overhead_ns * count if count > LEAST_TOKENS else 0.0
            return PROXY_CALLS * overhead_ns + traced + _LEAST_STAMPED_RUNS * slowdown * pace.cycle_ns(count)

        left, whole_ns = self.left_ns(), pace.cycle_ns(tokens)
        # Whole cycles come first: those of half the time, or the one that fits beside the least that is instrumented.
        if 2 * whole_ns <= left:
            share = _PARTS * left
        else:
            share = left - whole_ns if whole_ns + cost_ns(LEAST_TOKENS) <= left else left
        return most_tokens(cost_ns, share, tokens)

    # What is given up ------------------------------------------------------------------------------------------------

    def _require_time(self, pace: Pace, few_ns: Nanoseconds) -> None:
        """Raise `UsageError` where tracing one step would already exceed the budget."""
        needed = int(_TRACED * few_ns)
        if needed <= self.left_ns():
            return
        least = (self.clock.now_ns() - self.begin_ns) + 4 * needed
        raise UsageError(
            m(
                "The budget must be at least {least} s for this model (got {given} s).",
                least=in_seconds(least),
                given=in_seconds(self.budget_ns),
            ),
            m(
                "The prompt and one token take {seconds} s; they are run, traced and run with timestamps.",
                seconds=in_seconds(pace.cycle_ns(LEAST_TOKENS)),
            ),
            m("Give a larger --budget, or a shorter text."),
        )

    def _say_not_instrumented(self, needed_ns: int) -> None:
        self.spared.append(
            m(
                "The budget of {budget} s fits no instrumented cycle, so the parts of the time are unknown: give --budget {least}s or more.",
                budget=in_seconds(self.budget_ns),
                least=in_seconds(1.2 * (self.clock.now_ns() - self.begin_ns + needed_ns)),
            )
        )

    def _say_shortened(self, tokens: int, wanted: int, pace: Pace) -> None:
        self.spared.append(
            m(
                "A cycle of {wanted} new tokens would take about {seconds} s, too long for the budget of {budget} s: this cycle writes {tokens}. A larger --budget measures all of them.",
                wanted=wanted,
                seconds=in_seconds(pace.cycle_ns(wanted)),
                budget=in_seconds(self.budget_ns),
                tokens=tokens,
            )
        )

    def _say_covered(self, covered: int, tokens: int) -> None:
        self.spared.append(
            m(
                "To keep the budget of {budget} s, only the first {covered} of {tokens} tokens were traced and instrumented; all that is said about parts, operations and memory is about those.",
                budget=in_seconds(self.budget_ns),
                covered=covered,
                tokens=tokens,
            )
        )
