"""The device's timeline, as part of the document about a cycle."""

from __future__ import annotations

import numpy as np
from pydantic import Field

from cyclescope.core.units import FloatArray
from cyclescope.explaining.device import DeviceLine, Pace
from cyclescope.report.documents.figures import DocumentPart, Ratio, Text, ratio, seconds


class DeviceRow(DocumentPart):
    """Operations of one stage, or of one place in every layer, on the device's timeline."""

    name: Text
    count: int = Field(description="operations added up here")
    busy_s: float = Field(description="s; the device works for them")
    unclear_s: float = Field(description="s; work and waiting cannot be separated")
    idle_s: float = Field(description="s; it waits for the host to launch them")
    queue_s: float = Field(description="s; how far the host was ahead of them on average")


class DevicePart(DocumentPart):
    """When the device works, and when it waits for the host; the cost of the marks is subtracted."""

    pace: Pace = Field(description="what decides how long the cycle takes")
    span_s: float = Field(description="s; busy + unclear + idle, to the end of the device's work")
    busy_s: float = Field(description="s; the device works")
    unclear_s: float = Field(
        description="s in operations that the host was never ahead of: work and waiting cannot be separated"
    )
    idle_s: float = Field(description="s; the device waits for the host, tail_s included")
    tail_s: float = Field(description="s from its last operation to the end")
    of_wall: Ratio | None = Field(description="span_s ÷ wall; null where no wall was measured")
    marks_s: float = Field(description="s that the marks took, already subtracted")
    runs: int = Field(description="unmodified runs behind the means")
    held_runs: int = Field(description="runs in which the host was made to run ahead")
    operations_working: int = Field(description="operations that the device works for")
    operations_starved: int = Field(description="those that reach it when it has nothing left to do")
    ahead_s: float = Field(description="s; how far the host was ahead of operations_working on average")
    waits: list[int] = Field(description="rows in the graph of the operations in which the host waits for the device")
    waited_s: float = Field(description="s in these operations, on the host")
    end_wait_s: float = Field(description="s that the host waits at the end of the cycle")
    stages: list[DeviceRow]
    places: list[DeviceRow] = Field(description="the costliest first")
    operation_busy_s: list[float] = Field(description="s; of operation i of the graph")
    operation_unclear_s: list[float] = Field(description="s; of operation i of the graph")
    operation_idle_s: list[float] = Field(description="s; of operation i of the graph")
    operation_queue_s: list[float] = Field(description="s; how far the host was ahead of operation i")


def device(found: DeviceLine) -> DevicePart:
    return DevicePart.of(
        found,
        busy_s=seconds(float(found.busy_ns.sum())),
        unclear_s=seconds(float(found.unclear_ns.sum())),
        idle_s=seconds(found.idle_total_ns),
        of_wall=ratio(found.of_wall) if found.of_wall.n > 0 else None,
        held_runs=found.held,
        operations_working=found.working,
        operations_starved=found.starved,
        waits=np.flatnonzero(found.waits).tolist(),
        operation_busy_s=_each(found.busy_ns),
        operation_unclear_s=_each(found.unclear_ns),
        operation_idle_s=_each(found.idle_ns),
        operation_queue_s=_each(found.queue_ns),
    )


def _each(ns: FloatArray) -> list[float]:
    return [seconds(each) for each in ns.tolist()]
