"""The roofline, as part of the document about a cycle."""

from __future__ import annotations

from pydantic import Field

from cyclescope.core.ceilings import Origin
from cyclescope.explaining.generation import Phase
from cyclescope.explaining.roofline import Bound, Roofline
from cyclescope.report.documents.figures import DocumentPart, Sourced, Text, seconds, sourced


class Use(DocumentPart):
    """A reached rate as a share of a ceiling; null where that ceiling, or the time, is unknown."""

    of_measured: float | None = Field(description="share of the ceiling measured on this machine")
    of_datasheet: float | None = Field(description="share of the ceiling that the datasheet states")


class MemoryLevel(DocumentPart):
    """One level of the memory, as fast as it can be with so many threads."""

    level: Text = Field(description="L1, L2, L3 or memory")
    capacity_bytes: int = Field(description="bytes that it holds, of a private cache those of one core; memory: 0")
    bandwidth: Sourced = Field(description="B/s")


class RooflineCeilings(DocumentPart):
    """The ceilings of the machine that the cycle is compared with."""

    origin: Origin
    machine: Text
    engine: Text = Field(description="empty for a datasheet")
    taken_at: Text = Field(description="UTC, ISO 8601; for a datasheet: when it was read")
    threads: int = Field(description="threads that the ceilings are for; 0: the whole device")
    peak: Sourced | None = Field(
        description="FLOP/s of the best matrix product in the plan's dtype; null where unknown"
    )
    levels: list[MemoryLevel]
    dispatch: Sourced | None = Field(description="s; least time to dispatch one operation; null where not measured")


class Gap(DocumentPart):
    """Operations added up, and how far they are from their floors. time_s = floor_s + gap_s."""

    name: Text = Field(description="place as in places; empty where the row is about one bound")
    bound: Bound = Field(description="what most of the time is bound by")
    level: Text = Field(description="level that most of their traffic comes from; empty for none")
    count: int = Field(description="number of operations")
    time_s: float = Field(description="s; sum of the operations' times")
    floor_s: float = Field(description="s; sum of min(time.value, floor_s) of the operations")
    gap_s: float = Field(description="s; sum of the operations' gap_s")


class PhaseUse(DocumentPart):
    """One phase of a generation in which the model runs."""

    name: Phase
    time_s: float = Field(description="s; time of the phase, Python included")
    flops: int = Field(description="FLOPs of matrix products and convolutions, two per multiply-add")
    memory_bytes: int = Field(description="bytes that must come from main memory or go there")
    mfu: Use
    mbu: Use


class RooflinePart(DocumentPart):
    """The cycle against the ceilings of its machine. total_s = floor_s + gap_s."""

    ceilings: RooflineCeilings
    floor_s: float = Field(description="s; sum of min(time.value, floor_s) of the operations, one after the other")
    gap_s: float = Field(description="s; sum of the operations' gap_s, and python_s")
    python_s: float = Field(description="s of Python between operations")
    total_s: float = Field(description="s; sum of the operations' times, and python_s")
    memory_bytes: int = Field(description="bytes that must come from main memory or go there, by reuse distance")
    mfu: Use = Field(description="model FLOPs ÷ (wall time × peak of matrix products)")
    mbu: Use = Field(description="memory_bytes ÷ (wall time × bandwidth of main memory)")
    faster_operations: int = Field(description="operations that took less than their floor: that ceiling is too low")
    faster_s: float = Field(description="s; sum of their times")
    places: list[Gap] = Field(description="by place, the widest gap first")
    bounds: list[Gap] = Field(description="by bound, for memory by level, the widest gap first")
    phases: list[PhaseUse] = Field(description="phases of a generation; empty where no text was written")


def roofline(found: Roofline, dtype: str) -> RooflinePart:
    """The part for a plan that computes in `dtype`."""
    known = found.ceilings
    levels = [MemoryLevel.of(row, bandwidth=sourced(row.bytes_per_s, "B/s")) for row in known.levels(found.threads)]
    return RooflinePart.of(
        found,
        ceilings=RooflineCeilings.of(
            known,
            threads=found.threads,
            peak=sourced(known.peak(dtype, found.threads), "FLOP/s"),
            levels=levels,
            dispatch=sourced(known.overheads.dispatch_ns, "s", 1e-9),
        ),
        floor_s=seconds(found.floor_total_ns),
        gap_s=seconds(found.gap_total_ns),
        memory_bytes=int(found.memory_bytes.sum()),
        faster_operations=found.faster,
        bounds=found.by_bound,
        phases=[PhaseUse.of(use, name=use.phase) for use in found.phases],
    )
