"""What a machine can do at best, and what it takes at least, each figure with where it comes from."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from cyclescope.core.collectives import CollectiveCeiling, Interconnect
from cyclescope.core.figure import Figure as Figure
from cyclescope.core.figure import joined
from cyclescope.core.message import Message, m, plural
from cyclescope.core.stored import ADDED_LATER

# Where the same took half as long again as the same, what was probed is the load of others and not this machine.
MOST_NOISE = 0.5
PRIVATE_LEVELS = ("L1", "L2")  # each core has its own, so that more threads have more of them


class Origin(StrEnum):
    """How a ceiling is known."""

    MEASURED = "measured"
    DATASHEET = "datasheet"


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
    """Moving data from one level of the memory on `threads` threads, by reading or by updating it: bytes a second.

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
    one kernel on a device. None where there is no such thing or it was not measured.
    """

    dispatch_ns: Figure | None = None
    module_call_ns: Figure | None = None
    launch_ns: Figure | None = None


@dataclass(frozen=True, slots=True)
class Ceilings:
    """All that is known about the limits of one machine under one engine.

    `machine` names it (processor or device), `fingerprint` tells whether it is still the same (empty for a datasheet),
    `taken_at` is UTC in ISO 8601 (for a datasheet: when somebody read it). `noise` is the half width of the 95 %
    interval of an A/A comparison, as a share: no smaller difference means anything here. Beyond `MOST_NOISE` it is no
    floor any more: only `usable_noise` may be compared with. `collectives` are those between ranks that were measured, `interconnects` what a
    datasheet states of the links that they go over.
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
    collectives: tuple[CollectiveCeiling, ...] = field(default=(), metadata=ADDED_LATER)
    interconnects: tuple[Interconnect, ...] = field(default=(), metadata=ADDED_LATER)

    @property
    def usable_noise(self) -> Figure | None:
        """The noise where it can serve as a floor; None where it is unknown or beyond use."""
        return None if self.noise is None or self.noise.value > MOST_NOISE else self.noise

    @property
    def noise_beyond_use(self) -> float:
        """The noise, as a share, where it is too large for a floor; else 0."""
        return self.noise.value if self.noise is not None and self.noise.value > MOST_NOISE else 0.0

    def flops_per_s(self, dtype: str, rows: int, threads: int) -> Figure | None:
        """The ceiling of matrix products of `dtype` whose smallest dimension is `rows`, on `threads` threads.

        Between two measured numbers of rows it is interpolated on the log-log scale, outside it is that of the nearest;
        more rows or threads never have less than fewer have: what few reach, many reach too. Threads that were not
        measured are scaled in proportion from the nearest lower number (else from the lowest), which the source then says.
        None for a type that no product was measured or stated for, integers among them.
        """
        curve = self.curve(dtype, threads)
        if not curve:
            return None
        after = next((i for i, point in enumerate(curve) if point.rows >= rows), len(curve))
        if after == len(curve):
            return curve[-1].flops_per_s
        if after == 0 or curve[after].rows == rows:
            return curve[after].flops_per_s
        return _between(curve[after - 1], curve[after], rows)

    def peak(self, dtype: str, threads: int) -> Figure | None:
        """The most that matrix products of `dtype` reach on `threads` threads, whatever their shape; None if unknown."""
        curve = self.curve(dtype, threads)
        return curve[-1].flops_per_s if curve else None

    def levels(self, threads: int) -> tuple[BandwidthCeiling, ...]:
        """The levels of the memory on `threads` threads, the smallest first and `memory` last; capacities as stored.

        Threads that were not measured: upwards from the nearest lower number in proportion, which a shared level may
        not reach; downwards a private level in proportion and a shared one unchanged, since few threads may saturate it.
        Either way it stays a ceiling. No level is slower than a larger one, and none slower than on fewer threads.
        """
        names = dict.fromkeys(level.level for level in self.bandwidths)
        chosen = [self._level([level for level in self.bandwidths if level.level == name], threads) for name in names]
        chosen.sort(key=lambda level: level.capacity_bytes or math.inf)
        for i in range(len(chosen) - 2, -1, -1):
            best = max(chosen[i].bytes_per_s, chosen[i + 1].bytes_per_s, key=lambda figure: figure.value)
            chosen[i] = replace(chosen[i], bytes_per_s=best)
        return tuple(chosen)

    def capacities(self, threads: int) -> tuple[float, ...]:
        """Bytes that each of `levels(threads)` holds when so many threads share the work, infinite for main memory.

        A private cache counts once for each thread, because each has its share of the data in its own.
        """
        return tuple(
            level.capacity_bytes * (threads if level.level in PRIVATE_LEVELS and level.threads > 0 else 1) or math.inf
            for level in self.levels(threads)
        )

    def bandwidth(self, footprint_bytes: int, threads: int) -> BandwidthCeiling | None:
        """The smallest level that holds `footprint_bytes` when `threads` threads share the work; None if none is known.

        Where every known level is too small, it is the largest.
        """
        levels = self.levels(threads)
        for level, capacity in zip(levels, self.capacities(threads), strict=True):
            if footprint_bytes <= capacity:
                return level
        return levels[-1] if levels else None

    def curve(self, dtype: str, threads: int) -> tuple[ProductCeiling, ...]:
        """Products of `dtype` on `threads` threads by rows, each at least what fewer rows reach."""
        known = [product for product in self.products if product.dtype == dtype]
        if not known:
            return ()
        nearest = _nearest_threads([product.threads for product in known], threads)
        curve: list[ProductCeiling] = []
        points = [product for product in known if 0 < product.threads <= nearest or product.threads == nearest]
        for product in sorted(points, key=lambda p: (p.rows, p.flops_per_s.value)):
            figure = product.flops_per_s
            if curve and curve[-1].flops_per_s.value > figure.value:
                figure = curve[-1].flops_per_s
            if curve and curve[-1].rows == product.rows:
                curve.pop()
            curve.append(replace(product, flops_per_s=figure))
        if nearest == 0 or threads <= 0 or nearest == threads:
            return tuple(curve)
        remark = _scaled_threads(nearest, threads)
        return tuple(
            replace(p, threads=threads, flops_per_s=p.flops_per_s.scaled(threads / nearest, remark)) for p in curve
        )

    def _level(self, known: Sequence[BandwidthCeiling], threads: int) -> BandwidthCeiling:
        nearest = _nearest_threads([level.threads for level in known], threads)
        best = max(
            (b for b in known if 0 < b.threads <= nearest or b.threads == nearest), key=lambda b: b.bytes_per_s.value
        )
        level = replace(next(b for b in known if b.threads == nearest), bytes_per_s=best.bytes_per_s)
        if (
            nearest == 0
            or threads <= 0
            or nearest == threads
            or (nearest > threads and level.level not in PRIVATE_LEVELS)
        ):
            return level
        remark = _scaled_threads(nearest, threads)
        return replace(level, threads=threads, bytes_per_s=level.bytes_per_s.scaled(threads / nearest, remark))


def _nearest_threads(known: Sequence[int], threads: int) -> int:
    """`threads` itself where it is known, else the whole device (0), else the nearest lower, else the lowest.

    0 asks for the whole device: where it was probed by threads, those of the most.
    """
    if threads <= 0:
        return 0 if 0 in known else max(known)
    if threads in known or 0 in known:
        return threads if threads in known else 0
    return max((count for count in known if count < threads), default=min(known))


def _scaled_threads(nearest: int, threads: int) -> Message:
    return plural(
        "{n} thread scaled to {threads}", "{n} threads scaled to {threads}", nearest, n=nearest, threads=threads
    )


def _between(before: ProductCeiling, after: ProductCeiling, rows: int) -> Figure:
    """The figure at `rows` on the straight line between two points of the log-log plot."""
    part = math.log(rows / before.rows) / math.log(after.rows / before.rows)

    def mix(low: float, high: float) -> float:
        return low ** (1 - part) * high**part if low > 0 else high

    a, b = before.flops_per_s, after.flops_per_s
    remark = joined(b.remark, m("between {before} and {after} rows", before=before.rows, after=after.rows))
    return Figure(mix(a.value, b.value), mix(a.low, b.low), mix(a.high, b.high), min(a.n, b.n), b.source, remark)
