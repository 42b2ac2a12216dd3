"""What the times of a predicted cycle rest on: facts that go with it wherever it is shown."""

from __future__ import annotations

from dataclasses import dataclass, field

from cyclescope.core.message import Text
from cyclescope.core.spread import Spread
from cyclescope.core.stored import ADDED_LATER

COVERAGE = 0.9  # share of unseen cycles that an interval of a prediction is meant to hold
ANALYTIC = "analytic"  # the timing model that takes the work of every operation at its ceiling
SCENARIOS = 41  # rows of samples of a predicted cycle: odd, so that one of them is the median


@dataclass(frozen=True, slots=True)
class Alternative:
    """What another timing model says of the same cycle, and its mean error on unseen cycles (None: unknown)."""

    timing_model: str
    wall_ns: float
    mean_error: float | None = None


@dataclass(frozen=True, slots=True)
class Prediction:
    """How a predicted cycle came to its times.

    `timing_model` predicted it. Its `unseen` cycles are those that it was not fitted on and was held against: how many, with
    their `mean_error` (the mean of |predicted − true| ÷ true), `errors_on` what they were, `errors_source` the command or the
    file that found it, and `repeat_error`, by which two measurements of one cycle differ there. With `unseen` 0 no
    interval is stated. `coverage` is the share of cycles that an interval is meant to hold, which is `widening` times as
    wide as on what was seen, because of what lies `outside`. `missing_bytes` is what the cycle needs beyond the memory
    of the machine (0: it fits, or either is unknown). `unknown_operations` are those that no time could be given. `shift` is
    the factor by which the median error on what was unseen moves what the timing model itself says. `spread` is about all ranks where the plan has several.
    """

    timing_model: str
    coverage: float = COVERAGE
    unseen: int = 0
    mean_error: float | None = None
    errors_on: Text = ""
    errors_source: str = ""
    repeat_error: float | None = None
    widening: float = 1.0
    outside: tuple[Text, ...] = ()
    missing_bytes: int = 0
    unknown_operations: tuple[int, ...] = ()
    alternatives: tuple[Alternative, ...] = ()
    shift: float = field(default=1.0, metadata=ADDED_LATER)
    spread: Spread | None = field(default=None, metadata=ADDED_LATER)

    @property
    def at_ceilings(self) -> bool:
        """Whether every operation is taken at its ceiling, so that its distance from it is nothing but `shift`."""
        return self.timing_model == ANALYTIC
