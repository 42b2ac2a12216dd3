"""Caches that the system does not tell of, found from how fast working sets of growing size are read."""

from __future__ import annotations

from collections.abc import Sequence

from cyclescope.machines.caches import CacheLevel

SWEPT_BYTES = tuple(4 << power for power in range(10, 25))  # 4 KiB … 64 MiB
_FALL = 0.8  # a set that is read at less than this share of the pace of the next smaller one no longer fits
_MOST_LEVELS = 3


def caches_from(sizes: Sequence[int], bytes_per_s: Sequence[float]) -> tuple[CacheLevel, ...]:
    """The caches whose edges show in the rates of ascending `sizes`, three at most; the rest is memory.

    A cache holds the largest size before the rate falls. A fall that goes on over several sizes is one edge: around the
    capacity a part of the set still fits. A fall right at the first size shows no cache.
    """
    edges: list[int] = []
    falling = False
    for before, after in zip(range(len(sizes)), range(1, len(sizes)), strict=False):
        falls = bytes_per_s[after] < _FALL * bytes_per_s[before]
        if falls and not falling:
            edges.append(sizes[before])
        falling = falls
    return tuple(CacheLevel(f"L{number}", size) for number, size in enumerate(edges[:_MOST_LEVELS], start=1))
