"""Rows of the embedding and of the head that the user's texts never touch are left out."""

from __future__ import annotations

from dataclasses import dataclass

from cyclescope.core.plan import Change, Plan
from cyclescope.explaining.findings.finding import FindingCode
from cyclescope.optimizing.strategy import Effect, Family, Offer, Situation, changed, has


@dataclass(frozen=True, slots=True)
class TrimVocabulary:
    name: str = "trim-vocabulary"
    family: Family = Family.COMPRESSION
    effect: Effect = Effect.APPROXIMATE
    answers: tuple[FindingCode, ...] = (FindingCode.MEMORY_BOUND_DECODE,)
    opt_in: bool = False

    def offer(self, plan: Plan, situation: Situation) -> Offer:
        if has(plan, self.name):
            return Offer(why_not="It is done already.")
        if not situation.writes:
            return Offer(why_not="Nothing is computed over the vocabulary; only memory would be saved.")
        return Offer((changed(plan, Change(self.name)),), expected=1.1)
