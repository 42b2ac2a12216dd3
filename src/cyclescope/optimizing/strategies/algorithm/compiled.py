"""The model as one compiled program: operations fused, Python gone from between them, weights packed."""

from __future__ import annotations

from dataclasses import dataclass, replace

from cyclescope.core.message import m
from cyclescope.core.plan import Compiling, Plan
from cyclescope.explaining.findings.finding import FindingCode
from cyclescope.optimizing.strategies.strategy import Effect, Offer, Situation, StrategyFamily

_PART = 0.5  # of the overhead that a compiled graph is rid of; its own calls stay

_TAKES_S = 20.0  # the compiler of C++ alone, for the first plan


@dataclass(frozen=True, slots=True)
class Compiled:
    name: str = "compile"
    family: StrategyFamily = StrategyFamily.ALGORITHM
    effect: Effect = Effect.ROUNDING
    answers: tuple[FindingCode, ...] = (
        FindingCode.DISPATCH_BOUND,
        FindingCode.SCALAR_ACTIVATION,
        FindingCode.PRODUCT_TRAFFIC,
    )
    opt_in: bool = False

    def offer(self, plan: Plan, situation: Situation) -> Offer:
        if not situation.can(plan).compilings:
            return Offer(not_applicable_reason=m("The engine compiles the model itself."))
        if plan.compiling != Compiling.OFF:
            return Offer(not_applicable_reason=m("The model is already compiled."))
        expected = 1.05 * situation.potential_speedup(*self.answers, part=_PART)
        kinds = (Compiling.INDUCTOR,) if situation.writes else (Compiling.INDUCTOR_FREEZING, Compiling.INDUCTOR)
        return Offer(
            tuple(replace(plan, compiling=kind) for kind in kinds), expected_speedup=expected, takes_s=_TAKES_S
        )
