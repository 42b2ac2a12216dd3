"""How a workload is run. A value: equal plans are the same plan."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from enum import StrEnum

from cyclescope.core.stored import ADDED_LATER

# The engine that runs the model itself: what every other one is held against, and what a plan names by default.
REFERENCE_ENGINE = "torch"
# How many tokens `prompt-lookup` guesses at once; the default of transformers' documentation.
LOOKED_UP_TOKENS = 10


@dataclass(frozen=True, slots=True)
class ModelChange:
    """One change of the model itself: `name` is that of the strategy that makes it, `amount` how much (a share, a rank,
    a number of layers; 0 where there is nothing to choose).
    """

    name: str
    amount: float = 0.0


class Compiling(StrEnum):
    """Whether PyTorch compiles the model, and whether its weights become constants of the code."""

    OFF = "off"
    INDUCTOR = "inductor"
    INDUCTOR_FREEZING = "inductor-freezing"


class Quantization(StrEnum):
    """The numbers that products are computed in: weights and activations in 8 bits with scales of each run (`dynamic`) or
    calibrated beforehand (`static`), weights only, or the weights of the head only, whose likeliest tokens are then computed
    in full.
    """

    OFF = "off"
    INT8_DYNAMIC = "int8-dynamic"
    INT8_STATIC = "int8-static"
    INT8_HEAD = "int8-head"
    INT8_WEIGHTS = "int8-weights"
    INT4_WEIGHTS = "int4-weights"


class Batching(StrEnum):
    """How texts are put together for a call: in the order given, by length, or packed without padding."""

    GIVEN = "given"
    LENGTH = "length"
    PACKED = "packed"


class Cache(StrEnum):
    """How keys and values of earlier tokens are kept: in memory that grows, of a fixed size, or not at all."""

    DYNAMIC = "dynamic"
    STATIC = "static"
    OFF = "off"


class Decoding(StrEnum):
    """How the next token is chosen."""

    GREEDY = "greedy"
    SAMPLE = "sample"


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything about a run that is not the model and not the machine.

    `threads` is the number of threads inside one operation; 0 means the engine's default,
    and a measured cycle always carries the number that was in force. `cache` (`dynamic`, `static` or `off`) and `decoding`
    (`greedy` or `sample`) matter only where text is written.

    The fields that follow depart from the unmodified model. `compiling`: `off`, `inductor`, `inductor-freezing` (PyTorch).
    `quantization`: `off`, `int8-dynamic` (weights and activations), `int8-static` (the same with scales of
    activations that were calibrated beforehand), `int8-weights`, `int4-weights`. `changes` are those
    of the model, in the order in which they are made. `threads_between` runs independent operations side by side,
    `instances` is the number of processes that share the work, each pinned to its own cores. `batch` texts go into
    one call (0: all of them), put together as `batching` says: `given` order, by `length`, or `packed` without padding.
    `drafting`: `off`, `prompt-lookup`, `layers:N` (the model's own first N layers), or the reference of a draft model. `overlap` tokenizes the next texts while the model runs.

    A spread plan runs on several ranks: `tensor` of them share every layer, `pipeline` stages have some of the layers each
    and pass on `microbatches` parts of their batch, and `data` replicas of all that share the texts.
    """

    engine: str = REFERENCE_ENGINE
    device: str = "cpu"
    threads: int = 0
    dtype: str = "float32"
    attention: str = "sdpa"
    seed: int = 0
    cache: Cache = Cache.DYNAMIC
    decoding: Decoding = Decoding.GREEDY
    compiling: Compiling = Compiling.OFF
    quantization: Quantization = Quantization.OFF
    changes: tuple[ModelChange, ...] = ()
    threads_between: int = 0
    instances: int = 1
    batch: int = 0
    batching: Batching = Batching.GIVEN
    drafting: str = "off"
    overlap: bool = False
    tensor: int = field(default=1, metadata=ADDED_LATER)
    pipeline: int = field(default=1, metadata=ADDED_LATER)
    data: int = field(default=1, metadata=ADDED_LATER)
    microbatches: int = field(default=1, metadata=ADDED_LATER)

    @property
    def ranks(self) -> int:
        """Processes or devices that run the plan together."""
        return self.tensor * self.pipeline * self.data

    def __post_init__(self) -> None:
        """Take the text of a value for the value. Raises `ValueError` for what is none, and for a degree below 1."""
        if min(self.tensor, self.pipeline, self.data, self.microbatches) < 1:
            raise ValueError("tensor, pipeline, data and microbatches must be at least 1")
        for name, kind in _CLOSED.items():
            object.__setattr__(self, name, kind(getattr(self, name)))


_CLOSED: dict[str, type[StrEnum]] = {
    "cache": Cache,
    "decoding": Decoding,
    "compiling": Compiling,
    "quantization": Quantization,
    "batching": Batching,
}


_OWN_PATH = ("engine", "device", "threads", "dtype", "attention", "seed", "cache", "decoding", "instances")


def calibrates(plan: Plan) -> bool:
    """Whether what an engine runs from depends on texts that it has seen, and so is a result of its own."""
    return plan.quantization is Quantization.INT8_STATIC


def departs(plan: Plan) -> bool:
    """Whether `plan` departs from the unmodified model in one process and one call."""
    usual = Plan()
    return any(
        getattr(plan, field.name) != getattr(usual, field.name) for field in fields(Plan) if field.name not in _OWN_PATH
    )
