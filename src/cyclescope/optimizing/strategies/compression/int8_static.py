"""Weights and activations of matrix products in 8 bits, with scales of activations that are calibrated beforehand."""

from __future__ import annotations

from dataclasses import dataclass, replace

from cyclescope.core.message import m
from cyclescope.core.plan import Plan, Quantization
from cyclescope.explaining.findings.finding import FindingCode
from cyclescope.optimizing.strategies.compression.gains import (
    beyond_half,
    multiplies_eight_bits,
    with_eight_bit_products,
)
from cyclescope.optimizing.strategies.strategy import Effect, Offer, Situation, StrategyFamily

# Where no finding tells: no range is looked for in a call, and results stay in 8 bits between products. The second pair is
# what that brings beyond 8 bits whose ranges are looked for.
_FAST, _USUAL = 2.8, 1.6
_FAST_BEYOND, _USUAL_BEYOND = 1.4, 1.15
_OF_PRODUCTS = 0.6  # of the time of products that compute
_SECONDS = 6.0  # running the samples and looking at every activation


@dataclass(frozen=True, slots=True)
class Int8Static:
    name: str = "int8-static"
    family: StrategyFamily = StrategyFamily.COMPRESSION
    effect: Effect = Effect.APPROXIMATE
    answers: tuple[FindingCode, ...] = (FindingCode.COMPUTE_BOUND,)
    opt_in: bool = False

    def offer(self, plan: Plan, situation: Situation) -> Offer:
        if plan.quantization not in (Quantization.OFF, Quantization.INT8_DYNAMIC):
            return Offer(not_applicable_reason=m("The model is already quantized."))
        if self.name not in situation.can(plan).quantizations:
            return Offer(not_applicable_reason=m("The engine does not support calibrated quantization."))
        if situation.writes:
            return Offer(not_applicable_reason=m("Static quantization supports encoders only."))
        if plan.instances > 1:
            return Offer(
                not_applicable_reason=m(
                    "Calibration needs all texts; several processes, each with a share of them, can follow."
                )
            )
        plans = (replace(plan, quantization=Quantization.INT8_STATIC),)
        if plan.quantization == Quantization.INT8_DYNAMIC:
            # An engine that is ready in 8 bits need not be tried in 32 first.
            beyond = _FAST_BEYOND if multiplies_eight_bits(situation) else _USUAL_BEYOND
            return Offer(plans, expected_speedup=beyond, takes_s=_SECONDS)
        computing = 1 / (1 - _OF_PRODUCTS * situation.found(FindingCode.COMPUTE_BOUND))
        return Offer(
            plans,
            expected_speedup=max(beyond_half(plan, computing), with_eight_bit_products(plan, situation, _FAST, _USUAL)),
            takes_s=_SECONDS,
        )
