"""From the durations of a graph to the predicted cycle: scenarios in the place of runs, and what they rest on."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np

from cyclescope.core.cycle import Cycle, Source
from cyclescope.core.graph.graph import Graph
from cyclescope.core.graph.structure import SAMPLE, TOKENIZE
from cyclescope.core.machine import Machine
from cyclescope.core.message import Text, plural
from cyclescope.core.plan import Plan
from cyclescope.core.prediction import Alternative, Prediction
from cyclescope.core.samples import (
    InstrumentedSamples,
    Load,
    Samples,
    SetUp,
    TokenSamples,
    UninstrumentedSamples,
)
from cyclescope.core.spread import Spread
from cyclescope.core.units import FloatArray, IntArray
from cyclescope.core.version import __version__
from cyclescope.core.workload import Workload
from cyclescope.explaining.memory import memory
from cyclescope.predicting.scenarios import has_interval, scenarios, whole_cycles
from cyclescope.predicting.timing_model import Durations, TimingModel


def predicted_cycle(
    graph: Graph,
    workload: Workload,
    plan: Plan,
    machine: Machine,
    model: TimingModel,
    durations: Durations,
    *,
    alternatives: tuple[Alternative, ...] = (),
    notes: tuple[Text, ...] = (),
    spread: Spread | None = None,
    shift: float | None = None,
) -> Cycle:
    """The cycle that `model` predicts by `durations` of `graph`; that of one rank where the plan is `spread` over several, whose times
    have the `shift` by the median error in them already.
    """
    rows = scenarios(graph, durations)
    boundaries = _boundaries(rows)
    none = np.zeros(len(rows), dtype=np.int64)
    wall = boundaries[:, -1]
    unknown = np.flatnonzero(np.isnan(durations.slot_ns[graph.slots.of_op]))
    errors = durations.errors
    prediction = Prediction(
        timing_model=model.name,
        unseen=len(errors.cycles) if has_interval(errors) else 0,
        mean_error=mean_error(errors.cycles) if has_interval(errors) else None,
        errors_on=errors.on,
        errors_source=errors.source,
        repeat_error=errors.repeat_error,
        widening=durations.widening,
        shift=float(np.median(whole_cycles(durations))) if shift is None else shift,
        outside=durations.outside,
        missing_bytes=missing_bytes(graph, workload, machine) if spread is None else missing_of_ranks(spread),
        unknown_operations=tuple(unknown.tolist()),
        alternatives=alternatives,
        spread=spread,
    )
    samples = Samples(
        uninstrumented=UninstrumentedSamples(wall, none, none),
        instrumented=InstrumentedSamples(boundaries, none, none),
        instrumentation=None,
        set_up=SetUp(),
        load=Load(),
        tokens=_tokens(graph, boundaries),
        prediction=prediction,
    )
    return Cycle(
        source=Source.PREDICTED,
        workload=workload,
        plan=plan,
        machine=machine,
        graph=graph,
        samples=samples,
        taken_at=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        version=__version__,
        notes=(*notes, *durations.notes, *_untold(unknown)),
    )


def mean_error(errors: tuple[float, ...]) -> float:
    """The mean of |predicted − true| ÷ true, of ln(true ÷ predicted) with what they have in common taken out.

    The scenarios are centred on the median error, and so must be the error that is stated beside them.
    """
    off = np.asarray(errors) - np.median(errors)
    return float(np.abs(np.expm1(-off)).mean())


def missing_bytes(graph: Graph, workload: Workload, machine: Machine) -> int:
    """What the cycle holds at its peak beyond the memory of `machine`; 0 where it fits or either is unknown."""
    if not machine.memory_bytes:
        return 0
    held = memory(graph)
    weights = max(workload.model.parameter_bytes, held.computed.weights if held is not None else 0)
    needed = weights + (held.computed.peak - held.computed.weights if held is not None else 0)
    return max(0, needed - machine.memory_bytes)


def missing_of_ranks(spread: Spread) -> int:
    """What the fullest rank holds beyond its memory; 0 where it fits or either is unknown."""
    return max(0, spread.most_needed.needed_bytes - spread.memory_bytes) if spread.memory_bytes else 0


def _boundaries(rows: FloatArray) -> IntArray:
    """Whole nanoseconds at which each slot of each scenario begins and ends [scenarios, slots + 1]."""
    edges = np.concatenate([np.zeros((len(rows), 1)), np.cumsum(rows, axis=1)], axis=1)
    whole: IntArray = np.rint(edges).astype(np.int64)
    return whole


def _tokens(graph: Graph, boundaries: IntArray) -> TokenSamples | None:
    """When each token of a generation comes out: at the end of the last operation that chooses it."""
    slots = graph.slots
    steps = int(slots.step.max(initial=-1)) + 1
    chosen = slots.stage.where(lambda stage: stage == SAMPLE) & (slots.step >= 0)
    if not steps or not chosen.any():
        return None
    ends = np.zeros(steps, dtype=np.int64)
    np.maximum.at(ends, slots.step[chosen], np.flatnonzero(chosen) + 1)
    called = int(np.flatnonzero(~slots.stage.where(lambda stage: stage == TOKENIZE))[0])
    return TokenSamples(boundaries[:, ends], boundaries[:, called])


def _untold(unknown: IntArray) -> tuple[Text, ...]:
    if not len(unknown):
        return ()
    text = plural(
        "The time of {n} operation is unknown and not part of the prediction.",
        "The time of {n} operations is unknown and not part of the prediction.",
        len(unknown),
    )
    return (text,)
