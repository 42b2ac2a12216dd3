"""The exemplar cycle as Chrome trace events, for Perfetto, chrome://tracing and whoever else reads that format.

Format: "Trace Event Format" (Google, docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU).
"""

from __future__ import annotations

import json
from typing import Any

from cyclescope.explain.explanation import Explanation, Span
from cyclescope.report.names import printable
from cyclescope.report.nesting import label, nested

_PROCESS, _THREAD = 1, 1
_NS_PER_US = 1000


def to_perfetto(explanation: Explanation) -> str:
    """JSON with one strictly nested track: module calls, operations and Python time, in µs to the nanosecond."""
    cycle = explanation.cycle
    events = [
        _metadata("process_name", f"cyclescope: {cycle.workload.model.reference}"),
        _metadata("thread_name", "cycle"),
        *(_event(explanation, span) for span in nested(explanation.spans)),
    ]
    document = {
        "traceEvents": events,
        "displayTimeUnit": "ns",
        "otherData": {"producer": f"cyclescope {cycle.version}", "taken_at": cycle.taken_at, "source": cycle.source},
    }
    return json.dumps(document, allow_nan=False)


def _metadata(what: str, name: str) -> dict[str, Any]:
    return {"ph": "M", "name": what, "pid": _PROCESS, "tid": _THREAD, "args": {"name": printable(name)}}


def _event(explanation: Explanation, span: Span) -> dict[str, Any]:
    args: dict[str, Any] = {"stage": span.stage, "module": printable(span.module)}
    if span.layer is not None:
        args["layer"] = span.layer
    if span.op >= 0:
        cost = explanation.cycle.graph.cost(span.op)
        args |= {
            "operation": span.op,
            "flops": cost.flops,
            "elementwise_flops": cost.elementwise_flops,
            "read_bytes": cost.read_bytes,
            "written_bytes": cost.written_bytes,
        }
    return {
        "ph": "X",
        "name": printable(label(span)),
        "cat": span.kind,
        "ts": span.start_ns / _NS_PER_US,
        "dur": span.duration_ns / _NS_PER_US,
        "pid": _PROCESS,
        "tid": _THREAD,
        "args": args,
    }
