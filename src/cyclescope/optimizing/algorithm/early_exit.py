"""The layers behind the exit that the model was trained with are not run."""

from __future__ import annotations

from dataclasses import dataclass

from cyclescope.core.plan import Change, Plan
from cyclescope.explaining.findings.finding import FindingCode
from cyclescope.optimizing.strategy import Effect, Family, Offer, Situation, changed, has


@dataclass(frozen=True, slots=True)
class EarlyExit:
    name: str = "early-exit"
    family: Family = Family.ALGORITHM
    effect: Effect = Effect.APPROXIMATE
    answers: tuple[FindingCode, ...] = ()
    opt_in: bool = False

    def offer(self, plan: Plan, situation: Situation) -> Offer:
        if not situation.exits:
            return Offer(why_not="The model has no exits.")
        if has(plan, self.name):
            return Offer(why_not="It is done already.")
        return Offer(tuple(changed(plan, Change(self.name, float(at))) for at in situation.exits), expected=1.3)
