"""The same model on an engine that fuses its graph and packs its weights ahead of time."""

from __future__ import annotations

from dataclasses import dataclass, replace

from cyclescope.core.message import m
from cyclescope.core.plan import Compiling, Plan
from cyclescope.explaining.findings.finding import FindingCode
from cyclescope.optimizing.strategies.strategy import Effect, Offer, Situation, StrategyFamily

# A guess that only orders trials: nearly twice as fast at 16 tokens, a third faster at 128, and a fifth at thousands.
_LEAST, _MOST, _HALF_AT = 0.2, 1.2, 16


@dataclass(frozen=True, slots=True)
class OtherEngine:
    name: str = "engine"
    family: StrategyFamily = StrategyFamily.ALGORITHM
    effect: Effect = Effect.ROUNDING
    answers: tuple[FindingCode, ...] = (
        FindingCode.DISPATCH_BOUND,
        FindingCode.PRODUCT_TRAFFIC,
        FindingCode.SCALAR_ACTIVATION,
        FindingCode.UNFUSED_ATTENTION,
    )
    opt_in: bool = False

    def offer(self, plan: Plan, situation: Situation) -> Offer:
        if not situation.can(plan).native:
            return Offer(not_applicable_reason=m("The plan already uses another engine."))
        if plan.changes or plan.compiling != Compiling.OFF or plan.drafting != "off":
            return Offer(not_applicable_reason=m("Other engines are tried from the baseline only."))
        there = [name for name, way in situation.engines.items() if not way]
        if not there:
            return Offer(not_applicable_reason=m("No other engine is installed."))
        # What an engine saves is work around the arithmetic: the less arithmetic there is in a call, the more it is.
        workload = situation.workload
        # Of a text that is written nearly every call reads one token.
        tokens = (1 if situation.writes else workload.tokens_in) * (plan.batch or workload.batch)
        expected = 1 + _LEAST + _MOST / (1 + tokens / _HALF_AT) + situation.found(*self.answers)
        # What it computes attention with is its own, whatever the model had.
        return Offer(tuple(replace(plan, engine=name, attention="engine") for name in there), expected)
