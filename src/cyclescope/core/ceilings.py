"""What a machine can do at best, and what it takes at least, each figure with where it comes from."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Origin(StrEnum):
    """How a ceiling is known."""

    MEASURED = "measured"
    DATASHEET = "datasheet"


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure about a machine in SI units, with its 95 % interval, the samples behind it and its source.

    `source` names the probe that measured it, or is the URL of the datasheet; a datasheet's figure has n = 0 and no width.
    """

    value: float
    low: float
    high: float
    n: int
    source: str

    @staticmethod
    def stated(value: float, source: str) -> Figure:
        """A figure that a datasheet states."""
        return Figure(value, value, value, 0, source)


@dataclass(frozen=True, slots=True)
class ProductCeiling:
    """Matrix products of `dtype` with `rows` rows on `threads` threads, operands in cache: FLOPs a second.

    `rows` is the smallest of the three dimensions: 1 is the matrix-vector product of a decode step, a few are a small
    batch, hundreds are as good as square. `threads` 0 is the whole device.
    """

    dtype: str
    rows: int
    threads: int
    flops_per_s: Figure


@dataclass(frozen=True, slots=True)
class BandwidthCeiling:
    """Reading from one level of the memory on `threads` threads: bytes a second.

    `level` is `L1`, `L2`, `L3` or `memory`; `capacity_bytes` is what fits into it (that of one core for a private
    cache; 0 for `memory`: no limit). `threads` 0 is the whole device.
    """

    level: str
    capacity_bytes: int
    threads: int
    bytes_per_s: Figure


@dataclass(frozen=True, slots=True)
class Overheads:
    """What the engine takes at least, in nanoseconds: to dispatch one operation, to call one module in Python, to launch
    one kernel on a device. None where there is no such thing or nobody measured it.
    """

    dispatch_ns: Figure | None = None
    module_call_ns: Figure | None = None
    launch_ns: Figure | None = None


@dataclass(frozen=True, slots=True)
class Ceilings:
    """All that is known about the limits of one machine under one engine.

    `machine` names it (processor or device), `fingerprint` tells whether it is still the same (empty for a datasheet),
    `taken_at` is UTC in ISO 8601 (for a datasheet: when somebody read it). `noise` is the half width of the 95 %
    interval of an A/A comparison, as a share: no smaller difference means anything here.
    """

    origin: Origin
    machine: str
    engine: str
    taken_at: str
    products: tuple[ProductCeiling, ...]
    bandwidths: tuple[BandwidthCeiling, ...]
    overheads: Overheads = Overheads()
    noise: Figure | None = None
    fingerprint: str = ""
