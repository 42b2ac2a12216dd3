"""Attention heads that matter least are taken out, whole."""

from __future__ import annotations

from dataclasses import dataclass

from cyclescope.core.plan import Plan
from cyclescope.explaining.findings.finding import FindingCode
from cyclescope.optimizing.strategies.compression.shrinking import shrunk
from cyclescope.optimizing.strategies.strategy import Effect, Offer, Situation, StrategyFamily

_AMOUNTS = (0.25, 0.5)


@dataclass(frozen=True, slots=True)
class PruneHeads:
    name: str = "prune-heads"
    family: StrategyFamily = StrategyFamily.COMPRESSION
    effect: Effect = Effect.OTHER_MODEL
    answers: tuple[FindingCode, ...] = (
        FindingCode.COMPUTE_BOUND,
        FindingCode.MEMORY_BOUND_DECODE,
    )
    opt_in: bool = False

    def offer(self, plan: Plan, situation: Situation) -> Offer:
        return shrunk(plan, self.name, _AMOUNTS, 1 + 0.1)
