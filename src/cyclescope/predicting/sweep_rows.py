"""What a sweep finds: a row for each point, and what holds for all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from cyclescope.core.ceilings import Ceilings
from cyclescope.core.message import Text
from cyclescope.core.plan import Plan
from cyclescope.core.prediction import Prediction
from cyclescope.core.statistics import Estimate
from cyclescope.core.units import NS_PER_S
from cyclescope.core.workload import ModelFacts, Workload
from cyclescope.predicting.settings import Setting

_Kept = TypeVar("_Kept", int, str, int | None)
NEARLY = 0.02  # a throughput that is less than 2 % below the most is nearly as large


class Limit(StrEnum):
    """What most of a predicted cycle is limited by."""

    COMPUTE = "compute"
    MEMORY = "memory"
    OVERHEAD = "overhead"
    COMMUNICATION = "communication"
    WAITING = "waiting"  # for other stages of a pipeline


@dataclass(frozen=True, slots=True)
class SweepRow:
    """One point: `wall` with its interval (none where nothing is known of the model's error), `batch` sequences and `tokens` that
    go through in that time, `shares` of the time by limit, the bytes that it needs (0: unknown) and whether the machine has
    them (None: unknown), and `most_sequences`, the largest batch that would fit at these lengths (None: unknown). The interval is
    `widening` times as wide as on what was seen, because of what lies `outside` of it.
    """

    settings: tuple[Setting, ...]
    wall: Estimate
    batch: int
    tokens: int
    shares: tuple[tuple[Limit, float], ...]
    needed_bytes: int
    fits: bool | None
    most_sequences: int | None
    widening: float = 1.0
    outside: tuple[Text, ...] = ()

    @property
    def limit(self) -> Limit:
        """What most of the time is limited by."""
        return max(self.shares, key=lambda share: share[1])[0]

    @property
    def tokens_per_s(self) -> float:
        return self.tokens * NS_PER_S / self.wall.value_ns if self.wall.value_ns else 0.0


@dataclass(frozen=True, slots=True)
class Common:
    """What is run at every point; None for what is swept, and for what a point has not. `threads` of a device are None."""

    task: str
    engine: str
    device: str
    dtype: str | None
    attention: str | None
    threads: int | None
    batch: int | None
    tokens: int | None
    cache_length: int | None
    new_tokens: int | None

    @staticmethod
    def of(workload: Workload, plan: Plan, cache_length: int | None, names: Sequence[str], *, step: bool) -> Common:
        """What `workload` and `plan` of any point have, without what `names` say is swept."""

        def kept(name: str, value: _Kept) -> _Kept | None:
            return None if name in names else value

        # A decode step reads one token; more are those that its encoder has read.
        tokens = None if step and workload.tokens_in == 1 else workload.tokens_in
        return Common(
            task=workload.task,
            engine=plan.engine,
            device=plan.device,
            dtype=kept("dtype", plan.dtype),
            attention=kept("attention", plan.attention),
            threads=kept("threads", plan.threads or None),
            batch=kept("batch", workload.batch),
            tokens=kept("tokens", tokens),
            cache_length=kept("cache", cache_length),
            new_tokens=workload.tokens_out or None,
        )


@dataclass(frozen=True, eq=False)
class Sweep:
    """All points of a grid. `names` are what was swept, `fixed` what was changed for all; `step`: each is one decode step.

    `prediction` says what the times rest on, `ceilings` are those of the machine before any change, `common` is what is run at
    every point.
    """

    model: ModelFacts
    machine: str
    memory_bytes: int
    names: tuple[str, ...]
    fixed: tuple[Setting, ...]
    step: bool
    common: Common
    rows: tuple[SweepRow, ...]
    prediction: Prediction
    ceilings: Ceilings | None = None
    notes: tuple[Text, ...] = ()

    @property
    def turns(self) -> tuple[SweepRow, ...]:
        """The rows that are limited by compute where the row before, of the same first setting, was limited by memory."""
        return tuple(
            after
            for before, after in zip(self.rows, self.rows[1:], strict=False)
            if before.limit is Limit.MEMORY
            and after.limit is Limit.COMPUTE
            and (len(self.names) < 2 or before.settings[0] == after.settings[0])
        )

    @property
    def fastest(self) -> SweepRow:
        """Of the points that fit, where any does, the one with the most tokens a second."""
        return max(self.rows, key=lambda row: (row.fits is not False, row.tokens_per_s))

    @property
    def least_batch(self) -> SweepRow:
        """The point of the smallest batch, and among these the shortest time, whose throughput is within `NEARLY` of the most."""
        most = self.fastest
        alike = [
            row for row in self.rows if row.fits == most.fits and row.tokens_per_s >= (1 - NEARLY) * most.tokens_per_s
        ]
        return min(alike, key=lambda row: (row.batch, row.wall.value_ns))
