"""GELU by its tanh form (Hendrycks and Gimpel, 2016, section 2), which vectorises where the exact one does not."""

from __future__ import annotations

from dataclasses import dataclass

from cyclescope.core.plan import Change, Plan
from cyclescope.explaining.findings.finding import FindingCode
from cyclescope.optimizing.strategy import Effect, Family, Offer, Situation, changed, has


@dataclass(frozen=True, slots=True)
class TanhGelu:
    name: str = "tanh-gelu"
    family: Family = Family.ALGORITHM
    effect: Effect = Effect.APPROXIMATE
    answers: tuple[FindingCode, ...] = (FindingCode.SCALAR_ACTIVATION,)
    opt_in: bool = False

    def offer(self, plan: Plan, situation: Situation) -> Offer:
        if plan.engine != "torch":
            return Offer(why_not="The engine brings an activation of its own.")
        if has(plan, self.name) or has(plan, "relu"):
            return Offer(why_not="It is done already.")
        share = situation.found(FindingCode.SCALAR_ACTIVATION)
        if not share:
            return Offer(why_not="No activation of this cycle is far from what its bytes need.")
        return Offer((changed(plan, Change(self.name)),), expected=1 / (1 - 0.8 * share))
