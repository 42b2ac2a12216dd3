"""Times of many pieces of work, taken in turn so that a disturbance does not hit one piece alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

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
_SHARED_ROUNDS = 4
_LONG_NS = 100_000_000
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


class Sampled(Protocol):
    """Something that runs in blocks: `sample` adds one of about `budget_ns`."""

    def sample(self, budget_ns: Nanoseconds) -> None: ...


def share_in_turn(pieces: Sequence[Sampled], clock: Clock, budget_ns: Nanoseconds, notify: Notify = silent) -> None:
    """Share `budget_ns` among `pieces` in a few rounds, forwards and backwards in turn; each is sampled once in any case."""
    begin = clock.now_ns()
    for number in range(_SHARED_ROUNDS):
        order = list(pieces) if number % 2 == 0 else list(reversed(pieces))
        for place, piece in enumerate(order):
            left_ns = begin + budget_ns - clock.now_ns()
            left = (_SHARED_ROUNDS - number) * len(order) - place
            if left_ns <= 0 and number:
                return
            notify("measure", min(1.0, 1 - left_ns / budget_ns))
            piece.sample(max(0, left_ns) // left)


def settling_runs(run_ns: Nanoseconds) -> int:
    """How many runs of a block do not count, since other work ran before: a long one is warm again long before it ends."""
    return 1 if run_ns < _LONG_NS else 0


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
