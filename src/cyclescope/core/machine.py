"""What a cycle ran on."""

from __future__ import annotations

from dataclasses import dataclass

from cyclescope.core.ceilings import Ceilings


@dataclass(frozen=True, slots=True)
class Machine:
    """A machine as it can be read without measuring: processor, cores this process may use, memory, versions.

    `packages` are (name, version) pairs of the engine's packages. No host name and no user name is kept.
    `ceilings` is what calibrating this machine had found by the time the cycle was taken; None where nobody had.
    """

    processor: str
    cores: int
    memory_bytes: int
    system: str
    python: str
    device: str = "cpu"
    instruction_set: str = ""
    packages: tuple[tuple[str, str], ...] = ()
    virtual: bool = False
    ceilings: Ceilings | None = None
