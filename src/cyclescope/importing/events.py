"""From the columns of a trace to those of a cycle: sorted by lane, with every work of a device tied to its launch."""

from __future__ import annotations

import re

import numpy as np

from cyclescope.core.lanes import ArrowSamples, CounterSamples, EventKind, Lane, LaneSamples, narrow
from cyclescope.core.units import BoolArray, IntArray
from cyclescope.importing.nesting import order_of
from cyclescope.importing.trace import Kind, Place, Trace

_KINDS = {
    Kind.OPERATION: EventKind.OPERATION, Kind.PYTHON: EventKind.PYTHON, Kind.MODULE: EventKind.MODULE,
    Kind.ANNOTATION: EventKind.ANNOTATION, Kind.RUNTIME: EventKind.RUNTIME, Kind.OVERHEAD: EventKind.OTHER,
    Kind.SPAN: EventKind.OTHER, Kind.INSTANT: EventKind.INSTANT, Kind.KERNEL: EventKind.KERNEL, Kind.COPY: EventKind.COPY,
    Kind.SET: EventKind.SET, Kind.SYNC: EventKind.MARK, Kind.DEVICE_ANNOTATION: EventKind.MARK,
}  # fmt: skip
# Kernels of NCCL, RCCL, oneCCL, and of the all-reduces that vLLM, SGLang and TensorRT-LLM bring themselves.
_COMMUNICATION = re.compile(
    r"nccl|rccl|oneccl|all_?reduce|all_?gather|reduce_?scatter|all_?to_?all|cross_device_reduce|multimem_|nvshmem",
    re.IGNORECASE,
)
_WAIT = re.compile(
    r"(?:Device|Stream|Event|Ctx|Context)\w*Synchronize|^(?:cuda|hip|cu)Memcpy(?!\w*Async)|MemcpyWithStream"
)
_LAUNCH_ARROWS = ("ac2g", "async_gpu", "async_cpu_to_gpu")
_GRAPH = re.compile(r"GraphLaunch", re.IGNORECASE)


def events_of(trace: Trace) -> LaneSamples:
    """The events of `trace`, of which none is tied to an operation of a graph yet."""
    events = trace.events
    order = order_of(narrow(events.lane), events.begin_ns, events.end_ns)
    kind = _kinds(trace)[order]
    launch = _launches(trace, kind, order)
    name = narrow(events.name[order])
    is_graph = np.fromiter((bool(_GRAPH.search(text)) for text in trace.names), np.bool_, len(trace.names))
    captured = narrow(np.zeros(len(order)), np.int8)
    captured[launch >= 0] = is_graph[name[launch[launch >= 0]]]
    none = narrow(np.full(len(order), -1))
    return LaneSamples(
        format=trace.format,
        names=trace.names,
        details=tuple(raw.decode("utf-8", "replace") for raw in trace.details.raw),
        lanes=tuple(
            Lane(
                lane.rank,
                lane.process,
                lane.thread,
                lane.place is Place.DEVICE,
                lane.title,
                lane.process_title,
            )
            for lane in trace.lanes
        ),
        name=name,
        kind=kind,
        lane=narrow(events.lane[order]),
        begin_ns=events.begin_ns[order],
        duration_ns=events.duration_ns[order],
        launch=launch,
        op=none,
        detail=narrow(events.detail[order]),
        captured=captured,
        windows_ns=np.zeros((0, 2), dtype=np.int64),
        rank=min((lane.rank for lane in trace.lanes), default=0),
        correlation=events.correlation[order],
        external=events.external[order],
        counters=_counters(trace),
        arrows=_arrows(trace),
    )


def _counters(trace: Trace) -> CounterSamples | None:
    found = trace.counters
    if not len(found):
        return None
    return CounterSamples(narrow(found.name), narrow(found.series), narrow(found.lane), found.at_ns, found.value)


def _arrows(trace: Trace) -> ArrowSamples | None:
    """All but those from launches to their work, which follow from the events."""
    found = trace.flows
    launches = np.asarray([name in _LAUNCH_ARROWS for name in trace.names], dtype=bool)
    rows = np.flatnonzero(~launches[found.name]) if len(found) else np.zeros(0, dtype=np.int64)
    if not len(rows):
        return None
    return ArrowSamples(
        narrow(found.name[rows]),
        narrow(found.from_lane[rows]),
        found.begin_ns[rows],
        narrow(found.to_lane[rows]),
        found.end_ns[rows],
    )


def _kinds(trace: Trace) -> IntArray:
    """The kind of every event [n], as the trace orders them."""
    table = narrow(np.zeros(max(Kind) + 1), np.int8)
    for theirs, ours in _KINDS.items():
        table[theirs] = ours
    found = table[trace.events.kind]
    for kind, pattern, other in (
        (EventKind.KERNEL, _COMMUNICATION, EventKind.COMMUNICATION),
        (EventKind.RUNTIME, _WAIT, EventKind.SYNC),
    ):
        named = np.fromiter((bool(pattern.search(text)) for text in trace.names), np.bool_, len(trace.names))
        found[(found == kind) & named[trace.events.name]] = other
    return found


def _launches(trace: Trace, kind: IntArray, order: IntArray) -> IntArray:
    """The event that asked for each work of a device [n], −1: none is in the trace.

    By the correlation id; where that finds none, by the operation that both name.
    """
    events = trace.events
    ranks = np.asarray([lane.rank for lane in trace.lanes], dtype=np.int64)[events.lane[order]]
    device = np.isin(kind, (EventKind.KERNEL, EventKind.COMMUNICATION, EventKind.COPY, EventKind.SET))
    device &= np.asarray([lane.place is Place.DEVICE for lane in trace.lanes], dtype=bool)[events.lane[order]]
    found = narrow(np.full(len(order), -1))
    calls = np.isin(kind, (EventKind.RUNTIME, EventKind.SYNC))
    _match(found, device, calls, events.correlation[order], ranks)
    _match(found, device & (found < 0), kind == EventKind.OPERATION, events.external[order], ranks)
    return found


def _match(found: IntArray, wanted: BoolArray, offered: BoolArray, key: IntArray, rank: IntArray) -> None:
    """Enter in `found` the event among `offered` that has the key and the rank of each of `wanted`."""
    rows, calls = np.flatnonzero(wanted & (key >= 0)), np.flatnonzero(offered & (key >= 0))
    if not len(rows) or not len(calls):
        return
    ranks = int(rank.max()) + 1
    known = key[calls] * ranks + rank[calls]
    sort = np.argsort(known, kind="stable")
    asked = key[rows] * ranks + rank[rows]
    at = np.searchsorted(known[sort], asked, side="right") - 1
    hit = (at >= 0) & (known[sort][np.maximum(at, 0)] == asked)
    found[rows[hit]] = calls[sort][at[hit]]
