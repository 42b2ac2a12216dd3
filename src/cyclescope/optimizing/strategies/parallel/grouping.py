"""Texts of like length go into one call, so that little of it is padding."""

from __future__ import annotations

from dataclasses import dataclass, replace

from cyclescope.core.plan import Plan
from cyclescope.explaining.findings.finding import FindingCode
from cyclescope.optimizing.strategies.strategy import Effect, Family, Goal, Offer, Situation


@dataclass(frozen=True, slots=True)
class Grouping:
    name: str = "group-by-length"
    family: Family = Family.PARALLEL
    effect: Effect = Effect.ROUNDING
    answers: tuple[FindingCode, ...] = (FindingCode.PADDING,)
    opt_in: bool = False

    def offer(self, plan: Plan, situation: Situation) -> Offer:
        if situation.texts < 2 or (plan.batch in (0, 1) and situation.goal is not Goal.THROUGHPUT):
            return Offer(why_not="Each text is a call of its own, without padding.")
        if plan.batching != "given":
            return Offer(why_not="They are grouped already.")
        padding = situation.workload.padding
        if padding <= 0:
            return Offer(why_not="The texts are of one length: nothing is padded.")
        batch = plan.batch or max(1, situation.texts // 4)
        return Offer((replace(plan, batching="length", batch=batch),), expected=1 / (1 - 0.8 * padding))
