"""Each large weight matrix as the product of two thin ones (truncated singular values)."""

from __future__ import annotations

from dataclasses import dataclass

from cyclescope.core.plan import Plan
from cyclescope.explaining.findings.finding import FindingCode
from cyclescope.optimizing.strategies.compression.shrinking import shrunk
from cyclescope.optimizing.strategies.strategy import Effect, Offer, Situation, StrategyFamily

_AMOUNTS = (0.5, 0.25)


@dataclass(frozen=True, slots=True)
class LowRank:
    name: str = "low-rank"
    family: StrategyFamily = StrategyFamily.COMPRESSION
    effect: Effect = Effect.OTHER_MODEL
    answers: tuple[FindingCode, ...] = (
        FindingCode.COMPUTE_BOUND,
        FindingCode.MEMORY_BOUND_DECODE,
    )
    opt_in: bool = False

    def offer(self, plan: Plan, situation: Situation) -> Offer:
        return shrunk(plan, self.name, _AMOUNTS, 1 + 0.25)
