"""What else the machine did while we measured, read from the kernel's counters before and after."""

from __future__ import annotations

import glob
import os
import time
from dataclasses import dataclass
from pathlib import Path

from cyclescope.core.samples import Load
from cyclescope.machines.quota import read_quota


@dataclass(frozen=True, slots=True)
class _Counters:
    busy_s: float | None
    own_s: float
    at_s: float
    swapped_pages: int | None
    throttled_ns: int | None


class LoadMeter:
    """Reads the counters when made; `read` gives what happened since. `with_children`: what the processes do that this one
    has started is its own work, as that of trials is.
    """

    def __init__(self, *, with_children: bool = False) -> None:
        self._own_s = _family_s if with_children else time.process_time
        self._before = _read(self._own_s())

    def read(self) -> Load:
        """Load by others since the meter was made. What this system does not tell is None."""
        before, now = self._before, _read(self._own_s())
        elapsed = now.at_s - before.at_s
        other = None
        if before.busy_s is not None and now.busy_s is not None and elapsed > 0.2:
            # The kernel counts in hundredths of a second, so a shorter stretch would be all rounding.
            others = (now.busy_s - before.busy_s) - (now.own_s - before.own_s)
            other = min(1.0, max(0.0, others / (elapsed * (os.cpu_count() or 1))))
        swapped = (
            before.swapped_pages is not None
            and now.swapped_pages is not None
            and now.swapped_pages > before.swapped_pages
        )
        throttled = None
        if before.throttled_ns is not None and now.throttled_ns is not None:
            throttled = now.throttled_ns - before.throttled_ns
        return Load(other, swapped, throttled)


def _read(own_s: float) -> _Counters:
    return _Counters(
        busy_s=_busy_s(),
        own_s=own_s,
        at_s=time.monotonic(),
        swapped_pages=_swapped_pages(),
        throttled_ns=read_quota().throttled_ns,
    )


def _family_s() -> float:
    """Processor time of this process and of all that descend from it, those included that have ended and were waited for:
    proc(5), `/proc/[pid]/stat`.
    """
    parents: dict[int, int] = {}
    ticks: dict[int, int] = {}
    for path in glob.glob("/proc/[0-9]*/stat"):
        for line in _lines(path):  # none where the process has ended since
            number, _, rest = line.partition(" (")
            fields = rest.rpartition(") ")[2].split()  # a name may have brackets of its own
            parents[int(number)] = int(fields[1])
            ticks[int(number)] = sum(map(int, fields[11:15]))
    family = [os.getpid()]
    for pid in family:  # grows while it is read
        family += [child for child, parent in parents.items() if parent == pid]
    return sum(ticks.get(pid, 0) for pid in family) / os.sysconf("SC_CLK_TCK")


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return []


def _busy_s() -> float | None:
    """Seconds that all cores together were not idle, stolen time included: proc(5), `/proc/stat`."""
    lines = _lines("/proc/stat")
    if not lines or not lines[0].startswith("cpu "):
        return None
    user, nice, system, _idle, _iowait, irq, softirq, steal = (int(v) for v in lines[0].split()[1:9])
    return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")


def _swapped_pages() -> int | None:
    counts = [int(line.split()[1]) for line in _lines("/proc/vmstat") if line.startswith(("pswpin ", "pswpout "))]
    return sum(counts) if counts else None
