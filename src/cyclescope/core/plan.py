"""How a workload is run. A value: equal plans are the same plan."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything about a run that is not the model and not the machine.

    `threads` is the number of threads inside one operation; 0 means whatever the engine takes by itself,
    and a measured cycle always carries the number that was in force. `cache` (`dynamic`, `static` or `off`) and `decoding`
    (`greedy` or `sample`) matter only where text is written.
    """

    engine: str = "torch"
    device: str = "cpu"
    threads: int = 0
    dtype: str = "float32"
    attention: str = "sdpa"
    seed: int = 0
    cache: str = "dynamic"
    decoding: str = "greedy"
