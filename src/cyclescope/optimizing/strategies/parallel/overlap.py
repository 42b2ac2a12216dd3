"""The next texts are tokenized while the model works on these."""

from __future__ import annotations

from dataclasses import dataclass, replace

from cyclescope.core.message import m
from cyclescope.core.plan import Plan
from cyclescope.explaining.findings.finding import FindingCode
from cyclescope.optimizing.strategies.strategy import Effect, Offer, Situation, StrategyFamily


@dataclass(frozen=True, slots=True)
class Overlap:
    name: str = "tokenize-beside"
    family: StrategyFamily = StrategyFamily.PARALLEL
    effect: Effect = Effect.NONE
    answers: tuple[FindingCode, ...] = (FindingCode.SLOW_TOKENIZER,)
    opt_in: bool = False

    def offer(self, plan: Plan, situation: Situation) -> Offer:
        if plan.overlap:
            return Offer(not_applicable_reason=m("Already enabled."))
        if situation.texts < 2 or plan.batch == 0:
            return Offer(not_applicable_reason=m("There is only one call, so tokenization cannot overlap with it."))
        return Offer((replace(plan, overlap=True),), expected_speedup=situation.potential_speedup(*self.answers))
