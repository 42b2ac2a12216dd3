"""More or fewer threads inside each operation, up to the cores that there are."""

from __future__ import annotations

from dataclasses import dataclass, replace

from cyclescope.core.message import m
from cyclescope.core.plan import Plan
from cyclescope.explaining.findings.finding import FindingCode
from cyclescope.optimizing.strategies.strategy import Effect, Offer, Situation, StrategyFamily, expected_speedup

_FEWER = 0.9
_BESIDE_OTHERS = 2.0  # 2.5 was seen of Gemma 3 270M, one thread and two beside a busy core of two


@dataclass(frozen=True, slots=True)
class Threads:
    name: str = "threads"
    family: StrategyFamily = StrategyFamily.PARALLEL
    effect: Effect = Effect.ROUNDING
    answers: tuple[FindingCode, ...] = (
        FindingCode.IDLE_CORES,
        FindingCode.OVERSUBSCRIPTION,
        FindingCode.DISPATCH_BOUND,
    )
    opt_in: bool = False

    def offer(self, plan: Plan, situation: Situation) -> Offer:
        cores = max(1, situation.machine.cores // max(1, plan.instances))
        counts = {1, cores} | {2**k for k in range(1, 10) if 2**k < cores}
        others = sorted(counts - {plan.threads}, reverse=True)
        if not others:
            return Offer(not_applicable_reason=m("There is only one usable core."))
        if left := situation.cores_left(plan):
            # Threads wait for the one that shares its core: fewer is the first to try, and costs nothing to make ready.
            nearest = sorted(others, key=lambda n: (abs(n - left), -n))
            return Offer(tuple(replace(plan, threads=n) for n in nearest), expected_speedup=_BESIDE_OTHERS)
        if plan.threads and others[0] < plan.threads:
            # Fewer threads than cores help where threads wait for each other more than they compute, which is rare.
            too_many = situation.about(FindingCode.OVERSUBSCRIPTION)
            expected = (
                expected_speedup(too_many) if too_many else _FEWER * situation.with_threads(others[0], plan.threads)
            )
        else:
            idle = 1 - plan.threads / cores if plan.threads else 0.0
            expected = max(1.05 + 0.5 * max(0.0, idle), situation.potential_speedup(FindingCode.IDLE_CORES))
        return Offer(tuple(replace(plan, threads=n) for n in others), expected_speedup=expected)
