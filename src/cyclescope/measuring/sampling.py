"""How often, in which order, and when it is enough: warm-up until steady, then plain and stamped blocks in turn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from cyclescope.backends.base import LightRun, PlainRun, Session
from cyclescope.core.clock import Clock
from cyclescope.core.graph import Graph
from cyclescope.core.progress import Notify, silent
from cyclescope.core.samples import LightSamples, PlainSamples, TokenSamples
from cyclescope.core.statistics import median_estimate
from cyclescope.core.units import Nanoseconds

# The half width of the interval of the median at which more repeats would tell nothing new.
NARROW = 0.01
_LEAST_RUNS = 20  # below this even a narrow interval may be luck
_MOST_RUNS = 4000  # of each kind; beyond, only the file grows
_BLOCK_NS = 60_000_000  # a block long enough that switching is cheap, short enough that drift hits both kinds alike
_MOST_IN_BLOCK = 25
# After doors were opened or shut the interpreter has to specialise its code again; those runs show that, not the model.
_SETTLE_RUNS = 2
_WINDOW, _SHORT_WINDOW = 5, 2  # cycles; the short one for cycles longer than a block, which show little noise each
_STEADY = 0.03
_MOST_WARM_UP = 0.25  # share of the budget


@dataclass(frozen=True, slots=True)
class WarmUp:
    """Cycles that were run before anything counted, and whether the last two windows of them agreed."""

    cycles: int
    elapsed_ns: Nanoseconds
    steady: bool
    typical_ns: Nanoseconds


def warm_up(session: Session, clock: Clock, budget_ns: Nanoseconds, notify: Notify = silent) -> WarmUp:
    """Run plain cycles until two windows in a row agree, or a quarter of the budget is gone.

    Two windows of five cycles (of two, where a cycle is long) agree if their medians differ by at most 3 %, or by less than the spread inside them. The
    state is called steady then: a test on what was seen, not a fixed count.
    """
    begin = clock.now_ns()
    limit = int(budget_ns * _MOST_WARM_UP)
    walls: list[int] = []
    steady = False
    while not steady and (len(walls) < 2 or clock.now_ns() - begin < limit):
        walls += [run.wall_ns for run in session.plain(1 if not walls or walls[-1] > _BLOCK_NS else _WINDOW)]
        notify("warm up", min(1.0, (clock.now_ns() - begin) / max(1, limit)))
        steady = is_steady(walls)
    return WarmUp(len(walls), clock.now_ns() - begin, steady, int(np.median(walls[-_WINDOW:])))


def is_steady(walls: Sequence[int]) -> bool:
    """Whether the last two windows of `walls` agree."""
    window = _WINDOW if not walls or float(np.median(walls)) <= _BLOCK_NS else _SHORT_WINDOW
    if len(walls) < 2 * window:
        return False
    before, after = np.asarray(walls[-2 * window : -window]), np.asarray(walls[-window:])
    difference = abs(float(np.median(after) - np.median(before)))
    # Inside each window: over both together, the very step that is looked for would count as spread.
    spread = float(np.mean([np.subtract(*np.percentile(window, [75, 25])) for window in (before, after)]))
    return difference <= max(_STEADY * float(np.median(before)), min(spread, 0.1 * float(np.median(before))))


@dataclass
class Collected:
    """Runs so far. Kept outside the loop, so that an interruption loses at most the block that was running."""

    plain: list[PlainRun] = field(default_factory=list)
    light: list[LightRun] = field(default_factory=list)

    def plain_samples(self) -> PlainSamples:
        runs = self.plain
        return PlainSamples(
            wall_ns=np.asarray([r.wall_ns for r in runs], dtype=np.int64),
            cpu_ns=np.asarray([r.cpu_ns for r in runs], dtype=np.int64),
            started_ns=np.asarray([r.started_ns for r in runs], dtype=np.int64),
        )

    def token_samples(self) -> TokenSamples | None:
        """Token times of the plain runs; None for a cycle that writes nothing."""
        runs = self.plain
        if not runs or not runs[0].emitted_ns:
            return None
        return TokenSamples(
            emitted_ns=np.asarray([r.emitted_ns for r in runs], dtype=np.int64),
            called_ns=np.asarray([r.called_ns for r in runs], dtype=np.int64),
        )

    def light_samples(self) -> LightSamples:
        runs = self.light
        if not runs:
            return LightSamples.empty()
        return LightSamples(
            boundaries_ns=np.stack([r.boundaries_ns for r in runs]),
            cpu_ns=np.asarray([r.cpu_ns for r in runs], dtype=np.int64),
            started_ns=np.asarray([r.started_ns for r in runs], dtype=np.int64),
        )


def collect(
    session: Session,
    graph: Graph,
    clock: Clock,
    stop_ns: Nanoseconds,
    typical_ns: Nanoseconds,
    into: Collected,
    notify: Notify = silent,
) -> None:
    """Alternate plain and stamped blocks (A B B A …) until the median is known to ±1 % or the clock reaches `stop_ns`.

    Both kinds get a block at least, however little time there is: half an answer is no answer.
    """
    size = max(1, min(_MOST_IN_BLOCK, int(_BLOCK_NS / max(1, typical_ns))))
    # A long cycle is warm again before it ends, and two of them thrown away would cost more than they tell.
    settle = _SETTLE_RUNS if size > _SETTLE_RUNS else 0
    begin = clock.now_ns()
    order = (True, False, False, True)
    turn = 0
    while True:
        if order[turn % 4]:
            if turn and not order[(turn - 1) % 4]:
                session.plain(settle) if settle else None
            into.plain += session.plain(size)
        else:
            into.light += session.light(graph, size + settle)[settle:]
        turn += 1
        span = max(1, stop_ns - begin)
        notify("measure", min(1.0, (clock.now_ns() - begin) / span))
        if turn >= 2 and (clock.now_ns() >= stop_ns or enough(into)):
            return


def enough(collected: Collected) -> bool:
    """Whether the medians of both kinds are known well enough."""
    if len(collected.plain) >= _MOST_RUNS:
        return True
    if min(len(collected.plain), len(collected.light)) < _LEAST_RUNS:
        return False
    plain = median_estimate(np.asarray([r.wall_ns for r in collected.plain]))
    light = median_estimate(np.asarray([int(r.boundaries_ns[-1]) for r in collected.light]))
    return plain.half_width <= NARROW and light.half_width <= NARROW
