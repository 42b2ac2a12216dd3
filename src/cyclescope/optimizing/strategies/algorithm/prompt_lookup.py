"""Tokens are guessed from the prompt and checked several at a time: what is written stays the same."""

from __future__ import annotations

from dataclasses import dataclass, replace

from cyclescope.backends.engines import title_of
from cyclescope.core.message import m
from cyclescope.core.plan import Cache, Decoding, Plan
from cyclescope.explaining.findings.finding import FindingCode
from cyclescope.optimizing.strategies.strategy import Effect, Offer, Situation, StrategyFamily

_STEPS = 0.9  # of a generation; the rest is reading the prompt
_CHECKING = 1.2  # of the time of a step, for one that checks several tokens


@dataclass(frozen=True, slots=True)
class PromptLookup:
    name: str = "prompt-lookup"
    family: StrategyFamily = StrategyFamily.ALGORITHM
    effect: Effect = Effect.NONE
    answers: tuple[FindingCode, ...] = (FindingCode.MEMORY_BOUND_DECODE,)
    opt_in: bool = False

    def offer(self, plan: Plan, situation: Situation) -> Offer:
        if not situation.writes:
            return Offer(not_applicable_reason=m("Drafting supports generative models only."))
        if not situation.can(plan).checks_guesses:
            return Offer(
                not_applicable_reason=m("{engine} cannot verify drafted tokens.", engine=title_of(plan.engine))
            )
        if plan.drafting != "off" or plan.decoding != Decoding.GREEDY or situation.workload.batch > 1:
            return Offer(not_applicable_reason=m("Drafting needs a batch of one, greedy decoding, and no other draft."))
        # What the unmodified model has generated gives the number of calls there would have been.
        steps = _STEPS * _CHECKING / situation.tokens_a_call
        plans = (replace(plan, drafting="prompt-lookup", cache=Cache.DYNAMIC),)
        return Offer(plans, expected_speedup=1 / (1 - _STEPS + steps))
