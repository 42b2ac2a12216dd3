"""The times of collectives by the figures of a machine, put into what a timing model says of all other operations."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from cyclescope.core.ceilings import Ceilings
from cyclescope.core.collectives import Collective, CollectiveKind, CollectiveTime, collective_time
from cyclescope.core.errors import Unsupported
from cyclescope.core.graph.graph import Graph
from cyclescope.core.message import Text, m
from cyclescope.core.units import FloatArray
from cyclescope.predicting.timing_model import Durations

_SD_OF_HALF_WIDTH = 1.645  # standard deviations that half of a 90 % interval is wide


@dataclass(frozen=True, eq=False)
class CollectiveTimes:
    """Of each collective of a graph, in its order: nanoseconds and the standard deviation of ln(true ÷ predicted) (NaN: unknown).

    A receive takes no time of its own: it lasts until the message is there.
    """

    ns: FloatArray
    spread: FloatArray
    notes: tuple[Text, ...] = ()


def collective_times(graph: Graph, machine: Ceilings) -> CollectiveTimes:
    """Raises `Unsupported` where the machine has no figure for one of them: which, and how to give it."""
    known: dict[tuple[CollectiveKind, int, int, int], CollectiveTime] = {}
    found = []
    for call in graph.collectives:
        key = (call.kind, call.ranks, call.message_bytes, call.hosts)
        if key not in known:
            time = collective_time(machine.collectives, machine.interconnects, call)
            if time is None:
                raise _unknown(call, machine)
            known[key] = time
        found.append(known[key])
    receive = np.asarray([call.kind is CollectiveKind.RECEIVE for call in graph.collectives], dtype=bool)
    ns = np.asarray([time.ns for time in found])
    spread = np.asarray([time.spread for time in found]) / _SD_OF_HALF_WIDTH
    return CollectiveTimes(np.where(receive, 0.0, ns), spread, _notes(list(known.values()), machine))


def _notes(times: list[CollectiveTime], machine: Ceilings) -> tuple[Text, ...]:
    sources = {(time.source, str(time.remark)): time for time in times if time.source}
    return tuple(
        m(
            "Collectives on {machine}: {source} ({remark}).",
            machine=machine.machine,
            source=time.source,
            remark=time.remark,
        )
        if time.remark
        else m("Collectives on {machine}: {source}.", machine=machine.machine, source=time.source)
        for time in sources.values()
    )


def _unknown(call: Collective, machine: Ceilings) -> Unsupported:
    across = call.hosts > 1
    return Unsupported(
        m("{machine} has no interconnect between hosts.", machine=machine.machine)
        if across
        else m("{machine} has no interconnect that joins {ranks} devices.", machine=machine.machine, ranks=call.ranks),
        m("How long {kind} takes there is unknown.", kind=call.kind.value),
        m(
            'Give it in a file with --machine: interconnects = [{{ name = "…", devices = {devices}, bytes_per_s = 50e9, source = "…" }}].',
            devices=0 if across else call.ranks,
        ),
    )


def with_collectives(durations: Durations, graph: Graph, machine: Ceilings) -> Durations:
    """`durations` of `graph`, of which a timing model knows all but its collectives, with these."""
    if not graph.collectives:
        return durations
    times = collective_times(graph, machine)
    slots = graph.slots.of_op[[call.op for call in graph.collectives]]
    slot_ns, spread = durations.slot_ns.copy(), durations.spread.copy()
    slot_ns[slots], spread[slots] = times.ns, times.spread
    return replace(durations, slot_ns=slot_ns, spread=spread, notes=(*durations.notes, *times.notes))
