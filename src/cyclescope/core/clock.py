"""Time is a parameter: whatever measures is handed a clock, and a test hands it a fake one."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """Wall and processor time in whole nanoseconds; only differences mean anything."""

    def now_ns(self) -> int:
        """Monotonic wall clock."""
        ...

    def cpu_ns(self) -> int:
        """Processor time of this process, summed over its threads."""
        ...


class SystemClock:
    """The machine's own clocks."""

    def now_ns(self) -> int:
        return time.perf_counter_ns()

    def cpu_ns(self) -> int:
        return time.process_time_ns()
