"""The device's line of time, as part of the document about a cycle."""

from __future__ import annotations

import numpy as np

from cyclescope.explaining.device import DeviceLine, DeviceRow
from cyclescope.report import format as fmt
from cyclescope.report.documents import schema as doc


def device_document(told: DeviceLine) -> doc.DeviceReport:
    """`told` as part of the public document."""
    known = told.of_wall.n > 0
    low, high = fmt.ends(told.of_wall)
    return doc.DeviceReport(
        pace=told.pace.value,
        span_ns=told.span_ns,
        busy_ns=float(told.busy_ns.sum()),
        unclear_ns=float(told.unclear_ns.sum()),
        idle_ns=told.idle_total_ns,
        tail_ns=told.tail_ns,
        of_wall=told.of_wall.value if known else None,
        of_wall_low=low,
        of_wall_high=high,
        marks_ns=told.marks_ns,
        runs=told.runs,
        held_runs=told.held,
        operations_working=told.working,
        operations_starved=told.starved,
        ahead_ns=told.ahead_ns,
        waits=np.flatnonzero(told.waits).tolist(),
        waited_ns=told.waited_ns,
        end_wait_ns=told.end_wait_ns,
        stages=[_document(row) for row in told.stages],
        places=[_document(row) for row in told.places],
        operation_busy_ns=told.busy_ns.tolist(),
        operation_unclear_ns=told.unclear_ns.tolist(),
        operation_idle_ns=told.idle_ns.tolist(),
        operation_queue_ns=told.queue_ns.tolist(),
    )


def _document(row: DeviceRow) -> doc.DeviceLineRow:
    return doc.DeviceLineRow(
        name=row.name,
        count=row.count,
        busy_ns=row.busy_ns,
        unclear_ns=row.unclear_ns,
        idle_ns=row.idle_ns,
        queue_ns=row.queue_ns,
    )
