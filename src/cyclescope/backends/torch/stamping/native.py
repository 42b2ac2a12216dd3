"""Which stretches between operations are not Python: native code that is called there, and that nothing can be laid around.

Python steps from instruction to instruction, and says so to whoever asks (`sys.settrace`); native code is silent until it
returns. A stretch between two operations of which most is silent work is that of something else: another library, an
extension.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import perf_counter_ns, process_time_ns
from types import FrameType
from typing import Any

import numpy as np

from cyclescope.backends.base import InstrumentedRun
from cyclescope.core.graph.graph import Graph
from cyclescope.core.units import BoolArray, IntArray, Nanoseconds

# Shorter stretches are Python more often than not, and no finding is built on them.
_LEAST_NS = 1_000_000
_LEAST_SHARE = 0.02
_SILENCE_NS = 200_000  # no instruction of Python's own takes so long
_STEP_NS = 50.0  # one that nobody follows, about: CPython 3.11 on the processors of this decade
_RUNS = 3  # of which the least counts: the system stops some of them
_FOLLOWED = 2  # runs that are looked into


def native_slots(
    graph: Graph, run: Callable[[], InstrumentedRun], limit_ns: Nanoseconds, first: InstrumentedRun | None = None
) -> tuple[int, ...]:
    """The slots of `graph` between operations that are mostly native. `run` makes one instrumented run, `first` is one that
    was made; one that is looked into is followed for `limit_ns` at most, and all runs together take no longer than that.

    Empty where somebody else is following the program (a debugger, a tool that measures coverage), and where a run is too
    long to be looked into.
    """
    if sys.gettrace() is not None:
        return ()
    begin = perf_counter_ns()
    runs = [first if first is not None else run()]
    run_ns = int(runs[0].boundaries_ns[-1])
    if _FOLLOWED * run_ns > limit_ns:
        return ()
    while len(runs) < _RUNS and perf_counter_ns() - begin + (1 + _FOLLOWED) * run_ns <= limit_ns:
        runs.append(run())
    widths = np.min([np.diff(made.boundaries_ns) for made in runs], axis=0)
    long = widths >= max(_LEAST_NS, _LEAST_SHARE * int(widths.sum()))
    found = np.flatnonzero(long & (graph.slots.op < 0))
    for _ in range(_FOLLOWED):  # in a second run too
        if len(found):
            found = found[_native(run, limit_ns, found)]
    return tuple(found.tolist())


def _native(run: Callable[[], InstrumentedRun], limit_ns: Nanoseconds, slots: IntArray) -> BoolArray:
    """Whether the silence in each of `slots` of one run took more than its steps of Python did; not behind the limit.

    Silence is counted in processor time, so that a program that takes the core away in between does not count.
    """
    limit = perf_counter_ns() + limit_ns
    with _steps(limit) as seen:
        made = run()
    wall, busy = np.asarray(seen, dtype=np.int64).reshape(-1, 2).T
    at = made.started_ns + made.boundaries_ns
    native = np.zeros(len(slots), dtype=bool)
    for k, slot in enumerate(slots.tolist()):
        first, last = int(at[slot]), int(at[slot + 1])
        if last <= limit and len(wall) > 1:
            within = np.minimum(wall[1:], last) - np.maximum(wall[:-1], first)
            gaps = np.minimum(np.diff(busy), within)
            silence, steps = int(gaps[gaps >= _SILENCE_NS].sum()), int(np.count_nonzero(within > 0))
            native[k] = silence > max(_LEAST_NS / 2, steps * _STEP_NS)
    return native


@contextmanager
def _steps(limit: Nanoseconds) -> Iterator[list[tuple[Nanoseconds, Nanoseconds]]]:
    """When Python steps from instruction to instruction while open, until `limit`: by the clock, and the processor time."""
    seen: list[tuple[Nanoseconds, Nanoseconds]] = []

    def follow(frame: FrameType, event: str, argument: Any) -> Any:
        now = perf_counter_ns()
        seen.append((now, process_time_ns()))
        frame.f_trace_opcodes = True  # a comprehension is one line
        if now > limit:
            sys.settrace(None)
            return None
        return follow

    sys.settrace(follow)
    try:
        yield seen
    finally:
        sys.settrace(None)
