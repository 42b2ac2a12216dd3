"""Sixteen bits instead of thirty-two, where the processor or the device computes in them."""

from __future__ import annotations

from dataclasses import dataclass, replace

from cyclescope.backends.engines import title_of
from cyclescope.core.message import m
from cyclescope.core.plan import Plan, Quantization
from cyclescope.explaining.findings.finding import FindingCode
from cyclescope.optimizing.strategies.strategy import Effect, Offer, Situation, StrategyFamily

_BFLOAT16 = ("amx_tile", "amx_bf16", "avx512_bf16", "bf16")
_FLOAT16 = ("amx_fp16", "avx512_fp16")
_FROM_32 = 0.5  # of the bits
_BESIDE_8_BITS = 1.08
_USUAL = 1.4  # where no finding tells


@dataclass(frozen=True, slots=True)
class HalfPrecision:
    name: str = "half-precision"
    family: StrategyFamily = StrategyFamily.COMPRESSION
    effect: Effect = Effect.APPROXIMATE
    answers: tuple[FindingCode, ...] = (
        FindingCode.COMPUTE_BOUND,
        FindingCode.MEMORY_BOUND_DECODE,
    )
    opt_in: bool = False

    def offer(self, plan: Plan, situation: Situation) -> Offer:
        can = situation.can(plan)
        if plan.dtype != "float32" or (plan.quantization != Quantization.OFF and not can.mixes_dtypes):
            return Offer(not_applicable_reason=m("The plan no longer runs in float32."))
        if plan.device == "cpu" and not {"bfloat16", "float16"} & set(can.dtypes):
            return Offer(not_applicable_reason=m("{engine} has no CPU kernels for it.", engine=title_of(plan.engine)))
        features = situation.machine.instruction_set.split()
        on_device = plan.device != "cpu"
        kinds = [
            kind
            for kind, instructions in (("bfloat16", _BFLOAT16), ("float16", _FLOAT16))
            if on_device or any(name in features for name in instructions)
        ]
        if plan.quantization != Quantization.OFF:
            # What is not in 8 bits: attention, norms, what is between products.
            return Offer(tuple(replace(plan, dtype=kind) for kind in kinds[:1]), expected_speedup=_BESIDE_8_BITS)
        if not kinds:
            return Offer(
                not_applicable_reason=m(
                    "This processor has no 16-bit instructions, so half precision would be much slower."
                )
            )
        computing = 1 / (1 - _FROM_32 * situation.found(FindingCode.COMPUTE_BOUND))
        reading = situation.potential_speedup(
            FindingCode.MEMORY_BOUND_DECODE, part=_FROM_32 / 0.75
        )  # the bound is that of 8 bits
        expected = max(computing, reading, _USUAL)
        return Offer(tuple(replace(plan, dtype=kind) for kind in kinds), expected_speedup=expected)
