"""Several processes with a share of the texts and of the cores each: no thread waits for another inside an operation."""

from __future__ import annotations

from dataclasses import dataclass, replace

from cyclescope.core.message import m
from cyclescope.core.plan import Plan
from cyclescope.explaining.findings.finding import FindingCode
from cyclescope.optimizing.strategies.strategy import Effect, Goal, Offer, Situation, StrategyFamily


@dataclass(frozen=True, slots=True)
class Instances:
    name: str = "instances"
    family: StrategyFamily = StrategyFamily.PARALLEL
    effect: Effect = Effect.NONE
    answers: tuple[FindingCode, ...] = (
        FindingCode.IDLE_CORES,
        FindingCode.DISPATCH_BOUND,
    )
    opt_in: bool = False

    def offer(self, plan: Plan, situation: Situation) -> Offer:
        cores = situation.machine.cores
        if situation.goal is not Goal.THROUGHPUT:
            return Offer(not_applicable_reason=m("One process serves one text; more processes raise throughput only."))
        if cores < 2 or situation.texts < 2:
            return Offer(not_applicable_reason=m("There is only one usable core, or only one text."))
        if plan.instances > 1:
            return Offer(not_applicable_reason=m("Already enabled."))
        counts = sorted({n for n in (2, cores // 2, cores) if 1 < n <= min(cores, situation.texts)})
        plans = tuple(replace(plan, instances=n, threads=max(1, cores // n)) for n in counts)
        usual = 1.3 if situation.workload.tokens_in < 256 else 1.1
        return Offer(plans, expected_speedup=max(usual, situation.potential_speedup(*self.answers, part=0.5)))
