"""Exact GELU in place of its tanh form, where that is computed value by value and the exact one is not."""

from __future__ import annotations

from dataclasses import dataclass

from cyclescope.core.message import m
from cyclescope.core.plan import ModelChange, Plan
from cyclescope.explaining.findings.finding import FindingCode
from cyclescope.optimizing.strategies.algorithm.gelu_form import GeluForm, form_of
from cyclescope.optimizing.strategies.strategy import (
    Effect,
    Offer,
    Situation,
    StrategyFamily,
    changed,
    expected_speedup,
    has,
)

_PART = 0.7  # of what one pass would bring; exact GELU is seen at three to six passes (docs/findings.md)


@dataclass(frozen=True, slots=True)
class ExactGelu:
    name: str = "exact-gelu"
    family: StrategyFamily = StrategyFamily.ALGORITHM
    effect: Effect = Effect.APPROXIMATE
    answers: tuple[FindingCode, ...] = (FindingCode.SCALAR_ACTIVATION,)
    opt_in: bool = False

    def offer(self, plan: Plan, situation: Situation) -> Offer:
        if not situation.can(plan).native:
            return Offer(not_applicable_reason=m("The engine has its own activation kernels."))
        if has(plan, self.name) or has(plan, "relu"):
            return Offer(not_applicable_reason=m("Already applied."))
        slow = [
            each for each in situation.about(FindingCode.SCALAR_ACTIVATION) if form_of(each.subject) is GeluForm.TANH
        ]
        if not slow:
            return Offer(not_applicable_reason=m("Every tanh form of GELU is close to its memory bound here."))
        return Offer((changed(plan, ModelChange(self.name)),), expected_speedup=expected_speedup(slow, _PART))
