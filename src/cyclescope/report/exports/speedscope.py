"""The exemplar cycle as an evented profile for speedscope (https://www.speedscope.app/file-format-schema.json)."""

from __future__ import annotations

import json
from typing import Any

from cyclescope.explaining.explanation import Explanation
from cyclescope.report.exports.nesting import label, nested
from cyclescope.report.names import printable

_SCHEMA = "https://www.speedscope.app/file-format-schema.json"


def to_speedscope(explanation: Explanation) -> str:
    """JSON with balanced opening and closing events in nanoseconds. A frame is a label in a module."""
    cycle = explanation.cycle
    frames: dict[tuple[str, str], int] = {}
    events: list[dict[str, Any]] = []
    open_spans: list[tuple[int, int]] = []  # (frame, end)

    def close_down_to(depth: int) -> None:
        while len(open_spans) > depth:
            frame, end = open_spans.pop()
            events.append({"type": "C", "frame": frame, "at": end})

    spans = nested(explanation.spans)
    for span in spans:
        close_down_to(span.depth)
        frame = frames.setdefault((printable(label(span)), printable(span.module)), len(frames))
        events.append({"type": "O", "frame": frame, "at": span.start_ns})
        open_spans.append((frame, span.start_ns + span.duration_ns))
    close_down_to(0)
    name = printable(cycle.workload.model.reference)
    profile = {
        "type": "evented",
        "name": name,
        "unit": "nanoseconds",
        "startValue": events[0]["at"] if events else 0,
        "endValue": events[-1]["at"] if events else 0,
        "events": events,
    }
    document = {
        "$schema": _SCHEMA,
        "exporter": f"cyclescope@{cycle.version}",
        "name": name,
        "activeProfileIndex": 0,
        "shared": {"frames": [{"name": text, "file": module} for text, module in frames]},
        "profiles": [profile],
    }
    return json.dumps(document, allow_nan=False)
