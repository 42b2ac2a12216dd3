"""Durations laid on lanes: an engine that waits for each operation has one, a device has its own beside the host's.

Whatever predicts, here or in the script of a page (`whatif.js`), asks `lanes_of` which of the two it is.
"""

from __future__ import annotations

from enum import StrEnum

import numpy as np

from cyclescope.core.graph.slots import Slots
from cyclescope.core.plan import Plan
from cyclescope.core.units import FloatArray


class Lanes(StrEnum):
    """How the time of the host and that of the work of an operation come together."""

    ADDED = "added"  # one after the other: a processor computes nothing while it dispatches
    OVERLAPPED = "overlapped"  # side by side: `on_device`


def lanes_of(plan: Plan) -> Lanes:
    """The lanes that `plan` runs on."""
    return Lanes.ADDED if plan.device == "cpu" else Lanes.OVERLAPPED


def on_device(slots: Slots, host_ns: FloatArray, device_ns: FloatArray) -> FloatArray:
    """The line of time [slots] of a device that works while the host goes on, in the order in which it is given work.

    `host_ns` [slots] is what the host takes in each slot: to launch an operation, or for Python between two;
    `device_ns` [operations] what the device takes for each. An operation begins when it was launched and the one before it
    has ended, so that it takes max(kernel, launch) where launches are the bottleneck, and the kernel alone where the host
    is ahead. What the device waits is booked to the slot before the operation; what the host does behind the last operation
    overlaps with nothing.
    """
    op_slot = slots.of_op
    if not len(op_slot):
        return host_ns.copy()
    launched = np.cumsum(host_ns)[op_slot]
    done = np.cumsum(device_ns)
    # end_i = max(end_{i-1}, launched_i) + device_i, whose solution is a running maximum: max-plus algebra has no loop.
    end = np.maximum.accumulate(launched - (done - device_ns)) + done
    begin = end - device_ns
    waits = np.maximum(begin - np.concatenate([[0.0], end[:-1]]), 0.0)
    line = np.zeros(len(slots))
    line[op_slot] = device_ns
    line[op_slot - 1] = waits  # two operations never touch: there is a slot before each
    last = int(op_slot[-1])
    line[last + 1 :] = host_ns[last + 1 :]
    return line


def line_totals(
    slots: Slots, host_ns: FloatArray, device_ns: FloatArray, overhead: FloatArray | None = None
) -> FloatArray:
    """How long the line of `on_device` is [points], for `device_ns` [points, operations] of many cycles at once; in each the
    host takes `overhead` [points] times `host_ns` (once without it).
    """
    op_slot = slots.of_op
    by = np.ones(len(device_ns)) if overhead is None else overhead
    if not len(op_slot):
        nothing: FloatArray = host_ns.sum() * by
        return nothing
    launched = np.cumsum(host_ns)[op_slot]
    # From when an operation was launched, it and all behind it must still run: the worst of these decides.
    left = np.cumsum(device_ns[:, ::-1], axis=1)[:, ::-1]
    behind = host_ns[int(op_slot[-1]) + 1 :].sum()
    totals: FloatArray = (launched * by[:, None] + left).max(axis=1) + behind * by
    return totals
