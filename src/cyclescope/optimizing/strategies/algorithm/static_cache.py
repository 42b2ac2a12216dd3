"""Keys and values go into memory that is there from the start, instead of growing in every step."""

from __future__ import annotations

from dataclasses import dataclass, replace

from cyclescope.core.message import m
from cyclescope.core.plan import Cache, Compiling, Plan
from cyclescope.explaining.findings.finding import FindingCode
from cyclescope.optimizing.strategies.strategy import Effect, Offer, Situation, StrategyFamily


@dataclass(frozen=True, slots=True)
class StaticCache:
    name: str = "static-cache"
    family: StrategyFamily = StrategyFamily.ALGORITHM
    effect: Effect = Effect.ROUNDING
    answers: tuple[FindingCode, ...] = (FindingCode.CACHE_REALLOCATION,)
    opt_in: bool = False

    def offer(self, plan: Plan, situation: Situation) -> Offer:
        if not situation.writes or "static" not in situation.can(plan).caches:
            return Offer(not_applicable_reason=m("There is no growing KV cache on this engine."))
        if plan.cache == Cache.STATIC:
            return Offer(not_applicable_reason=m("Already applied."))
        if plan.drafting != "off":
            return Offer(
                not_applicable_reason=m(
                    "Drafting removes rejected tokens from the KV cache, which a static cache does not allow."
                )
            )
        compiled = replace(plan, cache=Cache.STATIC, compiling=Compiling.INDUCTOR)
        return Offer(
            (replace(plan, cache=Cache.STATIC), compiled), expected_speedup=situation.potential_speedup(*self.answers)
        )
