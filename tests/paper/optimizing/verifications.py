"""Verifications on paper, with any ratio."""

from __future__ import annotations

from cyclescope.core.machine import Machine
from cyclescope.core.statistics import Ratio
from cyclescope.optimizing.recipes.verify import Verification, differences
from cyclescope.optimizing.search.drift import Drift

from .plans_on_paper import workload
from .recipes import USUAL

MACHINE = Machine("Paper 9000", 2, 2**33, "paper", "3.11", packages=(("torch", "2.1"), ("transformers", "5.0")))
CLOSE = Drift(cosine=0.999, largest=0.01, scale=1.0)


def verified(
    low: float, value: float, high: float, *, rounds: int = 12, moved: Drift = CLOSE, machine: Machine = MACHINE
) -> Verification:
    """As if the plan took `value` times as long as its baseline."""
    return Verification(
        USUAL,
        Ratio(value, low, high, rounds),
        rounds,
        moved,
        1e7,
        value * 1e7,
        workload(),
        machine,
        differences(USUAL.proof, machine),
    )
