"""From a trace to a cycle: its steps become samples of one graph, its events lanes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np

from cyclescope.core.cycle import Cycle, Source
from cyclescope.core.graph.graph import Graph
from cyclescope.core.lanes import LaneSamples, StepSpan
from cyclescope.core.message import Text
from cyclescope.core.samples import InstrumentedSamples, Load, Samples, SetUp, UninstrumentedSamples
from cyclescope.core.units import NS_PER_S, IntArray
from cyclescope.core.version import __version__
from cyclescope.importing.events import events_of
from cyclescope.importing.facts import facts_of
from cyclescope.importing.overlay import Laid, Overlay, calls_over, filled, lay
from cyclescope.importing.structure.calls import Call
from cyclescope.importing.structure.costs import Costs, costs_of
from cyclescope.importing.structure.graph import booked, graph_of
from cyclescope.importing.structure.labels import labels
from cyclescope.importing.structure.mainline import MainLine, choose_lane, main_line
from cyclescope.importing.structure.repetition import with_layers
from cyclescope.importing.structure.runs import Piece, boundaries, piece_of, repeated
from cyclescope.importing.structure.steps import Step, Windows, find_steps, whole, with_phases
from cyclescope.importing.trace import Trace
from cyclescope.importing.workload import OF_THE_REFERENCE, input_shape, machine_of, plan_of, workload_of

# Steps that agree must be so many of all to stand for the trace; else it is one sample with every step in it.
_LEAST_ALIKE = 0.5
_OF_ANYTHING = ("chrome", "jax")  # formats in which anything can run between operations


def imported_cycle(trace: Trace, name: str, overlay: Callable[[Cycle], Overlay] | None = None) -> Cycle:
    """The cycle that `trace` holds, called `name` where it names no model itself. `overlay` gives the model to be laid over it,
    by what is known without it.
    """
    events = events_of(trace)
    events = replace(events, main=choose_lane(events, events.rank))
    line = main_line(events, events.main)
    found = _samples(events, line)
    costs = costs_of(events, line, found.runs[-1].ops)
    bare = _Found([replace(run, calls=with_layers(events, run)) for run in found.runs], found.steps)
    cycle = _cycle(trace, events, bare, costs, name)
    if overlay is None:
        return cycle
    given = overlay(cycle)
    laid = lay(given, labels(events, found.runs[-1].ops), costs)
    over = [replace(run, calls=_calls(events, given, laid, run)) for run in found.runs]
    made = _cycle(trace, events, _Found(over, found.steps), filled(costs, given.graph, laid), name, laid.notes)
    known = replace(cycle.workload, model=given.model, task=given.task)
    return replace(made, workload=known)


def _calls(events: LaneSamples, overlay: Overlay, laid: Laid, run: Piece) -> list[Call]:
    return calls_over(overlay.graph, laid, run, events.begin_ns[run.ops], events.end_ns[run.ops])


def _cycle(
    trace: Trace, events: LaneSamples, found: _Found, costs: Costs, name: str, notes: Sequence[Text] = ()
) -> Cycle:
    graph = graph_of(events, found.runs[-1], costs, _device_ns(events, found.runs[-1]), notes)
    # An engine that runs a whole model calls the operations itself.
    graph = replace(graph, engine_between=trace.format not in (*OF_THE_REFERENCE, *_OF_ANYTHING))
    op = booked(events, found.runs)
    windows = np.asarray([(run.begin_ns, run.end_ns) for run in found.runs], dtype=np.int64).reshape(-1, 2)
    lanes = replace(events, op=op, windows_ns=windows, steps=(*found.steps, *_of_other_ranks(events)))
    lanes = replace(lanes, facts=facts_of(trace, lanes, graph, costs.shapeless))
    return Cycle(
        source=Source.IMPORTED,
        workload=workload_of(events, found.runs[-1].ops, graph, name),
        plan=plan_of(events, graph),
        machine=machine_of(events, dict(trace.properties)),
        graph=graph,
        samples=_timed(lanes, graph, found.runs),
        taken_at=_taken_at(trace),
        version=__version__,
        notes=(),
    )


@dataclass(frozen=True, eq=False)
class _Found:
    """The pieces that are samples, in order of time, and all steps."""

    runs: list[Piece]
    steps: tuple[StepSpan, ...]


def _samples(events: LaneSamples, line: MainLine) -> _Found:
    steps = find_steps(events, line)
    windows = _windows(events, line, steps)
    pieces = [piece_of(events, line, *bounds) for bounds in windows]
    steps = _phased(events, line, steps, windows)
    full = [number for number, piece in enumerate(pieces) if len(piece.ops)]
    if full:
        alike = [full[k] for k in repeated(events, [pieces[number] for number in full])]
        if len(alike) >= _LEAST_ALIKE * len(full) or len(full) == 1:
            row = {number: run for run, number in enumerate(alike)}
            return _Found([pieces[n] for n in alike], _spans(events.rank, steps, windows, row))
    bounds = Windows(events, line).of(whole(events, line), None)
    if windows:
        bounds = windows[0][0], max(end for _, end in windows)
    return _Found([piece_of(events, line, *bounds)], _spans(events.rank, steps, windows, dict.fromkeys(full, 0)))


def _windows(events: LaneSamples, line: MainLine, steps: Sequence[Step]) -> list[tuple[int, int]]:
    """The window of each of `steps`, none beyond the beginning of the next."""
    windows = Windows(events, line)
    return [
        windows.of(step, following.begin_ns if following else None)
        for step, following in zip(steps, [*steps[1:], None], strict=False)
    ]


def _phased(
    events: LaneSamples, line: MainLine, steps: Sequence[Step], windows: Sequence[tuple[int, int]]
) -> tuple[Step, ...]:
    """`steps` with the phases that follow from what each reads in its window."""
    ops = [line.ops[slice(*np.searchsorted(line.op_begin_ns, window))] for window in windows]
    return with_phases(steps, [input_shape(events, each) for each in ops])


def _of_other_ranks(events: LaneSamples) -> tuple[StepSpan, ...]:
    """The steps of all ranks but the one that is explained, numbered in their order."""
    found: tuple[StepSpan, ...] = ()
    for rank in sorted(set(events.lane_rank.tolist()) - {events.rank}):
        line = main_line(events, choose_lane(events, rank))
        steps = find_steps(events, line) or (whole(events, line),)
        windows = _windows(events, line, steps)
        rows = dict(enumerate(range(len(steps))))
        found += _spans(rank, _phased(events, line, steps, windows), windows, rows)
    return found


def _spans(
    rank: int, steps: Sequence[Step], windows: Sequence[tuple[int, int]], row: dict[int, int]
) -> tuple[StepSpan, ...]:
    return tuple(
        StepSpan(step.name, rank, begin, end, step.phase, row.get(n, -1), step.sequences, step.tokens)
        for n, (step, (begin, end)) in enumerate(zip(steps, windows, strict=True))
    )


def _device_ns(events: LaneSamples, piece: Piece) -> IntArray:
    """What devices work for each operation of `piece` [ops]."""
    op = booked(events, [piece])
    work = np.flatnonzero((op >= 0) & events.on_device)
    return np.bincount(op[work], events.duration_ns[work], len(piece.ops)).astype(np.int64)


def _timed(lanes: LaneSamples, graph: Graph, runs: Sequence[Piece]) -> Samples:
    begins, ends = lanes.windows_ns[:, 0], lanes.windows_ns[:, 1]
    none = np.zeros(len(runs), dtype=np.int64)
    stamps = boundaries(lanes, graph, runs)
    return Samples(
        uninstrumented=UninstrumentedSamples(ends - begins, none, begins),
        instrumented=InstrumentedSamples(stamps, none, begins),
        instrumentation=None,
        set_up=SetUp(),
        load=Load(),
        lanes=lanes,
    )


def _taken_at(trace: Trace) -> str:
    if not trace.epoch:
        return ""
    return datetime.fromtimestamp(trace.start_ns // NS_PER_S, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
