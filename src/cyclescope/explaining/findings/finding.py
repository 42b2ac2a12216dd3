"""A finding: a claim about a cycle, the numbers that carry it, and what a remedy could bring at most."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class FindingCode(StrEnum):
    """What can be found. The codes are stable, for machines; `report` says them in words, each with its remedy."""

    DISPATCH_BOUND = "dispatch-bound"  # small operations: the engine's overhead, and Python between them
    MEMORY_BOUND_DECODE = "memory-bound-decode"  # decode steps wait for weights and cache
    COMPUTE_BOUND = "compute-bound"  # matrix products at x % of their ceiling
    SCALAR_ACTIVATION = "scalar-activation"  # an activation far from the bandwidth it needs
    PRODUCT_TRAFFIC = "product-traffic"  # bias, copies and transposes around matrix products
    PADDING = "padding"
    SLOW_TOKENIZER = "slow-tokenizer"
    UNFUSED_ATTENTION = "unfused-attention"
    CACHE_REALLOCATION = "cache-reallocation"  # a growing cache is copied in every step
    OVERSUBSCRIPTION = "oversubscription"  # more threads than cores
    IDLE_CORES = "idle-cores"  # cores that the cycle does not use
    UNLIKE_LAYER = "unlike-layer"  # one layer is not like its siblings
    FIRST_CALL = "first-call"  # what the first cycle costs more
    NOISE = "noise"  # the machine is too restless for small differences


class Quantity(StrEnum):
    """What a piece of evidence is measured in; `report.format` writes it."""

    TIME = "time"  # nanoseconds
    SHARE = "share"
    COUNT = "count"
    BYTES = "bytes"
    FLOP_RATE = "flop-rate"  # a second
    BANDWIDTH = "bandwidth"  # bytes a second
    RATIO = "ratio"


@dataclass(frozen=True, slots=True)
class Evidence:
    """One number. `name` is a code that `report` has words for; `op` is the operation it stands at (−1: at none)."""

    name: str
    quantity: Quantity
    value: float
    op: int = -1


@dataclass(frozen=True, slots=True)
class Place:
    """Where in the cycle to look: a stage, a layer of it, an operation. Empty, None and −1 where it is not one place."""

    stage: str = ""
    layer: int | None = None
    op: int = -1


@dataclass(frozen=True, slots=True)
class Finding:
    """`share` is the part of the cycle (0 … 1) that the claim is about, `gain` the part of the cycle that the remedy
    could bring at most (0 … 1; 0 where there is no bound to tell it by). `place` is the most telling one. `subject`
    is a name from the model that the sentence is about (an activation, a module), untrusted; empty where there is none.
    """

    code: FindingCode
    share: float
    gain: float
    evidence: tuple[Evidence, ...]
    place: Place = Place()
    subject: str = ""
