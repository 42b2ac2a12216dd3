"""Probes on paper: ceilings that are known in advance, on a fake clock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from cyclescope.backends.paper import PAPER_MACHINE, FakeClock
from cyclescope.backends.probing import Access, MemoryProbe, Timer
from cyclescope.core.machine import Machine
from cyclescope.core.units import NS_PER_S
from cyclescope.machines.caches import CacheLevel

PAPER_CACHES = (CacheLevel("L1", 32 << 10, 2), CacheLevel("L2", 1 << 20, 2), CacheLevel("L3", 32 << 20))


@dataclass
class PaperProbes:
    """A machine that reaches exactly what it is told.

    `flops_per_s` by dtype is what one thread reaches with very many rows; r rows reach the part r ÷ (r + `half_rows`)
    of it and t threads t times as much, but only where the matrix is `best_width` wide, else half of it.
    `bytes_per_s` by level ('memory' is the last) is what one thread reads; an update in place moves `update` times that.
    `pace` multiplies the times of one timer call after the other, round and round. `reports_caches` says whether the machine reports
    its caches. After `interrupt_after` timer calls Ctrl-C is pressed.
    """

    flops_per_s: Mapping[str, float]
    bytes_per_s: Mapping[str, float]
    half_rows: float = 4.0
    best_width: int | None = None
    update: float = 0.5
    dispatch_ns: Mapping[str, int] = field(default_factory=lambda: {"add": 1000, "neg": 800})
    module_call_ns: int | None = 500
    launch_ns: int | None = None
    cycle_ns: int = 1_000_000
    pace: tuple[float, ...] = (1.0,)
    reports_caches: bool = True
    interrupt_after: int | None = None
    caches_here: tuple[CacheLevel, ...] = PAPER_CACHES
    clock: FakeClock = field(default_factory=FakeClock)
    machine: Machine = PAPER_MACHINE
    engine: str = "paper"
    calls: int = 0
    closed: bool = False

    @property
    def caches(self) -> tuple[CacheLevel, ...]:
        return self.caches_here if self.reports_caches else ()

    def item_bytes(self, dtype: str) -> int | None:
        if dtype not in self.flops_per_s:
            return None
        return 4 if dtype == "float32" else 2

    def product(self, dtype: str, rows: int, depth: int, width: int, threads: int) -> Timer:
        rate = self.flops_per_s[dtype] * rows / (rows + self.half_rows) * max(1, threads)
        if self.best_width is not None and width != self.best_width:
            rate /= 2
        return self._timer(2 * rows * depth * width / rate * NS_PER_S)

    def memory(self, access: Access, size: int, threads: int, *, private: bool) -> MemoryProbe | None:
        if access is Access.UPDATE and private:
            return None
        level = next((cache.name for cache in self.caches_here if size <= cache.capacity_bytes), "memory")
        rate = self.bytes_per_s[level] * max(1, threads) * (self.update if access is Access.UPDATE else 1.0)
        return MemoryProbe(self._timer(size / rate * NS_PER_S), size, access.value)

    def dispatch(self) -> dict[str, Timer]:
        return {name: self._timer(ns) for name, ns in self.dispatch_ns.items()}

    def module_call(self) -> Timer | None:
        return None if self.module_call_ns is None else self._timer(self.module_call_ns)

    def launch(self) -> Timer | None:
        return None if self.launch_ns is None else self._timer(self.launch_ns)

    def cycle(self, threads: int) -> Timer:
        return self._timer(self.cycle_ns)

    def close(self) -> None:
        self.closed = True

    def _timer(self, once_ns: float) -> Timer:
        def run(repetitions: int) -> int:
            if self.interrupt_after is not None and self.calls >= self.interrupt_after:
                raise KeyboardInterrupt
            elapsed = round(once_ns * repetitions * self.pace[self.calls % len(self.pace)])
            self.calls += 1
            self.clock.advance(elapsed)
            return elapsed

        return run
