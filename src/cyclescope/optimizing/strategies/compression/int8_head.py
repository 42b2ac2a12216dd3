"""The head's weights in 8 bits, and the likeliest tokens computed again in full: greedy decoding chooses the same ones."""

from __future__ import annotations

from dataclasses import dataclass, replace

from cyclescope.backends.engines import title_of
from cyclescope.core.message import m
from cyclescope.core.plan import Decoding, Plan, Quantization
from cyclescope.explaining.findings.finding import FindingCode
from cyclescope.optimizing.strategies.strategy import Effect, Offer, Situation, StrategyFamily

_LEFT_OUT = 0.75  # of the bytes of the head
_READING = 0.9  # of a decode step; not all of it is waiting for weights


@dataclass(frozen=True, slots=True)
class Int8Head:
    name: str = "int8-head"
    family: StrategyFamily = StrategyFamily.COMPRESSION
    effect: Effect = Effect.ROUNDING
    answers: tuple[FindingCode, ...] = (FindingCode.MEMORY_BOUND_DECODE,)
    opt_in: bool = False

    def offer(self, plan: Plan, situation: Situation) -> Offer:
        if not situation.writes:
            return Offer(not_applicable_reason=m("Only a model that generates text chooses tokens."))
        if self.name not in situation.can(plan).quantizations:
            return Offer(
                not_applicable_reason=m(
                    "{engine} cannot compute the likeliest tokens twice.", engine=title_of(plan.engine)
                )
            )
        if plan.quantization != Quantization.OFF:
            return Offer(not_applicable_reason=m("The model is already quantized."))
        if plan.decoding != Decoding.GREEDY:
            return Offer(not_applicable_reason=m("Sampling reads the scores of all tokens."))
        expected = 1 / (1 - _READING * _LEFT_OUT * situation.head_share)
        return Offer((replace(plan, quantization=Quantization.INT8_HEAD),), expected_speedup=expected)
