"""What can be read about the machine without measuring and without a framework."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable
from pathlib import Path

from cyclescope.core.machine import Machine
from cyclescope.machines.quota import Quota, read_quota

_INSTRUCTION_SETS = (
    "amx_tile",
    "amx_fp16",
    "avx512_fp16",
    "avx512_bf16",
    "avx512_vnni",
    "avx512f",
    "avx2",
    "avx",
    "sve2",
    "sve",
    "asimd",
    "neon",
)


def read_machine(device: str = "cpu", device_name: str = "", packages: Iterable[str] = ()) -> Machine:
    """This machine, as far as it tells by itself, with the versions of `packages`. No name of a host or a user is read."""
    cpuinfo = _text("/proc/cpuinfo")
    quota = read_quota()
    pairs = (line.partition(":") for line in cpuinfo.splitlines())
    fields = {key.strip(): value.strip() for key, _, value in pairs}
    flags = set((fields.get("flags") or fields.get("Features") or "").split())
    processor = fields.get("model name") or platform.processor() or platform.machine()
    return Machine(
        processor=device_name or processor,
        cores=usable_cores(quota),
        memory_bytes=_memory_bytes(),
        system=f"{platform.system()} {platform.release()}",
        python=platform.python_version(),
        device=device,
        instruction_set=" ".join(name for name in _INSTRUCTION_SETS if name in flags),
        packages=package_versions((*packages, "numpy")),
        virtual="hypervisor" in flags,
        quota_cores=quota.cores,
    )


def package_versions(names: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """Name and version of those of `names` that are installed."""
    return tuple((name, found) for name in names if (found := _version(name)))


def usable_cores(quota: Quota | None = None) -> int:
    """Cores that this process may keep busy, by its affinity and by the limit of its control groups; at least one.

    A limit of a core and a half is one core: a second thread would be stopped half of the time.
    """
    affinity = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    allowed = (quota or read_quota()).cores
    return affinity if allowed is None else max(1, min(affinity, int(allowed)))


def available_memory_bytes() -> int | None:
    """Memory that could be had now without swapping, or None where it cannot be read."""
    for line in _text("/proc/meminfo").splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return None


def _memory_bytes() -> int:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError, AttributeError):
        return 0


def _version(package: str) -> str:
    from importlib.metadata import PackageNotFoundError, version  # takes long, and help must not wait for it

    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _text(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
