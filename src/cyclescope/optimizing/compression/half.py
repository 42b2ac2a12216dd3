"""Sixteen bits instead of thirty-two, where the processor or the device computes in them."""

from __future__ import annotations

from dataclasses import dataclass, replace

from cyclescope.core.plan import Plan
from cyclescope.explaining.findings.finding import FindingCode
from cyclescope.optimizing.strategy import Effect, Family, Offer, Situation

_NATIVE = ("amx_tile", "avx512_bf16", "sve2", "bf16")


@dataclass(frozen=True, slots=True)
class HalfPrecision:
    name: str = "half-precision"
    family: Family = Family.COMPRESSION
    effect: Effect = Effect.APPROXIMATE
    answers: tuple[FindingCode, ...] = (
        FindingCode.COMPUTE_BOUND,
        FindingCode.MEMORY_BOUND_DECODE,
    )
    opt_in: bool = False

    def offer(self, plan: Plan, situation: Situation) -> Offer:
        if plan.dtype != "float32" or plan.quantization != "off":
            return Offer(why_not="It does not run in float32 any more.")
        if plan.engine in ("onnxruntime", "ctranslate2") and plan.device == "cpu":
            return Offer(why_not=f"{plan.engine} has no kernels for it on a processor.")
        features = situation.machine.instruction_set.split()
        native = any(name in features for name in _NATIVE) or plan.device != "cpu"
        if not native:
            return Offer(why_not="This processor has no instructions for bfloat16: it would be slower by far.")
        return Offer((replace(plan, dtype="bfloat16"),), expected=1.5 if "amx_tile" in features else 1.2)
