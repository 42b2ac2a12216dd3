"""How a workload is run. A value: equal plans are the same plan."""

from __future__ import annotations

from dataclasses import dataclass, fields

# The engine that runs the model itself: what every other one is held against, and what a plan names by default.
REFERENCE_ENGINE = "torch"
# How many tokens `prompt-lookup` guesses at once; the default of transformers' documentation.
LOOKED_UP_TOKENS = 10


@dataclass(frozen=True, slots=True)
class Change:
    """One change of the model itself: `name` is that of the strategy that makes it, `amount` how much (a share, a rank,
    a number of layers; 0 where there is nothing to choose).
    """

    name: str
    amount: float = 0.0


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything about a run that is not the model and not the machine.

    `threads` is the number of threads inside one operation; 0 means whatever the engine takes by itself,
    and a measured cycle always carries the number that was in force. `cache` (`dynamic`, `static` or `off`) and `decoding`
    (`greedy` or `sample`) matter only where text is written.

    What follows departs from running the model as it is. `compiling`: `off`, `inductor`, `inductor-freezing` (PyTorch).
    `quantization`: `off`, `int8-dynamic` (weights and activations), `int8-static` (the same with scales of
    activations that were calibrated beforehand), `int8-weights`, `int4-weights`. `changes` are those
    of the model, in the order in which they are made. `threads_between` runs independent operations side by side,
    `instances` is the number of processes that share the work, each pinned to cores of its own. `batch` texts go into
    one call (0: all of them), put together as `batching` says: `given` order, by `length`, or `packed` without padding.
    `drafting`: `off`, `prompt-lookup`, `layers:N` (the model's own first N layers), or the reference of a draft model. `overlap` tokenizes the next texts meanwhile.
    """

    engine: str = REFERENCE_ENGINE
    device: str = "cpu"
    threads: int = 0
    dtype: str = "float32"
    attention: str = "sdpa"
    seed: int = 0
    cache: str = "dynamic"
    decoding: str = "greedy"
    compiling: str = "off"
    quantization: str = "off"
    changes: tuple[Change, ...] = ()
    threads_between: int = 0
    instances: int = 1
    batch: int = 0
    batching: str = "given"
    drafting: str = "off"
    overlap: bool = False


_OWN_PATH = ("engine", "device", "threads", "dtype", "attention", "seed", "cache", "decoding", "instances")


def calibrates(plan: Plan) -> bool:
    """Whether what an engine runs from depends on texts that it has seen, and so is a result of its own."""
    return plan.quantization == "int8-static"


def departs(plan: Plan) -> bool:
    """Whether `plan` departs from running the model as it is, in one process and one call."""
    usual = Plan()
    return any(
        getattr(plan, field.name) != getattr(usual, field.name) for field in fields(Plan) if field.name not in _OWN_PATH
    )
