"""Two cycles side by side: faster, slower or inconclusive, and what made the difference."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from cyclescope.core.cycle import Cycle
from cyclescope.core.statistics import Estimate, Ratio


class Verdict(StrEnum):
    """What the interval of B ÷ A allows to say of B."""

    FASTER = "faster"
    SLOWER = "slower"
    INCONCLUSIVE = "inconclusive"


class Presence(StrEnum):
    """Whether a part stands in both cycles."""

    BOTH = "both"
    ONLY_A = "only-a"
    ONLY_B = "only-b"


@dataclass(frozen=True, slots=True)
class Change:
    """One part (a stage, a layer, a kind, a group of matched operations) in both cycles; `a` and `b` are None where it
    is missing. `ratio` is B ÷ A with its interval, None unless both have it. `delta_ns` = B − A, a missing part being 0:
    the deltas of all parts of one partition add up to that of the whole.
    """

    name: str
    presence: Presence
    a: Estimate | None
    b: Estimate | None
    ratio: Ratio | None
    delta_ns: float
    operations_a: int = 0
    operations_b: int = 0


@dataclass(frozen=True, eq=False)
class Comparison:
    """`ratio` = B ÷ A of the unprofiled wall time. `interleaved` tells whether both were measured in turns, which makes
    the verdict safe against drift of the machine. `differences` name what is not the same about the two besides time.
    """

    a: Cycle
    b: Cycle
    verdict: Verdict
    ratio: Ratio
    confidence: float
    threshold: float
    interleaved: bool
    stages: tuple[Change, ...]
    layers: tuple[Change, ...]
    kinds: tuple[Change, ...]
    operations: tuple[Change, ...]
    differences: tuple[str, ...]
