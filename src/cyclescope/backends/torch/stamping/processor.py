"""The processor time of this process, to be read at every stamp: which clocks, and what reading them takes.

The clock of the whole process is one reading, but the kernel brings the share of threads on other cores up to date only
at its own ticks (1 to 10 ms), so that work seen through it is smeared over its neighbours. A thread's own clock is
exact from any thread (Linux, kernel/sched/cputime.c: `thread_group_cputime` refreshes the asking thread alone). So where few
threads work, their clocks are read one by one and summed.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from cyclescope.backends.torch.stamping.stamps import instrumented, new_records, rows_of

_TASKS = Path("/proc/self/task")
# A clock takes about a microsecond; with more threads than this reading them all would take as long as an operation.
_MOST_THREADS = 16
_WORKS = 0.001  # a thread that has less than this share of the processor time of a run does no work for it
_STAMPS = 200


def clocks_of(run: Callable[[], object]) -> tuple[int, ...]:
    """Ids of the clocks (for `clock_gettime`) whose sum is the processor time of the threads that work in `run`.

    Empty where the system has no such clock.
    """
    whole = getattr(time, "CLOCK_PROCESS_CPUTIME_ID", None)
    if whole is None:
        return ()
    before = _thread_clocks()
    run()
    after = _thread_clocks()  # with the threads that only came to be in this run
    used = {clock: now - before.get(clock, 0) for clock, now in after.items()}
    least = _WORKS * sum(used.values())
    working = tuple(sorted((clock for clock, ns in used.items() if ns > least), reverse=True))
    return working if 0 < len(working) <= _MOST_THREADS else (whole,)


def now_ns(clocks: tuple[int, ...]) -> int:
    """The sum of `clocks`."""
    return sum(map(time.clock_gettime_ns, clocks))


def stamp_ns(clocks: tuple[int, ...]) -> float:
    """What one stamp takes that reads `clocks` too, by the wall clock: the lower quartile of stamps in a row.

    Only this thread runs during it, so it is the processor time as well.
    """
    records = new_records(clocks)

    def nothing() -> None:
        return None

    wrapper = instrumented(nothing, 0, records)
    for _ in range(_STAMPS):
        wrapper()
    inside = np.diff(rows_of(records)[:, 1:3], axis=1)
    return float(np.percentile(inside, 25))


def thread_clock(thread: int) -> int:
    """Id of the clock of the processor time of one thread, by its native id."""
    return ~thread << 3 | 0b110  # Linux, include/linux/posix-timers.h: the scheduler's clock of one thread


def _thread_clocks() -> dict[int, int]:
    """Processor time of each thread by the id of its clock; nothing where the system does not list threads."""
    result: dict[int, int] = {}
    try:
        threads = [int(entry.name) for entry in _TASKS.iterdir()]
    except OSError:
        return result
    for thread in threads:
        clock = thread_clock(thread)
        try:
            result[clock] = time.clock_gettime_ns(clock)
        except OSError:  # it has ended
            continue
    return result
