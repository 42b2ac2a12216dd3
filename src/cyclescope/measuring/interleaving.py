"""How often, in which order, and when it is enough: interleaved uninstrumented and instrumented blocks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cyclescope.backends.base import Session
from cyclescope.core.clock import Clock
from cyclescope.core.graph.graph import Graph
from cyclescope.core.progress import Notify, silent
from cyclescope.core.statistics import LEAST_SAMPLES, median_estimate
from cyclescope.core.units import Nanoseconds
from cyclescope.measuring.sampling import BLOCK_NS, NARROW, Collected

_LEAST_RUNS = 20  # below this even a narrow interval may be luck
_MOST_RUNS = 4000  # of each kind; beyond, only the file grows
_MOST_IN_BLOCK = 25
# After callables were wrapped or restored the interpreter has to specialise its code again; those runs show that, not the model.
_SETTLE_RUNS = 2
_SLACK = 0.05  # of the time for all; a block that ends no later than that after the end is begun
_DEAR = 1.5  # times an uninstrumented block; stamps, and runs that only settle, rarely come to more


def collect(
    session: Session,
    graph: Graph,
    clock: Clock,
    stop_ns: Nanoseconds,
    typical_ns: Nanoseconds,
    into: Collected,
    notify: Notify = silent,
    *,
    grace_ns: Nanoseconds = 0,
    parts: Session | None = None,
    stamped_ns: Nanoseconds | None = None,
    begin_instrumented: bool = False,
) -> None:
    """Interleave uninstrumented and instrumented blocks until both medians are known to ±1 % or the clock reaches `stop_ns`.

    A round is A B B A, so that drift hits both kinds alike. Where an instrumented block is dear, since its engine makes ready for
    it, a round is A B A, in which the uninstrumented blocks on both sides take as long together as the instrumented one: uninstrumented runs are
    the truth, and have half of the time whatever the others cost, until their median is known. A dear block is not begun
    where there is no time left for it and for the uninstrumented ones after it; no block is begun that would end much too late.

    Instrumented runs are those of `parts`, where that is another session than `session`, and take about `stamped_ns`, where
    that is foreseen: then the first of them is not begun either where it does not fit. With `begin_instrumented` an
    instrumented block comes first, for where there may be no time for one behind a plain one. Otherwise both kinds get a block at
    least, however little time there is: half an answer is no answer. So many uninstrumented runs as an interval needs are
    made even beyond `stop_ns`, in `grace_ns` more.
    """
    blocks = _InterleavedBlocks(
        session, graph, clock, stop_ns, typical_ns, into, notify, parts or session, stamped_ns or 0
    )
    took_ns = 0
    if begin_instrumented and blocks.affordable():
        blocks.instrumented()
    while not blocks.over():
        before_ns = blocks.uninstrumented(took_ns // 2) if blocks.has_time() else 0
        if blocks.over():
            break
        if not blocks.affordable():
            if blocks.has_time():
                blocks.uninstrumented(blocks.left_ns())
            break
        took_ns = blocks.instrumented()
        if not blocks.dear:
            took_ns = 0
            if not blocks.over() and blocks.affordable():
                blocks.instrumented()
        if not blocks.over() and blocks.has_time():
            blocks.settle()
            blocks.uninstrumented(took_ns - before_ns)
    blocks.uninstrumented_for_an_interval(grace_ns)


@dataclass
class _InterleavedBlocks:
    """The blocks of one collection, and what they cost."""

    session: Session
    graph: Graph
    clock: Clock
    stop_ns: Nanoseconds
    typical_ns: Nanoseconds
    into: Collected
    notify: Notify
    parts: Session
    foreseen_ns: Nanoseconds  # of an instrumented run; 0: unknown

    def __post_init__(self) -> None:
        self._begin_ns = self.clock.now_ns()
        self._size = max(1, min(_MOST_IN_BLOCK, int(BLOCK_NS / max(1, self.typical_ns))))
        self._parts_size = self._size
        if self.parts is not self.session:
            self._parts_size = max(1, min(_MOST_IN_BLOCK, int(BLOCK_NS / max(1, self.foreseen_ns))))
        self._slack_ns = max(2 * BLOCK_NS, int(_SLACK * (self.stop_ns - self._begin_ns)))
        self._run_ns = self.typical_ns
        # A long cycle is warm again before it ends, and two of them thrown away would cost more than they tell.
        self._settle = _SETTLE_RUNS if self._size > _SETTLE_RUNS else 0
        self._uninstrumented_ns = 0  # the last block of each kind took so long
        self._stamped_ns = 0
        self._ready_ns = 0  # before and behind the runs of an instrumented block
        self._stamped_run_ns = self.foreseen_ns

    @property
    def dear(self) -> bool:
        """Whether an instrumented block costs much more than an uninstrumented one."""
        return self._stamped_ns > _DEAR * self._uninstrumented_ns

    def left_ns(self) -> Nanoseconds:
        """Time until it must be over."""
        return max(0, self.stop_ns - self.clock.now_ns())

    def has_time(self) -> bool:
        """Whether an uninstrumented block is to be begun: the first in any case, others where they end in time."""
        return not self.into.uninstrumented or self._size * self._run_ns <= self.left_ns() + self._slack_ns

    def over(self) -> bool:
        """Whether there is a block of each kind, and no time, or nothing more to learn."""
        if not self.into.uninstrumented or not self.into.instrumented:
            return False
        return not self.left_ns() or enough(self.into)

    def uninstrumented(self, least_ns: Nanoseconds) -> Nanoseconds:
        """Uninstrumented blocks that take `least_ns` together, one at least; fewer once it is over or their median is known. Gives
        how long they took.
        """
        begin = self.clock.now_ns()
        while True:
            self._uninstrumented_block(self._size)
            took = self.clock.now_ns() - begin
            if took >= least_ns or self.over() or _known(_uninstrumented_walls(self.into)) or not self.has_time():
                return took

    def _uninstrumented_block(self, cycles: int) -> None:
        begin = self.clock.now_ns()
        self.into.uninstrumented += self.session.uninstrumented(cycles)
        self._uninstrumented_ns = self.clock.now_ns() - begin
        self._run_ns = self._uninstrumented_ns // cycles
        self._tell()

    def settle(self) -> None:
        """Uninstrumented runs that do not count, after instrumented ones."""
        if self._settle:
            self.session.uninstrumented(self._settle)

    def instrumented(self) -> Nanoseconds:
        """An instrumented block; gives how long it took."""
        begin = self.clock.now_ns()
        settle = self._settle if self._parts_size > _SETTLE_RUNS else 0
        runs = self.parts.instrumented(self.graph, self._stamped_size() + settle)
        self.into.instrumented += runs[settle:]
        self._stamped_ns = self.clock.now_ns() - begin
        walls = [int(run.boundaries_ns[-1]) for run in runs]
        self._ready_ns = max(0, self._stamped_ns - sum(walls))
        self._stamped_run_ns = max(1, int(np.median(walls)))
        self._tell()
        return self._stamped_ns

    def _stamped_size(self) -> int:
        """Runs of an instrumented block: where making ready for it takes longer than they do, as many as take as long, but no
        more than there is time for.
        """
        if not self._ready_ns:
            return self._parts_size
        fit = (self.left_ns() // 2 - self._ready_ns) // self._stamped_run_ns - self._settle
        return max(self._parts_size, min(_MOST_IN_BLOCK, self._ready_ns // self._stamped_run_ns, fit))

    def affordable(self) -> bool:
        """Whether an instrumented block is to be begun: the first, unless it is foreseen to be too long, and then as long as
        it ends in time; a dear one only with the plain ones behind it.
        """
        runs_ns = (self._parts_size + self._settle) * self._stamped_run_ns
        if not self.into.instrumented or not self.dear:
            return runs_ns <= self.left_ns() + self._slack_ns or not (self.into.instrumented or self.foreseen_ns)
        cost = self._ready_ns + runs_ns
        behind = 0 if _known(_uninstrumented_walls(self.into)) else cost // 2
        return cost + behind <= self.left_ns()

    def uninstrumented_for_an_interval(self, grace_ns: Nanoseconds) -> None:
        """Uninstrumented runs up to as many as an interval needs, while the next one would end before `grace_ns` more are over."""
        while missing := max(0, LEAST_SAMPLES - len(self.into.uninstrumented)):
            cycles = min(self._size, missing)
            run_ns = int(np.median(_uninstrumented_walls(self.into)))
            if self.clock.now_ns() + cycles * run_ns > self.stop_ns + grace_ns:
                return
            self._uninstrumented_block(cycles)

    def _tell(self) -> None:
        span = max(1, self.stop_ns - self._begin_ns)
        self.notify("measure", min(1.0, (self.clock.now_ns() - self._begin_ns) / span))


def enough(collected: Collected) -> bool:
    """Whether the medians of both kinds are known well enough."""
    if len(collected.uninstrumented) >= _MOST_RUNS:
        return True
    return _known(_uninstrumented_walls(collected)) and _known(
        [int(r.boundaries_ns[-1]) for r in collected.instrumented]
    )


def _uninstrumented_walls(collected: Collected) -> list[Nanoseconds]:
    return [run.wall_ns for run in collected.uninstrumented]


def _known(walls: Sequence[Nanoseconds]) -> bool:
    """Whether the median of `walls` is known to ±1 %."""
    return len(walls) >= _LEAST_RUNS and median_estimate(np.asarray(walls)).half_width <= NARROW
