"""Attention heads that matter least are taken out, whole."""

from __future__ import annotations

from dataclasses import dataclass

from cyclescope.core.plan import Change, Plan
from cyclescope.explaining.findings.finding import FindingCode
from cyclescope.optimizing.strategy import Effect, Family, Offer, Situation, changed, has

_AMOUNTS = (0.25, 0.5)


@dataclass(frozen=True, slots=True)
class PruneHeads:
    name: str = "prune-heads"
    family: Family = Family.COMPRESSION
    effect: Effect = Effect.OTHER_MODEL
    answers: tuple[FindingCode, ...] = (
        FindingCode.COMPUTE_BOUND,
        FindingCode.MEMORY_BOUND_DECODE,
    )
    opt_in: bool = False

    def offer(self, plan: Plan, situation: Situation) -> Offer:
        if has(plan, self.name):
            return Offer(why_not="It is done already.")
        if has(plan, "distil"):
            return Offer(why_not="A student has learned with the layers that it has.")
        if plan.quantization != "off":
            return Offer(why_not="It comes before quantizing.")
        return Offer(tuple(changed(plan, Change(self.name, amount)) for amount in _AMOUNTS), expected=1 + 0.1)
