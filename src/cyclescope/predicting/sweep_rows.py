"""What a sweep finds: a row for each point, and what holds for all of them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from cyclescope.core.ceilings import Ceilings
from cyclescope.core.message import Text
from cyclescope.core.prediction import Prediction
from cyclescope.core.statistics import Estimate
from cyclescope.core.units import NS_PER_S
from cyclescope.predicting.settings import Setting

NEARLY = 0.02  # a throughput that is less than 2 % below the most is nearly as large


class Limit(StrEnum):
    """What most of a predicted cycle is limited by."""

    COMPUTE = "compute"
    MEMORY = "memory"
    OVERHEAD = "overhead"


@dataclass(frozen=True, slots=True)
class SweepRow:
    """One point: `wall` with its interval (none where nothing is known of the model's error), `batch` sequences and `tokens` that
    go through in that time, `shares` of the time by limit, the bytes that it needs (0: unknown) and whether the machine has
    them (None: unknown), and `most_sequences`, the largest batch that would fit at these lengths (None: unknown).
    """

    settings: tuple[Setting, ...]
    wall: Estimate
    batch: int
    tokens: int
    shares: tuple[tuple[Limit, float], ...]
    needed_bytes: int
    fits: bool | None
    most_sequences: int | None

    @property
    def limit(self) -> Limit:
        """What most of the time is limited by."""
        return max(self.shares, key=lambda share: share[1])[0]

    @property
    def tokens_per_s(self) -> float:
        return self.tokens * NS_PER_S / self.wall.value_ns if self.wall.value_ns else 0.0


@dataclass(frozen=True, eq=False)
class Sweep:
    """All points of a grid. `names` are what was swept, `fixed` what was changed for all; `step`: each is one decode step.

    `prediction` says what the times rest on, `ceilings` are those of the machine before any change.
    """

    model: str
    machine: str
    memory_bytes: int
    names: tuple[str, ...]
    fixed: tuple[Setting, ...]
    step: bool
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
