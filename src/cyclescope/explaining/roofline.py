"""How far each operation is from what the machine could do (Williams, Waterman and Patterson, 2009)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from cyclescope.core.ceilings import Ceilings
from cyclescope.core.units import FloatArray


class Bound(StrEnum):
    """What an operation could not be faster than."""

    COMPUTE = "compute"
    MEMORY = "memory"
    OVERHEAD = "overhead"
    NOTHING = "nothing"  # text, which no ceiling is known for


@dataclass(frozen=True, slots=True)
class Utilisation:
    """A rate that was reached as a share of a ceiling: of the one measured here and of the datasheet's, where known."""

    of_measured: float | None
    of_datasheet: float | None


@dataclass(frozen=True, eq=False)
class Roofline:
    """Every operation against its ceilings; columns have one row an operation [n], times in nanoseconds.

    `compute_ns`, `memory_ns`, `overhead_ns` are what the operation takes at least by each limit, `floor_ns` the largest
    of them and `bounds` which that is; `levels` names the memory level that most of `memory_ns` belongs to ('' for none).
    `time_ns` is what it took, `gap_ns` = max(0, time − floor).
    `python_ns` is the time between operations, which a compiled cycle would not have.
    The floor of the cycle is the sum of the floors: one operation after the other, as it runs.
    """

    ceilings: Ceilings
    threads: int
    compute_ns: FloatArray
    memory_ns: FloatArray
    overhead_ns: FloatArray
    floor_ns: FloatArray
    bounds: tuple[Bound, ...]
    levels: tuple[str, ...]
    time_ns: FloatArray
    gap_ns: FloatArray
    python_ns: float
    mfu: Utilisation
    mbu: Utilisation

    @property
    def floor_total_ns(self) -> float:
        """What the operations of the cycle would take if each ran at its ceiling."""
        return float(self.floor_ns.sum())

    @property
    def total_ns(self) -> float:
        """What the cycle takes, Python between its operations included."""
        return float(self.time_ns.sum()) + self.python_ns
