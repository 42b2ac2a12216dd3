"""What an engine must offer to be calibrated: small pieces of work, each repeated a given number of times and timed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, TypeAlias

from cyclescope.core.machine import Machine
from cyclescope.core.units import Bytes, Nanoseconds
from cyclescope.machines.caches import CacheLevel

Timer: TypeAlias = Callable[[int], Nanoseconds]
"""Does a piece of work so many times, one after the other, and gives how long all of them took.

It sets the threads that the work wants and does it once before the clock runs, so that its data is where it belongs.
"""


class Access(StrEnum):
    """How a probe of the memory uses it."""

    READ = "read"  # a sum over it
    UPDATE = "update"  # a constant added in place: each byte is read and written


@dataclass(frozen=True, slots=True)
class MemoryProbe:
    """A timer and the bytes that one of its repetitions moves; `what` names the operation."""

    timer: Timer
    moved_bytes: Bytes
    what: str


class Probes(Protocol):
    """One engine on one device. `threads` 0 means that threads are no choice there."""

    @property
    def machine(self) -> Machine: ...

    @property
    def engine(self) -> str: ...

    @property
    def caches(self) -> tuple[CacheLevel, ...]:
        """What the system or the device tells of its caches, the smallest first; empty where it tells nothing."""
        ...

    def item_bytes(self, dtype: str) -> Bytes | None:
        """Bytes of one number of that type; None where the engine cannot multiply such matrices."""
        ...

    def product(self, dtype: str, rows: int, depth: int, width: int, threads: int) -> Timer:
        """[rows, depth] times [depth, width]: 2 · rows · depth · width FLOPs."""
        ...

    def memory(self, access: Access, size: Bytes, threads: int, *, private: bool) -> MemoryProbe | None:
        """Working on `size` bytes again and again; `private`: every thread on a copy in its own cache.

        None where the cost of a call would hide the time that this access to so little takes.
        """
        ...

    def dispatch(self) -> dict[str, Timer]:
        """The smallest operations there are, by name."""
        ...

    def module_call(self) -> Timer | None:
        """Calling a module that does nothing; None where the engine has no modules in Python."""
        ...

    def launch(self) -> Timer | None:
        """Launching the smallest kernel on the device; None where there is nothing to launch on."""
        ...

    def cycle(self, threads: int) -> Timer:
        """A small model, the same every time: what A and B are in an A/A comparison."""
        ...

    def close(self) -> None:
        """Put every global setting back and give back what the probes hold."""
        ...
