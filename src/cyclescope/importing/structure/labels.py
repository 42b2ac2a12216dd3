"""What the operations of a trace are called in a graph: by what is done, where a trace calls them by their place."""

from __future__ import annotations

import json
from typing import Any

from cyclescope.core.lanes import LaneSamples
from cyclescope.core.units import IntArray

# Facts of an event that say what is done, in the formats whose events are called by their place ("/layer.0/MatMul").
_TYPES = ("op_name", "node_type")


def record_of(events: LaneSamples, detail: int) -> dict[str, Any]:
    """The facts behind a position in `details`; empty for −1 and for what is no object."""
    if detail < 0:
        return {}
    try:
        found = json.loads(events.details[detail])
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def type_of(record: dict[str, Any]) -> str:
    """What is done, as the engine calls it; empty where the name of the event says so itself."""
    return next((str(record[key]) for key in _TYPES if record.get(key)), "")


def labels(events: LaneSamples, rows: IntArray) -> list[str]:
    """The name of each of `rows`: ATen's own without the space that all of them are in, others by what is done."""
    known: dict[int, str] = {}
    found = []
    for name, detail in zip(events.name[rows].tolist(), events.detail[rows].tolist(), strict=True):
        if detail not in known:
            known[detail] = type_of(record_of(events, detail))
        found.append(known[detail] or events.names[name].removeprefix("aten::"))
    return found
