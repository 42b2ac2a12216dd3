"""A student with fewer layers learns the outputs of the model on the user's texts."""

from __future__ import annotations

from dataclasses import dataclass

from cyclescope.core.message import m
from cyclescope.core.plan import ModelChange, Plan, Quantization
from cyclescope.explaining.findings.finding import FindingCode
from cyclescope.optimizing.strategies.strategy import Effect, Offer, Situation, StrategyFamily, changed, has

# Learning ends after a minute (`backends.torch.changes.distil`); looking at what was held out comes on top.
_SECONDS = 75.0
_LEAST_TEXTS = 8


@dataclass(frozen=True, slots=True)
class Distil:
    name: str = "distil"
    family: StrategyFamily = StrategyFamily.COMPRESSION
    effect: Effect = Effect.OTHER_MODEL
    answers: tuple[FindingCode, ...] = (
        FindingCode.COMPUTE_BOUND,
        FindingCode.DISPATCH_BOUND,
    )
    opt_in: bool = True

    def offer(self, plan: Plan, situation: Situation) -> Offer:
        if has(plan, self.name) or has(plan, "drop-layers") or has(plan, "early-exit"):
            return Offer(not_applicable_reason=m("Some layers are already removed."))
        if situation.layers < 2 or situation.writes:
            return Offer(not_applicable_reason=m("Distillation supports encoders with several layers only."))
        if situation.texts < _LEAST_TEXTS:
            return Offer(not_applicable_reason=m("There are too few texts to train on."))
        if plan.dtype != "float32" or plan.quantization != Quantization.OFF or plan.instances > 1:
            return Offer(
                not_applicable_reason=m(
                    "A student model is trained in float32 on all texts; other strategies can follow."
                )
            )
        keep = situation.layers // 2
        return Offer(
            (changed(plan, ModelChange(self.name, float(keep))),),
            expected_speedup=situation.layers / keep * 0.9,
            takes_s=_SECONDS,
        )
