"""All texts of a call in one row without padding, each seeing only itself."""

from __future__ import annotations

from dataclasses import dataclass, replace

from cyclescope.core.message import m
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
            return Offer(
                not_applicable_reason=m("Packing supports text embeddings only, on engines that can pack texts.")
            )
        if plan.batching == Batching.PACKED:
            return Offer(not_applicable_reason=m("Already applied."))
        padding = situation.workload.padding
        if padding <= 0:
            return Offer(not_applicable_reason=m("There is no padding."))
        return Offer((replace(plan, batching=Batching.PACKED),), expected_speedup=1 / (1 - 0.6 * padding))
