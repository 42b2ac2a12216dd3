"""How long a cycle takes, foreseen from the tokens that were seen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from cyclescope.backends.base import UninstrumentedRun
from cyclescope.core.units import FloatArray, Nanoseconds

_LEAST_FOR_GROWTH = 9  # steps; three thirds of fewer say nothing about how a step grows
LEAST_TOKENS = 2  # a prefill and one step: less is no generation


@dataclass(frozen=True, slots=True)
class Pace:
    """A cycle takes `first_ns` to its first token, `step_ns` for the next one, and each step `growth_ns` more than the one
    before. A cycle that writes nothing has `first_ns` alone.
    """

    first_ns: float
    step_ns: float = 0.0
    growth_ns: float = 0.0

    @staticmethod
    def of(run: UninstrumentedRun) -> Pace:
        """What `run` showed, be it whole or not."""
        return Pace.of_tokens(run.emitted_ns) if run.emitted_ns else Pace(float(run.wall_ns))

    @staticmethod
    def of_tokens(emitted_ns: Sequence[Nanoseconds], growth_ns: float | None = None) -> Pace:
        """Of a call whose tokens came out at `emitted_ns`, one at least. `growth_ns` where it is known from elsewhere."""
        gaps = np.diff(np.asarray(emitted_ns, dtype=np.float64))
        first = float(emitted_ns[0])
        if not len(gaps):
            return Pace(first, first)  # a step is never dearer than the pass that reads the prompt
        growth = _growth_ns(gaps) if growth_ns is None else growth_ns
        # A step in the middle of those seen takes their mean; the first one comes half of them earlier.
        return Pace(first, max(0.0, float(gaps.mean()) - growth * (len(gaps) - 1) / 2), growth)

    def cycle_ns(self, tokens: int) -> Nanoseconds:
        """A cycle of `tokens` tokens (0 or 1: without a step)."""
        steps = max(0, tokens - 1)
        return int(self.first_ns + steps * self.step_ns + self.growth_ns * steps * (steps - 1) / 2)


def _growth_ns(gaps: FloatArray) -> float:
    """How much longer each of the steps `gaps` takes than the one before; 0 where they are too few to say."""
    if len(gaps) < _LEAST_FOR_GROWTH:
        return 0.0
    third = len(gaps) // 3
    return max(0.0, float(np.median(gaps[-third:]) - np.median(gaps[:third])) / (len(gaps) - third))


def most_tokens(cost_ns: Callable[[int], float], within_ns: float, at_most: int) -> int:
    """The most tokens, from 2 to `at_most`, whose `cost_ns` stays `within_ns`; 2 where even those do not."""
    low, high = LEAST_TOKENS, max(LEAST_TOKENS, at_most)
    while low < high:
        middle = (low + high + 1) // 2
        if cost_ns(middle) <= within_ns:
            low = middle
        else:
            high = middle - 1
    return low
