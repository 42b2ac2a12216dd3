"""The caches of this machine, as the kernel of Linux tells them."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from cyclescope.core.units import Bytes

_CPUS = Path("/sys/devices/system/cpu")
_UNITS = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}


@dataclass(frozen=True, slots=True)
class CacheLevel:
    """One level of the caches of data as one core sees it: `capacity_bytes`, and how many such caches our cores have.

    `name` is `L1`, `L2` or `L3`; a private cache has one instance a core.
    """

    name: str
    capacity_bytes: Bytes
    instances: int = 1


def read_caches(cpus: Path = _CPUS) -> tuple[CacheLevel, ...]:
    """Caches of data of the cores that this process may use, the smallest first; empty where they cannot be read.

    Of a cache that several cores share, L1 and L2 count with the share of one core, L3 with all of it. Hardware threads
    of one core are one core here.
    """
    usable = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else [0]
    sizes: dict[int, int] = {}
    instances: dict[int, set[str]] = {}
    for cpu in usable:
        siblings = _members(_text(cpus / f"cpu{cpu}/topology/thread_siblings_list")) or 1
        for cache in sorted((cpus / f"cpu{cpu}/cache").glob("index*")):
            size, level = _size(_text(cache / "size")), _text(cache / "level")
            if not size or level not in ("1", "2", "3") or _text(cache / "type") == "Instruction":
                continue
            shared = _text(cache / "shared_cpu_list")
            cores = max(1, _members(shared) // siblings) if level != "3" else 1
            # Cores of two kinds have caches of two sizes: what fits into the smaller fits everywhere.
            sizes[int(level)] = min(size // cores, sizes.get(int(level), size))
            instances.setdefault(int(level), set()).add(shared)
    return tuple(CacheLevel(f"L{level}", sizes[level], len(instances[level])) for level in sorted(sizes))


def _size(text: str) -> int:
    """Bytes of `32K`; 0 for what cannot be understood."""
    number, unit = (text[:-1], _UNITS[text[-1]]) if text[-1:] in _UNITS else (text, 1)
    return int(number) * unit if number.isdigit() else 0


def _members(text: str) -> int:
    """How many processors a list such as `0-3,8` has; 0 where it cannot be understood."""
    count = 0
    for part in text.split(","):
        first, _, last = part.partition("-")
        if not first.isdigit() or (last and not last.isdigit()):
            return 0
        count += int(last or first) - int(first) + 1
    return count


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""
