"""ReLU in place of the model's activation: the cheapest there is, and another function."""

from __future__ import annotations

from dataclasses import dataclass, replace

from cyclescope.core.message import m
from cyclescope.core.plan import ModelChange, Plan
from cyclescope.explaining.findings.finding import FindingCode
from cyclescope.optimizing.strategies.strategy import (
    Effect,
    Offer,
    Situation,
    StrategyFamily,
    changed,
    expected_speedup,
    has,
)

_FORMS = ("tanh-gelu", "exact-gelu")


@dataclass(frozen=True, slots=True)
class Relu:
    name: str = "relu"
    family: StrategyFamily = StrategyFamily.ALGORITHM
    effect: Effect = Effect.OTHER_MODEL
    answers: tuple[FindingCode, ...] = (FindingCode.SCALAR_ACTIVATION,)
    opt_in: bool = False

    def offer(self, plan: Plan, situation: Situation) -> Offer:
        if has(plan, self.name):
            return Offer(not_applicable_reason=m("Already applied."))
        slow = situation.about(FindingCode.SCALAR_ACTIVATION)
        if not slow:
            return Offer(
                not_applicable_reason=m("Every activation function of this cycle is close to its memory bound.")
            )
        base = replace(plan, changes=tuple(c for c in plan.changes if c.name not in _FORMS))
        return Offer((changed(base, ModelChange(self.name)),), expected_speedup=expected_speedup(slow))
