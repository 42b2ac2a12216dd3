"""The roofline, as part of the document about a cycle."""

from __future__ import annotations

from typing import Any

from cyclescope.explaining.roofline import Gap, Roofline, Utilisation
from cyclescope.report.documents import schema as doc


def roofline_document(told: Roofline, dtype: str) -> doc.RooflineReport:
    """`told` as part of the public document; `dtype` is that of the plan."""
    known = told.ceilings
    peak, dispatch = known.peak(dtype, told.threads), known.overheads.dispatch_ns
    return doc.RooflineReport(
        ceilings=doc.CeilingsReport(
            origin=known.origin.value,
            machine=known.machine,
            engine=known.engine,
            taken_at=known.taken_at,
            threads=told.threads,
            peak_flops_per_s=peak.value if peak else None,
            levels=[
                doc.MemoryLevel(level=row.level, capacity_bytes=row.capacity_bytes, bytes_per_s=row.bytes_per_s.value)
                for row in known.levels(told.threads)
            ],
            dispatch_ns=dispatch.value if dispatch else None,
        ),
        floor_ns=told.floor_total_ns,
        gap_ns=told.gap_total_ns,
        python_ns=told.python_ns,
        total_ns=told.total_ns,
        memory_bytes=int(told.memory_bytes.sum()),
        mfu=_utilisation(told.mfu),
        mbu=_utilisation(told.mbu),
        faster_operations=told.faster,
        faster_ns=told.faster_ns,
        places=[_gap_document(row) for row in told.places],
        bounds=[_gap_document(row) for row in told.by_bound],
        phases=[
            doc.PhaseUtilisation(
                name=use.phase.value,
                time_ns=use.time_ns,
                flops=use.flops,
                memory_bytes=use.memory_bytes,
                mfu=_utilisation(use.mfu),
                mbu=_utilisation(use.mbu),
            )
            for use in told.phases
        ],
    )


def operation_limits(told: Roofline | None, op: int) -> dict[str, Any]:
    """The fields of an operation in the document that are about its ceiling; none where none is known."""
    if told is None:
        return {}
    return {
        "bound": told.bounds[op].value,
        "level": told.levels[op],
        "floor_ns": float(told.floor_ns[op]),
        "gap_ns": float(told.gap_ns[op]),
    }


def _utilisation(used: Utilisation) -> doc.Use:
    return doc.Use(of_measured=used.of_measured, of_datasheet=used.of_datasheet)


def _gap_document(row: Gap) -> doc.GapLine:
    return doc.GapLine(
        name=row.name,
        bound=row.bound.value,
        level=row.level,
        count=row.count,
        time_ns=row.time_ns,
        floor_ns=row.floor_ns,
        gap_ns=row.gap_ns,
    )
