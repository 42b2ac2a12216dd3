"""What fewer bits may bring where nothing was tried yet. Guesses: they order trials, and what is measured replaces them."""

from __future__ import annotations

from cyclescope.core.plan import Plan
from cyclescope.optimizing.strategies.strategy import Situation

# Tokens of a call with which a product computes for as long as its float32 weights take to be read: two operations a
# token and weight, 4 bytes a weight, and some 12 operations a byte that a processor's core can do in that time.
_RIDGE_TOKENS = 25
_MOST_READING = 0.9  # of a cycle; not all of it is products
_HALF = 1.5  # what 16 bits have brought already where a plan computes in them; 8 bits bring only what is beyond


def with_eight_bit_products(plan: Plan, situation: Situation, gain: float, without: float) -> float:
    """`gain` where the processor multiplies 8-bit numbers in one instruction, `without` elsewhere; less of a plan that
    computes in 16 bits.
    """
    return beyond_half(plan, gain if multiplies_eight_bits(situation) else without)


def multiplies_eight_bits(situation: Situation) -> bool:
    """Whether the processor multiplies 8-bit numbers and adds them up in one instruction."""
    return any(name in situation.machine.instruction_set for name in ("vnni", "amx_int8"))


def beyond_half(plan: Plan, gain: float) -> float:
    """What is left of the `gain` that 8 bits bring from 32 for `plan`."""
    return gain if plan.dtype == "float32" else max(1.0, gain / _HALF)


def from_reading_less(plan: Plan, situation: Situation, bits: int) -> float:
    """Old ÷ new time if weights took `bits` bits in place of 32 and computing took as long as before."""
    workload = situation.workload
    tokens = workload.tokens_in * (plan.batch or workload.batch)
    reading = _MOST_READING / (1 + tokens / _RIDGE_TOKENS)
    return 1 / (1 - reading * (1 - bits / 32))
