"""The processor time that the control groups of this process allow, and how long they held it back: cgroup v1 and v2.

`/proc/self/cgroup` names the group of the process, `/proc/self/mountinfo` where its hierarchy is mounted (cgroups(7),
proc_pid_mountinfo(5)). A group is bound by its own limit and by those of all groups above it.
https://docs.kernel.org/admin-guide/cgroup-v2.html#cpu, https://docs.kernel.org/scheduler/sched-bwc.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from cyclescope.core.units import Nanoseconds

_V1, _V2 = "cgroup", "cgroup2"
_NS_PER_US = 1_000
# Where they are usually mounted, for a system that does not tell.
_USUAL = ((_V2, "sys/fs/cgroup"), (_V2, "sys/fs/cgroup/unified"), (_V1, "sys/fs/cgroup/cpu"), (_V1, "sys/fs/cgroup/cpu,cpuacct"))  # fmt: skip
_OCTAL = re.compile(r"\\([0-7]{3})")


@dataclass(frozen=True, slots=True)
class ControlGroup:
    """The folder of one control group, in a hierarchy of the first (`cgroup`) or second version (`cgroup2`)."""

    version: str
    folder: Path


@dataclass(frozen=True, slots=True)
class Quota:
    """`cores` of processor time a second that the groups allow, which may be a fraction (None: no limit), and
    `throttled_ns` for which they have held back this process and others of its groups (None where they do not tell).
    """

    cores: float | None
    throttled_ns: Nanoseconds | None


def read_quota(root: Path = Path("/")) -> Quota:
    """The quota of this process; `root` stands above `proc` and `sys`."""
    groups = tuple(_groups(root))
    limits = [cores for group in groups if (cores := _cores(group)) is not None]
    throttled = [ns for group in groups if (ns := _throttled_ns(group)) is not None]
    # Each group counts what its own limit held back.
    return Quota(min(limits, default=None), sum(throttled) if throttled else None)


def _groups(root: Path) -> Iterator[ControlGroup]:
    """The groups of this process that may limit its processor time, with all above them, in every hierarchy."""
    own = _own_groups(root)
    mounted = tuple(_mounts(root)) or tuple((kind, "/", root / place) for kind, place in _USUAL)
    seen = set()
    for version, top, place in mounted:
        name = own.get(version)
        for folder in _upwards(place, _below(name, top)):
            if folder not in seen and folder.is_dir():
                seen.add(folder)
                yield ControlGroup(version, folder)


def _own_groups(root: Path) -> dict[str, str]:
    """The group of this process in the hierarchy of the processor time of v1, and in that of v2."""
    found = {}
    for line in _text(root / "proc/self/cgroup").splitlines():
        number, _, rest = line.partition(":")
        controllers, _, name = rest.partition(":")
        if number == "0" and not controllers:
            found[_V2] = name
        elif "cpu" in controllers.split(","):
            found[_V1] = name
    return found


def _mounts(root: Path) -> Iterator[tuple[str, str, Path]]:
    """Version, the group that is mounted, and the place, of every hierarchy that can limit processor time."""
    for line in _text(root / "proc/self/mountinfo").splitlines():
        before, _, after = line.partition(" - ")
        fields, kind = before.split(), after.split()
        if len(fields) < 5 or len(kind) < 3:
            continue
        if kind[0] == _V2 or (kind[0] == _V1 and "cpu" in kind[2].split(",")):
            yield kind[0], _unescaped(fields[3]), root / _unescaped(fields[4]).lstrip("/")


def _unescaped(text: str) -> str:
    return _OCTAL.sub(lambda found: chr(int(found[1], 8)), text)


def _below(name: str | None, top: str) -> str:
    """The group `name` as seen from the mounted group `top`; empty for that itself, and where it is not below it.

    In a container whose groups have no namespace, `name` is that of the host, and its own group is what is mounted.
    """
    if name is None or ".." in PurePosixPath(name).parts:
        return ""
    path = PurePosixPath(name)
    return str(path.relative_to(top)) if path.is_relative_to(top) else ""


def _upwards(place: Path, name: str) -> Iterator[Path]:
    folder = place / name
    while folder != place:
        yield folder
        folder = folder.parent
    yield place


def _cores(group: ControlGroup) -> float | None:
    if group.version == _V2:
        quota, _, period = _text(group.folder / "cpu.max").partition(" ")
    else:
        quota, period = (_text(group.folder / f"cpu.cfs_{name}_us") for name in ("quota", "period"))
    return int(quota) / int(period) if quota.isdigit() and period.isdigit() and int(period) else None


def _throttled_ns(group: ControlGroup) -> Nanoseconds | None:
    stat = _text(group.folder / "cpu.stat").splitlines()
    values = {name: int(value) for name, _, value in (line.partition(" ") for line in stat) if value.isdigit()}
    if group.version == _V2:
        return values["throttled_usec"] * _NS_PER_US if "throttled_usec" in values else None
    return values.get("throttled_time")


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""
