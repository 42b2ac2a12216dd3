"""How this machine stands right now, as far as the system tells: what `doctor` judges."""

from __future__ import annotations

import itertools
import os
import time
from dataclasses import dataclass
from pathlib import Path

from cyclescope.core.units import Bytes, Nanoseconds
from cyclescope.machines.host import available_memory_bytes
from cyclescope.machines.quota import read_quota

THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
# What Linux calls the instructions that decide how fast matrix products of each type are.
_FEATURES = (
    "amx_tile", "amx_bf16", "amx_int8", "amx_fp16", "avx512f", "avx512_bf16", "avx512_fp16", "avx512_vnni", "avx_vnni",
    "avx2", "fma", "f16c", "sve2", "sve", "svebf16", "bf16", "i8mm", "asimdhp", "asimddp", "asimd",
)  # fmt: skip
_CLOCK_LOOKS = 2000
Packages = tuple[tuple[str, str], ...]
"""Names and versions."""


@dataclass(frozen=True, slots=True)
class HostState:
    """Facts, each None or empty where the system does not tell.

    `quota_cores` is what a control group allows; `governors` how the clock frequency of the cores is chosen; `turbo`
    whether it may rise above its base; `thread_limits` the environment's settings; `packages` (name, version) of engines
    and of what belongs to them; `clock_step_ns` the smallest step that the wall clock was seen to take.
    """

    usable_cores: int
    online_cores: int
    quota_cores: float | None
    governors: tuple[str, ...]
    turbo: bool | None
    available_bytes: Bytes | None
    swap_bytes: Bytes | None
    swap_used_bytes: Bytes | None
    thread_limits: tuple[tuple[str, str], ...]
    features: tuple[str, ...]
    engines: Packages
    extras: Packages
    clock_step_ns: Nanoseconds


def read_state(root: Path = Path("/"), engines: Packages = (), extras: Packages = ()) -> HostState:
    """The state of this machine; `root` stands above `proc` and `sys`. `engines` and `extras` are what is installed."""
    swap = _meminfo(root, "SwapTotal"), _meminfo(root, "SwapFree")
    return HostState(
        usable_cores=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        online_cores=os.cpu_count() or 1,
        quota_cores=read_quota(root).cores,
        governors=tuple(sorted({_text(path) for path in _frequency(root)} - {""})),
        turbo=_turbo(root),
        available_bytes=available_memory_bytes(),
        swap_bytes=swap[0],
        swap_used_bytes=swap[0] - swap[1] if swap[0] is not None and swap[1] is not None else None,
        thread_limits=tuple((name, os.environ[name]) for name in THREAD_VARIABLES if os.environ.get(name)),
        features=_features(root),
        engines=engines,
        extras=extras,
        clock_step_ns=_clock_step_ns(),
    )


def _frequency(root: Path) -> list[Path]:
    return sorted((root / "sys/devices/system/cpu").glob("cpu[0-9]*/cpufreq/scaling_governor"))


def _turbo(root: Path) -> bool | None:
    cpus = root / "sys/devices/system/cpu"
    if (off := _text(cpus / "intel_pstate/no_turbo")) in ("0", "1"):
        return off == "0"
    on = _text(cpus / "cpufreq/boost")
    return on == "1" if on in ("0", "1") else None


def _meminfo(root: Path, name: str) -> Bytes | None:
    for line in _text(root / "proc/meminfo").splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024
    return None


def _features(root: Path) -> tuple[str, ...]:
    for line in _text(root / "proc/cpuinfo").splitlines():
        name, _, flags = line.partition(":")
        if name.strip() in ("flags", "Features"):
            there = set(flags.split())
            return tuple(feature for feature in _FEATURES if feature in there)
    return ()


def _clock_step_ns() -> Nanoseconds:
    """The smallest difference that two readings in a row showed."""
    readings = [time.perf_counter_ns() for _ in range(_CLOCK_LOOKS)]
    return min((b - a for a, b in itertools.pairwise(readings) if b > a), default=0)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""
