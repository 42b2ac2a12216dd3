"""The exemplar cycle as Chrome trace events, for Perfetto, chrome://tracing and every other reader of that format.

Format: "Trace Event Format" (Google, docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU).
"""

from __future__ import annotations

import json
from typing import Any

from cyclescope.core.samples import Samples
from cyclescope.explaining.attribution import middle_one
from cyclescope.explaining.explanation import Explanation, Span
from cyclescope.report.exports.lanes import lane_events
from cyclescope.report.exports.nesting import label, nested
from cyclescope.report.names import printable

_NS_PER_US = 1000


def to_perfetto(explanation: Explanation) -> str:
    """JSON with one strictly nested track: module calls, operations and Python time, in µs to the nanosecond. Of an imported
    cycle all events of its trace follow, on strictly nested tracks too.

    Spans are pairs of begin and end, not complete events with a duration: a reader that adds a duration to a beginning in
    floating point finds neighbours that overlap by a rounding error, and nests them.
    """
    cycle = explanation.cycle
    events = [
        _event("M", "process_name", args={"name": printable(f"cyclescope: {cycle.workload.model.reference}")}),
        _event("M", "thread_name", args={"name": "cycle"}),
    ]
    begin_ns = 0
    if cycle.samples.lanes is not None:
        events += lane_events(cycle.samples.lanes)
        begin_ns = _exemplar_begin(cycle.samples)
    open_spans: list[Span] = []

    def close_down_to(depth: int) -> None:
        while len(open_spans) > depth:
            span = open_spans.pop()
            at = (begin_ns + span.start_ns + span.duration_ns) / _NS_PER_US
            events.append(_event("E", printable(label(span)), cat=span.kind, ts=at, args=_args(explanation, span)))

    for span in nested(explanation.spans):
        close_down_to(span.depth)
        at = (begin_ns + span.start_ns) / _NS_PER_US
        events.append(_event("B", printable(label(span)), cat=span.kind, ts=at, args=_args(explanation, span)))
        open_spans.append(span)
    close_down_to(0)
    document = {
        "traceEvents": events,
        "displayTimeUnit": "ns",
        "otherData": {"producer": f"cyclescope {cycle.version}", "taken_at": cycle.taken_at, "source": cycle.source},
    }
    return json.dumps(document, allow_nan=False)


def _exemplar_begin(samples: Samples) -> int:
    """When the run that is drawn begins in the trace: that of median length."""
    walls = samples.instrumented.wall_ns
    return int(samples.instrumented.started_ns[middle_one(walls)[0]]) if len(walls) else 0


def _event(phase: str, name: str, **more: Any) -> dict[str, Any]:
    return {"ph": phase, "name": name, "pid": 1, "tid": 1, **more}


def _args(explanation: Explanation, span: Span) -> dict[str, Any]:
    """What a viewer shows beside a span. Some match an end to its beginning by these, so both carry them."""
    args: dict[str, Any] = {"stage": span.stage, "module": printable(span.module)}
    if span.layer is not None:
        args["layer"] = span.layer
    if span.step >= 0:
        args["step"] = span.step
    if span.op >= 0:
        cost = explanation.cycle.graph.cost(span.op)
        args |= {
            "operation": span.op,
            "flops": cost.flops,
            "elementwise_flops": cost.elementwise_flops,
            "read_bytes": cost.read_bytes,
            "written_bytes": cost.written_bytes,
        }
    return args
