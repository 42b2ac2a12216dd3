"""Weights in 4 bits, computing in floating point."""

from __future__ import annotations

from dataclasses import dataclass

from cyclescope.core.plan import Plan
from cyclescope.explaining.findings.finding import FindingCode
from cyclescope.optimizing.strategies.compression.packed_weights import packed
from cyclescope.optimizing.strategies.strategy import Effect, Offer, Situation, StrategyFamily

_UNPACKING = 0.6


@dataclass(frozen=True, slots=True)
class Int4Weights:
    name: str = "int4-weights"
    family: StrategyFamily = StrategyFamily.COMPRESSION
    effect: Effect = Effect.APPROXIMATE
    answers: tuple[FindingCode, ...] = (FindingCode.MEMORY_BOUND_DECODE,)
    opt_in: bool = False

    def offer(self, plan: Plan, situation: Situation) -> Offer:
        # The bound is that of 8 bits.
        return packed(plan, situation, 4, 1.1 * situation.potential_speedup(*self.answers), _UNPACKING)
