"""A finding: a claim about a cycle, the numbers that carry it, and what a remedy could bring at most."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class FindingCode(StrEnum):
    """What can be found. The codes are stable, for machines; `report` says them in words, each with its remedy."""

    DISPATCH_BOUND = "dispatch-bound"  # small operations: the engine's overhead, and Python between them
    LAUNCH_BOUND = "launch-bound"  # a device waits for the host to launch
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
    COMMUNICATION_BOUND = "communication-bound"  # ranks send each other too much, or too often
    PIPELINE_BUBBLE = "pipeline-bubble"  # a stage waits for others
    TOO_MANY_RANKS = "too-many-ranks"  # which have more to do with each other than with the model
    TOO_SMALL_TO_SPREAD = "too-small-to-spread"  # one rank alone would take no longer
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
    NUMBER = "number"  # of what cannot be counted, as cores that are busy on average


class EvidenceName(StrEnum):
    """What a number says; stable, for machines. `report` has the words."""

    PYTHON = "python"  # share of the time between operations, text stages left out
    SMALL = "small"  # share of operations too small for anything but their dispatch to count
    OPERATIONS = "operations"  # how many operations the claim is about
    MEAN_GAP = "mean-gap"  # Python time an operation
    MEAN_TIME = "mean-time"  # of one of these operations
    TIME = "time"  # of all of them together
    OF_DECODE = "of-decode"  # share of the decode steps
    BYTES_A_STEP = "bytes-a-step"
    MOVED = "moved"  # bytes read and written by all of them
    REACHED_BANDWIDTH = "reached-bandwidth"
    BANDWIDTH_CEILING = "bandwidth-ceiling"
    USUAL_BANDWIDTH = "usual-bandwidth"  # of the elementwise operations of the same cycle
    REACHED_FLOPS = "reached-flops"
    FLOPS_CEILING = "flops-ceiling"
    OF_CEILING = "of-ceiling"
    TIMES_FLOOR = "times-floor"  # time over what moving its bytes takes
    COPIES = "copies"  # share of copies and changes of layout
    BIASES = "biases"  # share of biases added apart
    PADDED = "padded"  # share of the tokens that are padding
    REAL_TOKENS = "real-tokens"
    LONGEST = "longest"  # tokens of the longest text
    A_TOKEN = "a-token"  # time a token
    SCORES = "scores"  # bytes of the score matrices that are written out
    BETWEEN = "between"  # share of the passes over the scores, the products left out
    LAST_STEP = "last-step"  # bytes that the last decode step copies
    THREADS = "threads"
    CORES = "cores"
    BUSY = "busy"  # cores kept busy on average
    EXCESS = "excess"  # time beyond the median layer's
    FACTOR = "factor"  # time over the median layer's
    AT_OPERATION = "at-operation"  # time that one operation takes more than in the other layers
    STARVED = "starved"  # operations that reach a device with nothing left to do
    MEAN_WAIT = "mean-wait"  # how long the device waits for one of them
    HOST_WAITS = "host-waits"  # operations in which the host waits for the device
    RANKS = "ranks"
    ONE_RANK = "one-rank"  # time that one rank would take at most
    STAGES = "stages"  # of a pipeline
    MICROBATCHES = "microbatches"
    FIRST = "first"  # time of the first cycle
    STEADY = "steady"  # median of the cycles after warm-up
    TIMES_STEADY = "times-steady"
    HALF_WIDTH = "half-width"  # of the interval of the median, as a share of it
    OTHER_LOAD = "other-load"  # share of the cores that others used
    NO_DIFFERENCE = "no-difference"  # half width of the interval of an A/A comparison here


@dataclass(frozen=True, slots=True)
class Evidence:
    """One number, in what it is measured, and the operation it stands at (−1: at none)."""

    name: EvidenceName
    quantity: Quantity
    value: float
    op: int = -1


@dataclass(frozen=True, slots=True)
class Location:
    """Where in the cycle to look: a stage, a layer of it, an operation. Empty, None and −1 where it is not one place."""

    stage: str = ""
    layer: int | None = None
    op: int = -1


@dataclass(frozen=True, slots=True)
class Finding:
    """`share` is the part of the cycle (0 … 1) that the claim is about, `gain` the part of the cycle that the remedy
    could bring at most (0 … 1; 0 where there is no bound on it). `place` is the most significant one. `subject`
    is a name from the model that the sentence is about (an activation, a module), untrusted; empty where there is none.
    """

    code: FindingCode
    share: float
    gain: float
    evidence: tuple[Evidence, ...]
    place: Location = Location()
    subject: str = ""
