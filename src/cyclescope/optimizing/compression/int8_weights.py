"""Weights in 8 bits, computing in floating point: half to a quarter of what a decode step must read."""

from __future__ import annotations

from dataclasses import dataclass, replace

from cyclescope.core.plan import Plan
from cyclescope.explaining.findings.finding import FindingCode
from cyclescope.optimizing.compression.gains import from_reading_less
from cyclescope.optimizing.strategy import Effect, Family, Offer, Situation

_ENGINES = ("onnxruntime", "openvino")
_UNPACKING = 0.9


@dataclass(frozen=True, slots=True)
class Int8Weights:
    name: str = "int8-weights"
    family: Family = Family.COMPRESSION
    effect: Effect = Effect.APPROXIMATE
    answers: tuple[FindingCode, ...] = (FindingCode.MEMORY_BOUND_DECODE,)
    opt_in: bool = False

    def offer(self, plan: Plan, situation: Situation) -> Offer:
        if plan.quantization != "off":
            return Offer(why_not="It is quantized already.")
        if plan.engine not in _ENGINES:
            return Offer(why_not=f"{plan.engine} does not compute with weights of 8 bits as they are.")
        # Of many tokens in a call none waits for weights, and unpacking them costs.
        expected = (
            situation.could(*self.answers) if situation.writes else _UNPACKING * from_reading_less(plan, situation, 8)
        )
        return Offer((replace(plan, quantization="int8-weights"),), expected=expected)
