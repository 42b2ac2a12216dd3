"""Weights in 4 bits, computing in floating point."""

from __future__ import annotations

from dataclasses import dataclass, replace

from cyclescope.core.plan import Plan
from cyclescope.explaining.findings.finding import FindingCode
from cyclescope.optimizing.compression.gains import from_reading_less
from cyclescope.optimizing.strategy import Effect, Family, Offer, Situation

_ENGINES = ("onnxruntime", "openvino")
_UNPACKING = 0.6


@dataclass(frozen=True, slots=True)
class Int4Weights:
    name: str = "int4-weights"
    family: Family = Family.COMPRESSION
    effect: Effect = Effect.APPROXIMATE
    answers: tuple[FindingCode, ...] = (FindingCode.MEMORY_BOUND_DECODE,)
    opt_in: bool = False

    def offer(self, plan: Plan, situation: Situation) -> Offer:
        if plan.quantization != "off":
            return Offer(why_not="It is quantized already.")
        if plan.engine not in _ENGINES:
            return Offer(why_not=f"{plan.engine} does not compute with weights of 4 bits as they are.")
        reading = 1.1 * situation.could(*self.answers)  # the bound is that of 8 bits
        expected = reading if situation.writes else _UNPACKING * from_reading_less(plan, situation, 4)
        return Offer((replace(plan, quantization="int4-weights"),), expected=expected)
