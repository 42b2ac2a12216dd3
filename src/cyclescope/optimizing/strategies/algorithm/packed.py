"""All texts of a call in one row without padding, each seeing only itself."""

from __future__ import annotations

from dataclasses import dataclass, replace

from cyclescope.core.plan import Batching, Plan
from cyclescope.explaining.findings.finding import FindingCode
from cyclescope.optimizing.strategies.strategy import Effect, Offer, Situation, StrategyFamily


@dataclass(frozen=True, slots=True)
class Packed:
    name: str = "packed"
    family: StrategyFamily = StrategyFamily.ALGORITHM
    effect: Effect = Effect.ROUNDING
    answers: tuple[FindingCode, ...] = (FindingCode.PADDING,)
    opt_in: bool = False

    def offer(self, plan: Plan, situation: Situation) -> Offer:
        if "packed" not in situation.can(plan).batchings or situation.workload.task != "embed":
            return Offer(not_applicable_reason="It is made for vectors of texts, on engines that pack texts.")
        if plan.batching == Batching.PACKED:
            return Offer(not_applicable_reason="It is done already.")
        padding = situation.workload.padding
        if padding <= 0:
            return Offer(not_applicable_reason="Nothing is padded.")
        return Offer((replace(plan, batching=Batching.PACKED),), expected_speedup=1 / (1 - 0.6 * padding))
