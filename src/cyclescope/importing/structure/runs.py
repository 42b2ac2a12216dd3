"""Steps that repeat as runs of one graph: the stamps of each, in the places that the graph gives them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cyclescope.core.graph.graph import Graph
from cyclescope.core.graph.slots import frame_stamps
from cyclescope.core.lanes import LaneSamples
from cyclescope.core.units import IntArray
from cyclescope.importing.structure.calls import Call, calls_of
from cyclescope.importing.structure.mainline import MainLine


@dataclass(frozen=True, eq=False)
class Piece:
    """What was asked for in one window of the lane: operations (positions in all events) and the calls around them."""

    begin_ns: int
    end_ns: int
    ops: IntArray
    calls: list[Call]

    def signature(self, events: LaneSamples) -> bytes:
        """Equal for pieces in which the same is asked for in the same order."""
        shape = [(call.parent, call.first_op, call.end_op) for call in self.calls]
        kinds = "\0".join(call.kind for call in self.calls[1:]).encode("utf-8", "replace")
        return events.name[self.ops].astype(np.int32).tobytes() + np.asarray(shape, dtype=np.int64).tobytes() + kinds


def piece_of(events: LaneSamples, line: MainLine, begin_ns: int, end_ns: int) -> Piece:
    """The piece `begin_ns` … `end_ns`, without the range that makes it a step."""
    ops = line.ops[slice(*np.searchsorted(line.op_begin_ns, [begin_ns, end_ns]))]
    rows = line.frames[slice(*np.searchsorted(line.frame_begin_ns, [begin_ns, end_ns]))]
    around = (events.begin_ns[rows] <= begin_ns) & (events.end_ns[rows] >= end_ns)
    return Piece(begin_ns, end_ns, ops, calls_of(events, rows[~around], ops, begin_ns, end_ns))


def repeated(events: LaneSamples, pieces: Sequence[Piece]) -> list[int]:
    """The largest group of equal pieces; of groups of one size that which takes the longest."""
    groups: dict[bytes, list[int]] = {}
    for number, piece in enumerate(pieces):
        groups.setdefault(piece.signature(events), []).append(number)
    return max(groups.values(), key=lambda g: (len(g), sum(pieces[n].end_ns - pieces[n].begin_ns for n in g)))


def boundaries(events: LaneSamples, graph: Graph, pieces: Sequence[Piece]) -> IntArray:
    """The stamps of runs of `graph` [pieces, slots + 1], each from its beginning. Where one reaches out of its place it is cut."""
    n = len(graph.slots)
    timed = [k for k, frame in enumerate(graph.frames) if frame.timed]
    _, entry, leave = frame_stamps(graph)
    of_frame = np.zeros(n + 1, dtype=bool)
    of_frame[entry[timed]] = of_frame[leave[timed]] = of_frame[0] = of_frame[n] = True
    places = np.flatnonzero(~of_frame)
    found = np.zeros((len(pieces), n + 1), dtype=np.int64)
    for run, piece in enumerate(pieces):
        stamps = found[run]
        stamps[entry[timed]] = [piece.calls[k].begin_ns for k in timed]
        stamps[leave[timed]] = [piece.calls[k].end_ns for k in timed]
        stamps[0], stamps[n] = piece.begin_ns, piece.end_ns
        stamps[places[::2]] = events.begin_ns[piece.ops]
        stamps[places[1::2]] = events.end_ns[piece.ops]
        # Where an operation outlasts the call around it, the call ends with it.
        stamps[:] = np.minimum(np.maximum.accumulate(stamps), piece.end_ns) - piece.begin_ns
    return found
