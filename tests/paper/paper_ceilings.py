"""Paper machines whose ceilings are planted, and kept ceilings of them."""

from __future__ import annotations

from dataclasses import replace

from cyclescope.backends.paper_probes import PaperProbes
from cyclescope.calibrating.probe_plan import ProbePlan
from cyclescope.core.ceilings import (
    BandwidthCeiling,
    Ceilings,
    Figure,
    Origin,
    Overheads,
    ProductCeiling,
)
from cyclescope.core.machine import Machine
from cyclescope.core.units import NS_PER_S
from cyclescope.machines.fingerprint import fingerprint

FLOPS = {"float32": 100e9, "bfloat16": 200e9}
BYTES = {"L1": 160e9, "L2": 80e9, "L3": 40e9, "memory": 10e9}
WANTED = ProbePlan(("float32", "bfloat16"), (1, 16, 256), (1, 2), 2 * NS_PER_S, NS_PER_S, 3)
TAKEN = "2026-01-01T00:00:00Z"


def probes(**changes: object) -> PaperProbes:
    """A machine that reaches `FLOPS` and `BYTES`."""
    return replace(PaperProbes(FLOPS, BYTES), **changes)  # type: ignore[arg-type]


def figure(value: float) -> Figure:
    return Figure(value, value * 0.9, value, 20, "a probe")


def ceilings_of(machine: Machine, engine: str = "torch", taken_at: str = TAKEN, value: float = 1e9) -> Ceilings:
    """Ceilings as `calibrate` keeps them."""
    return Ceilings(
        origin=Origin.MEASURED,
        machine=machine.processor,
        engine=engine,
        taken_at=taken_at,
        products=(
            ProductCeiling("float32", 1, 1, figure(value)),
            ProductCeiling("float32", 1, 2, figure(2 * value)),
            ProductCeiling("float32", 64, 1, figure(10 * value)),
            ProductCeiling("float32", 64, 2, figure(20 * value)),
        ),
        bandwidths=(
            BandwidthCeiling("L1", 32_000, 1, figure(100e9)),
            BandwidthCeiling("L1", 32_000, 2, figure(200e9)),
            BandwidthCeiling("memory", 0, 1, figure(20e9)),
            BandwidthCeiling("memory", 0, 2, figure(30e9)),
        ),
        overheads=Overheads(Figure(900.0, 900.0, 950.0, 20, "neg"), Figure(500.0, 500.0, 510.0, 20, "nothing"), None),
        noise=Figure(0.01, 0.008, 0.012, 500, "A/A"),
        fingerprint=fingerprint(machine, engine),
    )
