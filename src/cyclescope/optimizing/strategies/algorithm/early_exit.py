"""The layers behind an exit are not run, where the model says that it was trained to be left there."""

from __future__ import annotations

from dataclasses import dataclass

from cyclescope.core.message import m
from cyclescope.core.plan import ModelChange, Plan
from cyclescope.explaining.findings.finding import FindingCode
from cyclescope.optimizing.strategies.strategy import Effect, Offer, Situation, StrategyFamily, changed, has


@dataclass(frozen=True, slots=True)
class EarlyExit:
    name: str = "early-exit"
    family: StrategyFamily = StrategyFamily.ALGORITHM
    effect: Effect = Effect.OTHER_MODEL
    answers: tuple[FindingCode, ...] = ()
    opt_in: bool = False

    def offer(self, plan: Plan, situation: Situation) -> Offer:
        exits = situation.workload.model.exits
        if not exits:
            return Offer(not_applicable_reason=m("The model declares no early exits."))
        if has(plan, self.name) or has(plan, "drop-layers") or has(plan, "distil"):
            return Offer(not_applicable_reason=m("Some layers are already removed."))
        plans = tuple(changed(plan, ModelChange(self.name, float(at))) for at in sorted(exits, reverse=True))
        return Offer(plans, expected_speedup=max(1.0, situation.layers / max(exits)))
