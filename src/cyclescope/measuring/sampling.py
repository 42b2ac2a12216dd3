"""What is run before anything counts, until it is steady, and the runs that count."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from cyclescope.backends.base import InstrumentedRun, Session, UninstrumentedRun
from cyclescope.core.clock import Clock
from cyclescope.core.progress import Notify, silent
from cyclescope.core.samples import InstrumentedSamples, TokenSamples, UninstrumentedSamples
from cyclescope.core.units import Nanoseconds

# The half width of the interval of the median at which more repeats would tell nothing new.
NARROW = 0.01
BLOCK_NS = 60_000_000  # a block long enough that switching is cheap, short enough that drift hits both kinds alike
_WINDOW, _SHORT_WINDOW = 5, 2  # cycles; the short one for cycles longer than a block, which show little noise each
_STEADY = 0.03
_MOST_WARM_UP = 0.25  # share of the budget
_LEAST_NS = 500_000_000  # which the first two cycles may take, however small the budget


@dataclass(frozen=True, slots=True)
class WarmUp:
    """Cycles that were run before anything counted, and whether the last two windows of them agreed."""

    cycles: int
    elapsed_ns: Nanoseconds
    steady: bool
    typical_ns: Nanoseconds


def warm_up(
    session: Session, clock: Clock, budget_ns: Nanoseconds, notify: Notify = silent, foreseen_ns: Nanoseconds = 0
) -> WarmUp:
    """Run uninstrumented cycles until two windows in a row agree, or a quarter of the budget is gone.

    Two windows of five cycles (of two, where a cycle is long) agree if their medians differ by at most 3 %, or by less than the spread inside them. The
    state is called steady then: a test on what was seen, not a fixed count. Two cycles are run at least, unless the
    first one, which took `foreseen_ns`, was too long for that: it was the warm-up then.
    """
    begin = clock.now_ns()
    limit = int(budget_ns * _MOST_WARM_UP)
    walls: list[int] = []
    steady = False
    while not steady:
        spent = clock.now_ns() - begin
        coming_ns = walls[-1] if walls else foreseen_ns
        if len(walls) >= 2 and spent >= limit:
            break
        if coming_ns > BLOCK_NS and spent + coming_ns > max(limit, _LEAST_NS if len(walls) < 2 else 0) and foreseen_ns:
            break
        walls += [run.wall_ns for run in session.uninstrumented(1 if not walls or walls[-1] > BLOCK_NS else _WINDOW)]
        notify("warm up", min(1.0, (clock.now_ns() - begin) / max(1, limit)))
        steady = is_steady(walls)
    typical_ns = int(np.median(walls[-_WINDOW:])) if walls else foreseen_ns
    return WarmUp(len(walls), clock.now_ns() - begin, steady, typical_ns)


def is_steady(walls: Sequence[int]) -> bool:
    """Whether the last two windows of `walls` agree."""
    window = _WINDOW if not walls or float(np.median(walls)) <= BLOCK_NS else _SHORT_WINDOW
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

    uninstrumented: list[UninstrumentedRun] = field(default_factory=list)
    instrumented: list[InstrumentedRun] = field(default_factory=list)

    def uninstrumented_samples(self) -> UninstrumentedSamples:
        runs = self.uninstrumented
        return UninstrumentedSamples(
            wall_ns=np.asarray([r.wall_ns for r in runs], dtype=np.int64),
            cpu_ns=np.asarray([r.cpu_ns for r in runs], dtype=np.int64),
            started_ns=np.asarray([r.started_ns for r in runs], dtype=np.int64),
        )

    def token_samples(self) -> TokenSamples | None:
        """Token times of the uninstrumented runs; None for a cycle that writes nothing."""
        runs = self.uninstrumented
        if not runs or not runs[0].emitted_ns:
            return None
        return TokenSamples(
            emitted_ns=np.asarray([r.emitted_ns for r in runs], dtype=np.int64),
            called_ns=np.asarray([r.called_ns for r in runs], dtype=np.int64),
        )

    def instrumented_samples(self) -> InstrumentedSamples:
        runs = self.instrumented
        if not runs:
            return InstrumentedSamples.empty()
        return InstrumentedSamples(
            boundaries_ns=np.stack([r.boundaries_ns for r in runs]),
            cpu_ns=np.asarray([r.cpu_ns for r in runs], dtype=np.int64),
            started_ns=np.asarray([r.started_ns for r in runs], dtype=np.int64),
        )
