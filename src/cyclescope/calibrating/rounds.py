"""Times of many pieces of work, taken in turn so that a disturbance does not hit one piece alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from cyclescope.backends.probing import Timer
from cyclescope.core.clock import Clock
from cyclescope.core.progress import Notify, silent
from cyclescope.core.units import AnyArray, Nanoseconds

# Short, so that some slices fall between the disturbances of a machine that others use too; long enough for the clock.
SLICE_NS = 1_500_000
_LEAST_ROUNDS = 3  # within the budget and a tenth; one in any case
_MOST_OVER = 1.1
_MOST_ROUNDS = 60
# With fewer than 30 one disturbance decides the interval; where even those take too long, a few tell more than none.
_FEWEST_PAIRS, _LEAST_PAIRS, _MOST_PAIRS = 2, 30, 1000


@dataclass
class TimedBlock:
    """One piece of work: `samples_ns` are times of one repetition, each the mean of a slice of `repetitions`."""

    timer: Timer
    repetitions: int = 0
    samples_ns: list[float] = field(default_factory=list)

    def sample(self) -> None:
        """One more slice. The first finds out how many repetitions fill one, and counts as a sample itself."""
        if not self.repetitions:
            self._fill_slice()
            return
        self.samples_ns.append(self.timer(self.repetitions) / self.repetitions)

    def _fill_slice(self) -> None:
        self.repetitions = 1
        while True:
            elapsed = max(1, self.timer(self.repetitions))
            if elapsed * 2 >= SLICE_NS:
                break
            # In steps, because the first call of all may take far longer than the others.
            self.repetitions *= max(2, min(64, SLICE_NS // elapsed))
        self.samples_ns.append(elapsed / self.repetitions)

    @property
    def best_ns(self) -> float:
        return min(self.samples_ns)


def in_turn(
    pieces: Sequence[TimedBlock], clock: Clock, budget_ns: Nanoseconds, phase: str, notify: Notify = silent
) -> None:
    """Sample all `pieces`, forwards and backwards in turn, until the budget is spent; three rounds, if they take no more than a
    tenth beyond it, and one in any case.
    """
    begin = clock.now_ns()
    for number in range(_MOST_ROUNDS):
        for piece in pieces if number % 2 == 0 else reversed(pieces):
            spent = (clock.now_ns() - begin) / max(1, budget_ns)
            if spent >= (1 if number >= _LEAST_ROUNDS else _MOST_OVER) and number:
                return
            notify(phase, min(1.0, spent))
            piece.sample()


def same_against_same(
    timer: Timer, clock: Clock, budget_ns: Nanoseconds, notify: Notify = silent
) -> tuple[AnyArray, AnyArray]:
    """Times of A and of B, which are the same work, in the order A B B A …, as one would compare two different ones."""
    begin = clock.now_ns()
    sides: tuple[list[int], list[int]] = ([], [])
    turn = 0
    while turn < 2 * _MOST_PAIRS:
        spent = (clock.now_ns() - begin) / max(1, budget_ns)
        if turn >= 2 * _FEWEST_PAIRS and spent >= (1 if turn >= 2 * _LEAST_PAIRS else _MOST_OVER):
            break
        if turn % 4 == 0:
            notify("A/A", min(1.0, (clock.now_ns() - begin) / max(1, budget_ns)))
        sides[turn % 4 in (1, 2)].append(timer(1))
        turn += 1
    return np.asarray(sides[0], dtype=np.float64), np.asarray(sides[1], dtype=np.float64)
