"""Attention as one kernel that never writes the score matrix."""

from __future__ import annotations

from dataclasses import dataclass, replace

from cyclescope.core.plan import Plan
from cyclescope.explaining.findings.finding import FindingCode
from cyclescope.optimizing.strategies.strategy import Effect, Family, Offer, Situation


@dataclass(frozen=True, slots=True)
class FusedAttention:
    name: str = "fused-attention"
    family: Family = Family.ALGORITHM
    effect: Effect = Effect.ROUNDING
    answers: tuple[FindingCode, ...] = (FindingCode.UNFUSED_ATTENTION,)
    opt_in: bool = False

    def offer(self, plan: Plan, situation: Situation) -> Offer:
        if not situation.can(plan).native:
            return Offer(why_not="The engine fuses by itself.")
        if plan.attention != "eager":
            return Offer(why_not="Attention is fused already.")
        return Offer((replace(plan, attention="sdpa"),), expected=1.05 * situation.could(*self.answers))
