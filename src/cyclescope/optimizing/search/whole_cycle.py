"""The time of a whole generation, from a run that wrote only a few of its tokens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cyclescope.backends.base import UninstrumentedRun
from cyclescope.core.units import Nanoseconds
from cyclescope.measuring.pace import Pace


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
        calls = run.calls_emitted_ns
        if not self.tokens or not calls or min(map(len, calls)) < 2:
            return run.wall_ns * self.factor
        if not self.apart:
            whole = sum(Pace.of_tokens(call, 0.0).cycle_ns(self.tokens) for call in calls)
            return whole * self.texts / self.sampled
        near, far = (_step_ns(call) for call in calls[:2])
        # Guessing from the text makes calls on a long prompt look cheap; no step is cheaper for a longer cache.
        growth = min(max(0.0, far - near), near) / self.apart
        return float(Pace.of_tokens(calls[0], growth).cycle_ns(self.tokens) * self.texts)


WHOLE = WholeCycle()  # a trial runs the cycle itself


def _step_ns(emitted: Sequence[Nanoseconds]) -> float:
    """The mean time from one token to the next."""
    return (emitted[-1] - emitted[0]) / (len(emitted) - 1)
