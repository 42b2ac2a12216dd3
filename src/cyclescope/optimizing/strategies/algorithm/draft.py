"""A draft guesses tokens, and the model checks several of them in one pass (Leviathan et al., 2023)."""

from __future__ import annotations

from dataclasses import dataclass, replace

from cyclescope.core.message import m
from cyclescope.core.plan import Cache, Compiling, Decoding, Plan
from cyclescope.core.workload import Weights
from cyclescope.explaining.findings.finding import FindingCode
from cyclescope.optimizing.strategies.strategy import Effect, Offer, Situation, StrategyFamily

# A draft of the model's own first layers guesses well only by chance, unless it was trained to: it comes late.
_UNTRAINED = 1.02


@dataclass(frozen=True, slots=True)
class Draft:
    name: str = "draft"
    family: StrategyFamily = StrategyFamily.ALGORITHM
    effect: Effect = Effect.NONE
    answers: tuple[FindingCode, ...] = (FindingCode.MEMORY_BOUND_DECODE,)
    opt_in: bool = False

    def offer(self, plan: Plan, situation: Situation) -> Offer:
        if not situation.writes or not situation.can(plan).drafts:
            return Offer(
                not_applicable_reason=m("Drafting supports generative models only, on engines that take a draft model.")
            )
        calls_of = plan.batch or situation.workload.batch
        if plan.drafting != "off" or plan.decoding != Decoding.GREEDY or calls_of > 1:
            return Offer(not_applicable_reason=m("Drafting needs a batch of one, greedy decoding, and no other draft."))
        if plan.compiling != Compiling.OFF:
            return Offer(not_applicable_reason=m("Each number of drafted tokens would need its own compilation."))
        share = situation.found(*self.answers)
        drafts: tuple[str, ...] = (situation.draft,) if situation.draft else ()
        expected = 1.2 + share
        if not drafts:
            drafts = tuple(f"layers:{at}" for at in situation.workload.model.exits)
        if not drafts and situation.workload.model.weights is Weights.PRETRAINED and situation.layers >= 4:
            drafts, expected = (f"layers:{situation.layers // 2}",), _UNTRAINED
        if not drafts:
            return Offer(
                not_applicable_reason=m(
                    "There is no draft model (--draft MODEL), and layers with random weights cannot predict tokens."
                )
            )
        return Offer(tuple(replace(plan, drafting=draft, cache=Cache.DYNAMIC) for draft in drafts), expected)
