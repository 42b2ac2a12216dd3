"""The layers that change their input least are left out."""

from __future__ import annotations

from dataclasses import dataclass

from cyclescope.core.message import m
from cyclescope.core.plan import ModelChange, Plan
from cyclescope.explaining.findings.finding import FindingCode
from cyclescope.optimizing.strategies.strategy import Effect, Offer, Situation, StrategyFamily, changed, has


@dataclass(frozen=True, slots=True)
class DropLayers:
    name: str = "drop-layers"
    family: StrategyFamily = StrategyFamily.COMPRESSION
    effect: Effect = Effect.OTHER_MODEL
    answers: tuple[FindingCode, ...] = (
        FindingCode.COMPUTE_BOUND,
        FindingCode.MEMORY_BOUND_DECODE,
        FindingCode.DISPATCH_BOUND,
    )
    opt_in: bool = False

    def offer(self, plan: Plan, situation: Situation) -> Offer:
        if has(plan, self.name):
            return Offer(not_applicable_reason=m("Already applied."))
        if has(plan, "distil"):
            return Offer(not_applicable_reason=m("The student model was trained with exactly these layers."))
        if situation.layers < 2:
            return Offer(not_applicable_reason=m("The model has no stack of layers to shorten."))
        counts = sorted({1, max(1, situation.layers // 4)})
        expected = situation.layers / (situation.layers - counts[-1])
        return Offer(tuple(changed(plan, ModelChange(self.name, float(n))) for n in counts), expected_speedup=expected)
