"""A student with fewer layers learns the outputs of the model on the user's texts."""

from __future__ import annotations

from dataclasses import dataclass

from cyclescope.core.plan import Change, Plan
from cyclescope.explaining.findings.finding import FindingCode
from cyclescope.optimizing.strategy import Effect, Family, Offer, Situation, changed, has


@dataclass(frozen=True, slots=True)
class Distil:
    name: str = "distil"
    family: Family = Family.COMPRESSION
    effect: Effect = Effect.APPROXIMATE
    answers: tuple[FindingCode, ...] = (
        FindingCode.COMPUTE_BOUND,
        FindingCode.DISPATCH_BOUND,
    )
    opt_in: bool = True

    def offer(self, plan: Plan, situation: Situation) -> Offer:
        if has(plan, self.name) or has(plan, "drop-layers"):
            return Offer(why_not="Layers are left out already.")
        if situation.layers < 2 or situation.writes:
            return Offer(why_not="It is there for encoders with several layers.")
        return Offer((changed(plan, Change(self.name, float(situation.layers // 2))),), expected=1.8)
