"""Several interleaved plans, A B C, C B A, …: what drifts on the machine hits all alike, and their ratios are left."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Protocol

import numpy as np

from cyclescope.backends.base import UninstrumentedRun
from cyclescope.core.ratios import interleaved_ratio
from cyclescope.core.results import Results
from cyclescope.core.statistics import Ratio, median_estimate
from cyclescope.core.units import Nanoseconds
from cyclescope.optimizing.search.whole_cycle import WHOLE, WholeCycle

_BLOCK_NS = 60_000_000  # longer than what switching from one process to the next costs, shorter than what drifts
_MOST_IN_BLOCK = 25
# After a switch the caches hold another's data; of cycles so short the first would show that.
_SETTLE_BELOW_NS = 200_000_000
_LOOK_EVERY = 12  # rounds
LEAST_SCREENING_ROUNDS = 3  # below this there is no interval worth the name


class Variant(Protocol):
    """One plan, ready to run in a separate process (or several)."""

    def run(self, cycles: int) -> Sequence[UninstrumentedRun]:
        """Run `cycles` whole cycles, one after the other. Raises `EngineError` where the engine fails."""
        ...

    def results(self) -> Results:
        """What comes out."""
        ...

    def held_bytes(self) -> int:
        """The most memory that it has held."""
        ...

    def close(self) -> None: ...


class InterleavedRuns:
    """Variants that take turns. Every round runs each variant twice, in both orders, so that a steady drift cancels.

    `one_way` rounds run each variant once, in the one order and in the other by turns: half as long, for cycles that are. What
    drifts then cancels between two rounds instead of within one, and is in the interval until it does. `typical_ns` are
    times of a run, where they are known. Ratios and times are those of the `whole` cycle that a run stands for.
    """

    def __init__(
        self,
        variants: Sequence[Variant],
        *,
        one_way: bool = False,
        typical_ns: Sequence[float] = (),
        whole: WholeCycle = WHOLE,
    ) -> None:
        self._variants = list(variants)
        self._whole = whole
        self._times: list[list[float]] = [[] for _ in variants]
        self._logs: list[list[float]] = [[] for _ in variants]
        self._walls: list[list[int]] = [[] for _ in variants]
        self._typical = [int(wall) for wall in typical_ns] or [0] * len(variants)
        self._one_way = one_way

    @property
    def rounds(self) -> int:
        """Rounds that every variant has finished."""
        return min(len(logs) for logs in self._logs)

    def round(self) -> None:
        """One more round of all variants. Raises what a variant raises; the round then counts for none."""
        forward = list(range(len(self._variants)))
        backward = forward[::-1]
        order = (backward if self.rounds % 2 else forward) if self._one_way else forward + backward
        blocks: list[list[float]] = [[] for _ in self._variants]
        for k in order:
            blocks[k].append(self._block(k))
        for logs, mine in zip(self._logs, blocks, strict=True):
            logs.append(sum(mine) / len(mine))

    def ratio(self, variant: int, to: int) -> Ratio:
        """Time of `variant` ÷ time of the variant `to`, with its 99 % interval over rounds (two at least)."""
        n = self.rounds
        return interleaved_ratio(np.asarray(self._logs[variant][:n]) - np.asarray(self._logs[to][:n]))

    def settled(self, narrow: float) -> bool:
        """Whether the interval of every variant's ratio to the first is narrower than `narrow`, upper ÷ lower end. Looked at now
        and only then: stopping at the first lucky round would claim too much.
        """
        if self.rounds % _LOOK_EVERY:
            return False
        ratios = (self.ratio(variant, 0) for variant in range(1, len(self._variants)))
        return all(ratio.low > 0 and ratio.high < narrow * ratio.low for ratio in ratios)

    def wall_ns(self, variant: int) -> float:
        """Median time of a whole cycle of `variant`."""
        return median_estimate(np.asarray(self._times[variant])).value_ns

    def run_ns(self, variant: int) -> float:
        """Median time of a run of `variant`."""
        return median_estimate(np.asarray(self._walls[variant])).value_ns

    def _block(self, k: int) -> float:
        """Logarithm of the median time of one block of variant `k`."""
        typical = self._typical[k]
        size = max(1, min(_MOST_IN_BLOCK, int(_BLOCK_NS / typical))) if typical else 2
        settle = 1 if not typical or typical < _SETTLE_BELOW_NS else 0
        runs = list(self._variants[k].run(size + settle))[settle:]
        walls = [run.wall_ns for run in runs]
        times = [self._whole.time_ns(run) for run in runs]
        self._walls[k] += walls
        self._times[k] += times
        self._typical[k] = int(np.median(walls))
        return math.log(max(1.0, float(np.median(times))))


def estimated_round_ns(walls_ns: Sequence[float], *, one_way: bool = False) -> Nanoseconds:
    """What a round of variants with cycles of `walls_ns` takes."""
    blocks = [max(_BLOCK_NS, wall) + (wall if wall < _SETTLE_BELOW_NS else 0) for wall in walls_ns]
    return int(sum(blocks)) * (1 if one_way else 2)
