"""What is calibrated: types, rows, threads, and matrices and working sets that fit this machine's caches."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from cyclescope.core.errors import UsageError
from cyclescope.core.message import m
from cyclescope.core.units import NS_PER_S, Bytes, Nanoseconds
from cyclescope.machines.caches import CacheLevel

DTYPES = ("float32", "bfloat16", "float16")
_ROWS = (1, 4, 16, 64, 256, 1024)
_QUICK_ROWS = (1, 16, 256)
# A device has so many units that only far larger products keep all of them busy; its caches decide nothing here.
_DEVICE_ROWS = 4096
_DEVICE_SHAPES = ((4096, 4096), (8192, 8192), (4096, 16384))
_MOST_WEIGHT_BYTES = 4 << 20  # larger matrices only take longer: a product of this size has long reached its ceiling
_DEFAULT_L2: Bytes = 512 << 10  # where no cache is known
_MOST_MEMORY_BYTES: Bytes = 2 << 30
_STEP = 64  # sides are multiples of what blocked kernels and matrix units like
_MOST_THREADS = 4096


@dataclass(frozen=True, slots=True)
class ProbePlan:
    """`products_ns` is for products, memory and overheads together, `noise_ns` for the A/A comparison."""

    dtypes: tuple[str, ...]
    rows: tuple[int, ...]
    threads: tuple[int, ...]
    products_ns: Nanoseconds
    noise_ns: Nanoseconds
    shapes: int
    on_device: bool = False


def probe_plan(cores: int, threads: Sequence[int] = (), *, quick: bool = False, on_device: bool = False) -> ProbePlan:
    """What is to be probed on a machine with `cores` usable cores; `threads` replaces our choice of them.

    Raises `UsageError` for numbers of threads that cannot be.
    """
    if any(not 1 <= count <= _MOST_THREADS for count in threads):
        raise UsageError(
            m(
                "--threads must be whole numbers from 1 to {most} (got {given}).",
                most=_MOST_THREADS,
                given=",".join(map(str, threads)),
            ),
            "",
            m("Separate them by commas: --threads 1,2,4."),
        )
    chosen = (0,) if on_device else tuple(sorted(set(threads))) or default_threads(cores, quick=quick)
    more = (_DEVICE_ROWS,) if on_device else ()
    if quick:
        return ProbePlan(DTYPES, _QUICK_ROWS + more, chosen, 7 * NS_PER_S, 3 * NS_PER_S // 2, 2, on_device)
    return ProbePlan(DTYPES, _ROWS + more, chosen, 65 * NS_PER_S, 8 * NS_PER_S, 3, on_device)


def default_threads(cores: int, *, quick: bool) -> tuple[int, ...]:
    """1, 2, 4, … and all cores; quickly: one and all."""
    if quick:
        return tuple(sorted({1, cores}))
    return tuple(sorted({2**power for power in range(cores.bit_length()) if 2**power <= cores} | {cores}))


def device_shapes(count: int) -> tuple[tuple[int, int], ...]:
    """Up to `count` (depth, width) that keep a device busy."""
    return _DEVICE_SHAPES[:count]


def matrix_shapes(item_bytes: int, caches: Sequence[CacheLevel], count: int) -> tuple[tuple[int, int], ...]:
    """Up to `count` (depth, width) of weights that stay in a cache: of a quarter of L3, a wide one, of half of L2.

    The best of them is the ceiling: kernels are tuned to some shapes, and a small matrix ends before threads are busy.
    """
    l2 = next((cache.capacity_bytes for cache in caches if cache.name == "L2"), _DEFAULT_L2)
    l3 = next((cache.capacity_bytes for cache in caches if cache.name == "L3"), 4 * l2)
    large = _side(min(l3 // 4, _MOST_WEIGHT_BYTES), item_bytes)
    small = _side(min(l2 // 2, _MOST_WEIGHT_BYTES), item_bytes)
    wide = (max(_STEP, large // 2 // _STEP * _STEP), 2 * large)
    return tuple(dict.fromkeys(((large, large), wide, (small, small))))[:count]


def _side(size: Bytes, item_bytes: int) -> int:
    return max(_STEP, math.isqrt(size // item_bytes) // _STEP * _STEP)


@dataclass(frozen=True, slots=True)
class WorkingSet:
    """`size` bytes that are worked on to see the level `name`, which holds `capacity_bytes` (0: no limit)."""

    name: str
    capacity_bytes: Bytes
    size: Bytes
    private: bool


def working_sets(caches: Sequence[CacheLevel], threads: int, memory_bytes: Bytes) -> tuple[WorkingSet, ...]:
    """Half of each cache, and four times the last one (an eighth of the memory at most).

    Caches that several groups of cores have one each of count as often as `threads` can be in different groups.
    """
    sets = []
    for cache in caches:
        private = cache.name in ("L1", "L2") and threads > 0
        capacity = cache.capacity_bytes * (1 if private else max(1, min(cache.instances, threads)))
        sets.append(WorkingSet(cache.name, capacity, capacity // 2, private))
    last = caches[-1].capacity_bytes * caches[-1].instances if caches else _DEFAULT_L2 * 64
    size = min(4 * max(last, 16 << 20), _MOST_MEMORY_BYTES, max(memory_bytes // 8, 1 << 20))
    return (*sets, WorkingSet("memory", 0, size, False))
