"""Texts of like length go into one call, so that little of it is padding."""

from __future__ import annotations

from dataclasses import dataclass, replace

from cyclescope.core.message import m
from cyclescope.core.plan import Batching, Plan
from cyclescope.explaining.findings.finding import FindingCode
from cyclescope.optimizing.strategies.strategy import Effect, Goal, Offer, Situation, StrategyFamily


@dataclass(frozen=True, slots=True)
class Grouping:
    name: str = "group-by-length"
    family: StrategyFamily = StrategyFamily.PARALLEL
    effect: Effect = Effect.ROUNDING
    answers: tuple[FindingCode, ...] = (FindingCode.PADDING,)
    opt_in: bool = False

    def offer(self, plan: Plan, situation: Situation) -> Offer:
        if situation.texts < 2 or (plan.batch in (0, 1) and situation.goal is not Goal.THROUGHPUT):
            return Offer(not_applicable_reason=m("Each call has one text, so there is no padding."))
        if plan.batching != Batching.GIVEN:
            return Offer(not_applicable_reason=m("The texts are already grouped."))
        padding = situation.workload.padding
        if padding <= 0:
            return Offer(not_applicable_reason=m("All texts have the same length, so there is no padding."))
        batch = plan.batch or max(1, situation.texts // 4)
        return Offer((replace(plan, batching=Batching.LENGTH, batch=batch),), expected_speedup=1 / (1 - 0.8 * padding))
