"""What the strategies that pack weights into fewer bits have in common: on which engines, and what they may bring."""

from __future__ import annotations

from dataclasses import replace

from cyclescope.backends.engines import title_of
from cyclescope.core.message import m
from cyclescope.core.plan import Plan, Quantization
from cyclescope.optimizing.strategies.compression.gains import from_reading_less
from cyclescope.optimizing.strategies.strategy import Offer, Situation


def packed(plan: Plan, situation: Situation, bits: int, writing: float, unpacking: float) -> Offer:
    """`plan` with weights of so many `bits`, or why not. It may bring `writing` where text is written; else reading less does,
    of which `unpacking` leaves this share: of many tokens in a call none waits for weights.
    """
    if plan.quantization != Quantization.OFF:
        return Offer(not_applicable_reason=m("The model is already quantized."))
    if f"int{bits}-weights" not in situation.can(plan).quantizations:
        return Offer(
            not_applicable_reason=m(
                "{engine} cannot compute with {bits}-bit weights directly.", engine=title_of(plan.engine), bits=bits
            )
        )
    expected = writing if situation.writes else unpacking * from_reading_less(plan, situation, bits)
    return Offer((replace(plan, quantization=Quantization(f"int{bits}-weights")),), expected_speedup=expected)
