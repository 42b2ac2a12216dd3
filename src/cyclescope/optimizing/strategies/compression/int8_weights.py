"""Weights in 8 bits, computing in floating point: half to a quarter of what a decode step must read."""

from __future__ import annotations

from dataclasses import dataclass

from cyclescope.core.plan import Plan
from cyclescope.explaining.findings.finding import FindingCode
from cyclescope.optimizing.strategies.compression.packed_weights import packed
from cyclescope.optimizing.strategies.strategy import Effect, Offer, Situation, StrategyFamily

_UNPACKING = 0.9


@dataclass(frozen=True, slots=True)
class Int8Weights:
    name: str = "int8-weights"
    family: StrategyFamily = StrategyFamily.COMPRESSION
    effect: Effect = Effect.APPROXIMATE
    answers: tuple[FindingCode, ...] = (FindingCode.MEMORY_BOUND_DECODE,)
    opt_in: bool = False

    def offer(self, plan: Plan, situation: Situation) -> Offer:
        return packed(plan, situation, 8, situation.potential_speedup(*self.answers), _UNPACKING)
