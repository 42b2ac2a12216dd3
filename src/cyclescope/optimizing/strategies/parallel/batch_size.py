"""More texts in one call, or fewer: weights are read once for all of them, but they must fit into the caches."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from cyclescope.core.message import m
from cyclescope.core.plan import Plan
from cyclescope.explaining.findings.finding import FindingCode
from cyclescope.optimizing.strategies.strategy import Effect, Goal, Offer, Situation, StrategyFamily

_SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256)
_AT_ONCE = 3  # neighbours; from the best of them it goes on


@dataclass(frozen=True, slots=True)
class BatchSize:
    name: str = "batch-size"
    family: StrategyFamily = StrategyFamily.PARALLEL
    effect: Effect = Effect.ROUNDING
    answers: tuple[FindingCode, ...] = (
        FindingCode.DISPATCH_BOUND,
        FindingCode.MEMORY_BOUND_DECODE,
        FindingCode.PADDING,
    )
    opt_in: bool = False

    def offer(self, plan: Plan, situation: Situation) -> Offer:
        if situation.goal is not Goal.THROUGHPUT:
            return Offer(not_applicable_reason=m("For latency, a text must not wait for other texts."))
        if situation.texts < 2:
            return Offer(not_applicable_reason=m("There is only one text."))
        now = plan.batch or situation.texts
        sizes = {n for n in _SIZES if n < situation.texts} | {situation.texts}
        near = sorted(sizes - {now}, key=lambda n: abs(math.log(n / now)))[:_AT_ONCE]
        return Offer(
            tuple(replace(plan, batch=n) for n in near),
            expected_speedup=max(1.15, situation.potential_speedup(FindingCode.DISPATCH_BOUND, part=0.5)),
        )
