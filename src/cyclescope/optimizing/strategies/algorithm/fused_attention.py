"""Attention as one kernel that never writes the score matrix."""

from __future__ import annotations

from dataclasses import dataclass, replace

from cyclescope.core.message import m
from cyclescope.core.plan import Plan
from cyclescope.explaining.findings.finding import FindingCode
from cyclescope.optimizing.strategies.strategy import Effect, Offer, Situation, StrategyFamily


@dataclass(frozen=True, slots=True)
class FusedAttention:
    name: str = "fused-attention"
    family: StrategyFamily = StrategyFamily.ALGORITHM
    effect: Effect = Effect.ROUNDING
    answers: tuple[FindingCode, ...] = (FindingCode.UNFUSED_ATTENTION,)
    opt_in: bool = False

    def offer(self, plan: Plan, situation: Situation) -> Offer:
        if not situation.can(plan).native:
            return Offer(not_applicable_reason=m("The engine fuses attention itself."))
        if plan.attention != "eager":
            return Offer(not_applicable_reason=m("Attention is already fused."))
        return Offer(
            (replace(plan, attention="sdpa"),), expected_speedup=1.05 * situation.potential_speedup(*self.answers)
        )
