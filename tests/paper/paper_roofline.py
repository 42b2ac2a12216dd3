"""A machine on paper whose ceilings are round numbers, so that a floor can be worked out by hand."""

from __future__ import annotations

from dataclasses import replace

from cyclescope.core.ceilings import BandwidthCeiling, Ceilings, Figure, Origin, Overheads, ProductCeiling
from cyclescope.core.cycle import Cycle

KB = 1024
# Bytes that each level holds, and the nanoseconds that a kilobyte of it takes on one thread.
CAPACITY = {"L1": 4 * KB, "L2": 16 * KB, "L3": 64 * KB, "memory": 0}
NS_PER_KB = {"L1": 1, "L2": 2, "L3": 4, "memory": 10}
# FLOPs a nanosecond on one thread, by the smallest dimension.
FLOPS_PER_NS = {1: 1, 16: 10, 256: 100}
DISPATCH_NS = 50.0


def figure(value: float) -> Figure:
    return Figure(value, 0.99 * value, 1.01 * value, 20, "probe on paper")


def paper_ceilings(origin: Origin = Origin.MEASURED, *, faster: float = 1.0, dispatch: bool = True) -> Ceilings:
    """Measured on one and on two threads; two threads compute twice as much, and read memory no faster."""
    return Ceilings(
        origin=origin,
        machine="Paper Processor 2-core",
        engine="paper" if origin is Origin.MEASURED else "",
        taken_at="2026-01-02T00:00:00Z",
        products=tuple(
            ProductCeiling("float32", rows, threads, figure(faster * rate * threads * 1e9))
            for threads in (1, 2)
            for rows, rate in FLOPS_PER_NS.items()
        ),
        bandwidths=tuple(
            BandwidthCeiling(
                level,
                CAPACITY[level],
                threads,
                figure(faster * KB / ns * 1e9 * (1 if level == "memory" else threads)),
            )
            for threads in (1, 2)
            for level, ns in NS_PER_KB.items()
        ),
        overheads=Overheads(dispatch_ns=figure(DISPATCH_NS) if dispatch else None),
    )


def on_paper_machine(cycle: Cycle, ceilings: Ceilings | None = None) -> Cycle:
    """`cycle` on a machine that somebody had calibrated."""
    return replace(cycle, machine=replace(cycle.machine, ceilings=ceilings or paper_ceilings()))
