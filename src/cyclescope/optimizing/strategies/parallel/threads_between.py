"""Independent operations side by side: the query, key and value of a layer, the branches of a model."""

from __future__ import annotations

from dataclasses import dataclass, replace

from cyclescope.core.message import m
from cyclescope.core.plan import Plan
from cyclescope.explaining.findings.finding import FindingCode
from cyclescope.optimizing.strategies.strategy import Effect, Offer, Situation, StrategyFamily

_SELDOM = 0.95


@dataclass(frozen=True, slots=True)
class ThreadsBetween:
    name: str = "threads-between"
    family: StrategyFamily = StrategyFamily.PARALLEL
    effect: Effect = Effect.NONE
    answers: tuple[FindingCode, ...] = (FindingCode.IDLE_CORES,)
    opt_in: bool = False

    def offer(self, plan: Plan, situation: Situation) -> Offer:
        if not situation.can(plan).threads_between:
            return Offer(not_applicable_reason=m("The engine runs the operations of a model one after the other."))
        if situation.machine.cores < 2:
            return Offer(not_applicable_reason=m("There is only one usable core."))
        if plan.threads_between:
            return Offer(not_applicable_reason=m("Already enabled."))
        half = max(1, situation.machine.cores // 2)
        # Most operations of a Transformer wait for the one before, and have fewer threads each.
        expected = _SELDOM * situation.with_threads(half, plan.threads or situation.machine.cores)
        return Offer((replace(plan, threads_between=2, threads=half),), expected_speedup=expected)
