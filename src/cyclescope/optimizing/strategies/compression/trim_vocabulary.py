"""Rows of the head for tokens that neither the user's texts nor what is written on them have are left out."""

from __future__ import annotations

from dataclasses import dataclass

from cyclescope.core.message import m
from cyclescope.core.plan import ModelChange, Plan, Quantization
from cyclescope.core.workload import InputSource
from cyclescope.explaining.findings.finding import FindingCode
from cyclescope.optimizing.strategies.strategy import Effect, Offer, Situation, StrategyFamily, changed, has


@dataclass(frozen=True, slots=True)
class TrimVocabulary:
    name: str = "trim-vocabulary"
    family: StrategyFamily = StrategyFamily.COMPRESSION
    effect: Effect = Effect.OTHER_MODEL
    answers: tuple[FindingCode, ...] = (FindingCode.MEMORY_BOUND_DECODE,)
    opt_in: bool = False

    def offer(self, plan: Plan, situation: Situation) -> Offer:
        if has(plan, self.name):
            return Offer(not_applicable_reason=m("Already applied."))
        if not situation.writes:
            return Offer(
                not_applicable_reason=m("The model computes nothing over the vocabulary; only memory would be saved.")
            )
        if situation.workload.input_source is not InputSource.TEXT:
            return Offer(not_applicable_reason=m("Without texts it is unknown which tokens are needed."))
        if situation.texts < 4:
            return Offer(not_applicable_reason=m("There are too few texts to estimate which tokens other texts need."))
        if not situation.can(plan).native or plan.quantization != Quantization.OFF:
            return Offer(
                not_applicable_reason=m("The engine must run the model's own modules, which must not be quantized yet.")
            )
        return Offer((changed(plan, ModelChange(self.name)),), expected_speedup=1.1)
