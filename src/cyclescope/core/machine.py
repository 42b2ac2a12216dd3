"""What a cycle ran on."""

from __future__ import annotations

from dataclasses import dataclass, field

from cyclescope.core.ceilings import Ceilings
from cyclescope.core.stored import ADDED_LATER


@dataclass(frozen=True, slots=True)
class Machine:
    """A machine as it can be read without measuring: processor, cores this process may use, memory, versions.

    `packages` are (name, version) pairs of the engine's packages. No host name and no user name is kept.
    `ceilings` is what calibrating this machine had found by the time the cycle was taken; None where it was not calibrated.
    `quota_cores` is what the control groups of this process allow, which may be a fraction; None for no limit.
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
    quota_cores: float | None = field(default=None, metadata=ADDED_LATER)
