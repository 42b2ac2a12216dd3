"""Weights and activations of matrix products in 8 bits, scaled as they come."""

from __future__ import annotations

from dataclasses import dataclass, replace

from cyclescope.backends.engines import title_of
from cyclescope.core.message import m
from cyclescope.core.plan import Plan, Quantization
from cyclescope.explaining.findings.finding import FindingCode
from cyclescope.optimizing.strategies.compression.gains import beyond_half, with_eight_bit_products
from cyclescope.optimizing.strategies.strategy import Effect, Offer, Situation, StrategyFamily

_FAST, _USUAL = 2.0, 1.4  # where no finding tells


@dataclass(frozen=True, slots=True)
class Int8Dynamic:
    name: str = "int8-dynamic"
    family: StrategyFamily = StrategyFamily.COMPRESSION
    effect: Effect = Effect.APPROXIMATE
    answers: tuple[FindingCode, ...] = (
        FindingCode.COMPUTE_BOUND,
        FindingCode.MEMORY_BOUND_DECODE,
    )
    opt_in: bool = False

    def offer(self, plan: Plan, situation: Situation) -> Offer:
        if plan.quantization != Quantization.OFF:
            return Offer(not_applicable_reason=m("The model is already quantized."))
        if not plan.device.startswith("cpu"):
            return Offer(not_applicable_reason=m("The engines support it on CPUs only."))
        if self.name not in situation.can(plan).quantizations:
            return Offer(
                not_applicable_reason=m("{engine} cannot compute with 8-bit activations.", engine=title_of(plan.engine))
            )
        # Half of the time of products that compute; what waits for memory has a bound of its own.
        computing = 1 / (1 - situation.found(FindingCode.COMPUTE_BOUND) / 2)
        expected = max(
            beyond_half(plan, max(computing, situation.potential_speedup(FindingCode.MEMORY_BOUND_DECODE))),
            with_eight_bit_products(plan, situation, _FAST, _USUAL),
        )
        return Offer(
            (replace(plan, quantization=Quantization.INT8_DYNAMIC, dtype="float32"),), expected_speedup=expected
        )
