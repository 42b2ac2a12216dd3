"""The time of a whole generation, from a run that wrote only a few of its tokens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cyclescope.backends.base import UninstrumentedRun
from cyclescope.core.units import Nanoseconds


@dataclass(frozen=True, slots=True)
class WholeCycle:
    """A cycle that writes `tokens` tokens on each of `texts` texts, of which a trial runs a part.

    A trial with `apart` makes two calls on one text: the prompt of the second is `apart` tokens longer, so that its decode
    steps find the KV cache as long as the last steps of a whole generation do. A step grows linearly with the cache in
    between. Other trials write on `sampled` of the texts, and their steps count as alike. `factor` is the time of the
    cycle ÷ that of the trial for the baseline; it stands in where a run does not give the times of its tokens.
    """

    texts: int = 1
    tokens: int = 0
    apart: int = 0
    sampled: int = 1
    factor: float = 1.0

    def time_ns(self, run: UninstrumentedRun) -> float:
        """The time of the whole cycle that `run` is a trial of."""
        calls = run.emitted_by_call or (run.emitted_ns,)
        if not self.tokens or min(map(len, calls)) < 2:
            return run.wall_ns * self.factor
        if not self.apart:
            return sum(self._generation_ns(call, 0.0) for call in calls) * self.texts / self.sampled
        near, far = (step_ns(call) for call in calls[:2])
        # Guessing from the text makes calls on a long prompt look cheap; no step is cheaper for a longer cache.
        growth = min(max(0.0, far - near), near) / self.apart
        return self._generation_ns(calls[0], growth) * self.texts

    def _generation_ns(self, emitted: Sequence[Nanoseconds], growth_ns: float) -> float:
        """One text, whose first tokens came out at `emitted`; a step takes `growth_ns` more for each token in the cache."""
        later = (self.tokens - len(emitted)) / 2  # tokens in the cache: mean of all steps − mean of those that ran
        return emitted[0] + (self.tokens - 1) * (step_ns(emitted) + growth_ns * later)


WHOLE = WholeCycle()  # a trial runs the cycle itself


def step_ns(emitted: Sequence[Nanoseconds]) -> float:
    """The mean time from one token to the next."""
    return (emitted[-1] - emitted[0]) / (len(emitted) - 1)
