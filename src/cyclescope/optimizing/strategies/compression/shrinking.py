"""What the strategies that take weights out of a model have in common: when they may, and by how much."""

from __future__ import annotations

from collections.abc import Sequence

from cyclescope.core.message import m
from cyclescope.core.plan import ModelChange, Plan, Quantization
from cyclescope.optimizing.strategies.strategy import Offer, changed, has


def shrunk(plan: Plan, name: str, amounts: Sequence[float], expected: float) -> Offer:
    """`plan` with the change `name` by each of `amounts`, the gentlest first, or why there is none."""
    if has(plan, name):
        return Offer(not_applicable_reason=m("Already applied."))
    if has(plan, "distil"):
        return Offer(not_applicable_reason=m("The student model was trained with exactly these layers."))
    if plan.quantization != Quantization.OFF:
        return Offer(not_applicable_reason=m("This strategy must come before quantization."))
    return Offer(tuple(changed(plan, ModelChange(name, amount)) for amount in amounts), expected_speedup=expected)
