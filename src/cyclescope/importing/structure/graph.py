"""The graph of a piece of a trace: its operations and calls, what they cost, and the work of the device booked to them."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np

from cyclescope.core.graph.graph import Graph
from cyclescope.core.lanes import LaneSamples, narrow
from cyclescope.core.message import Text
from cyclescope.core.units import IntArray
from cyclescope.importing.structure.calls import frames_of, innermost
from cyclescope.importing.structure.costs import Costs
from cyclescope.importing.structure.labels import labels
from cyclescope.importing.structure.runs import Piece

_CAUSAL = 5  # query, key, value, mask, dropout, is_causal


def graph_of(events: LaneSamples, piece: Piece, costs: Costs, device_ns: IntArray, notes: Sequence[Text] = ()) -> Graph:
    """The graph of `piece`. `device_ns` [ops] is what the device works for each operation. Its tensors are unknown: a trace
    tells shapes, not which tensor is which.
    """
    calls = piece.calls
    op_frame = innermost(calls, len(piece.ops))
    weight = events.duration_ns[piece.ops] + device_ns + 1
    none = np.zeros(0, dtype=np.int64)
    offsets = np.zeros(len(piece.ops) + 1, dtype=np.int64)
    graph = Graph(
        names=tuple(labels(events, piece.ops)),
        kinds=costs.kinds,
        op_frame=op_frame,
        flops=costs.flops,
        elementwise_flops=costs.elementwise_flops,
        read_bytes=costs.read_bytes,
        written_bytes=costs.written_bytes,
        in_place=np.zeros(len(piece.ops), dtype=np.int64),
        input_offsets=offsets,
        inputs=none,
        output_offsets=offsets,
        outputs=none,
        tensors=(),
        frames=frames_of(calls, op_frame, weight, causal=_is_causal(events, piece)),
        notes=tuple(notes),
        unpriced=costs.unpriced,
    )
    graph.self_check()
    return graph


def _is_causal(events: LaneSamples, piece: Piece) -> bool:
    """Whether the attention of `piece` says that it is (the sixth argument of ATen’s)."""
    attention = [k for k, name in enumerate(events.names) if name == "aten::scaled_dot_product_attention"]
    rows = piece.ops[np.isin(events.name[piece.ops], attention)]
    if not len(rows) or events.detail[rows[0]] < 0:
        return False
    concrete = json.loads(events.details[events.detail[rows[0]]]).get("Concrete Inputs") or []
    return len(concrete) > _CAUSAL and concrete[_CAUSAL] == "True"


def booked(events: LaneSamples, pieces: Sequence[Piece]) -> IntArray:
    """The operation that every event is, lies in, or does the work of [n], −1: none. `pieces` are runs of one graph."""
    found = narrow(np.full(len(events), -1))
    for piece in pieces:
        if not len(piece.ops):
            continue
        lane = int(events.lane[piece.ops[0]])
        low, high = np.searchsorted(events.lane, [lane, lane + 1])
        begins, ends = events.begin_ns[piece.ops], events.end_ns[piece.ops]
        times = events.begin_ns[low:high]
        mine = low + np.arange(*np.searchsorted(times, [piece.begin_ns, piece.end_ns]))
        at = np.searchsorted(begins, events.begin_ns[mine], side="right") - 1
        inside = (at >= 0) & (events.begin_ns[mine] < np.maximum(ends, begins + 1)[np.maximum(at, 0)])
        # Calls of modules lie around operations, not in them, also where one begins at the same time.
        inside &= events.end_ns[mine] <= np.maximum(ends, begins + 1)[np.maximum(at, 0)]
        found[mine[inside]] = at[inside]
    work = np.flatnonzero(events.launch >= 0)
    found[work] = found[events.launch[work]]
    return found
