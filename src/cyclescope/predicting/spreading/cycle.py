"""The predicted cycle of one rank of a spread plan, with the account of all stages."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from cyclescope.core.collectives import devices_of_host
from cyclescope.core.cycle import Cycle
from cyclescope.core.errors import Unsupported
from cyclescope.core.graph.graph import Graph
from cyclescope.core.message import m
from cyclescope.core.plan import REFERENCE_ENGINE, Plan
from cyclescope.core.spread import Spread, StageAccount, hosts_of
from cyclescope.core.units import FloatArray
from cyclescope.core.workload import Workload
from cyclescope.explaining.memory import memory
from cyclescope.predicting.prediction import predicted_cycle
from cyclescope.predicting.scenarios import has_interval
from cyclescope.predicting.spreading.pipelining import Timetable, timetable
from cyclescope.predicting.spreading.stages import Pipeline, RankGraph, Units, balanced
from cyclescope.predicting.spreading.tensor import tensor_parallel
from cyclescope.predicting.spreading.timing import with_collectives
from cyclescope.predicting.target import Target
from cyclescope.predicting.timing_model import Durations, KeptOutErrors, TimingModel


@dataclass(frozen=True, eq=False)
class _Stage:
    """One stage for one microbatch: its rank's graph, what a timing model says of it, and time by pieces [passes]."""

    rank: RankGraph
    errors: KeptOutErrors
    durations: Durations
    work: FloatArray
    sends: FloatArray
    moving: float


def spread_cycle(
    graph: Graph, workload: Workload, plan: Plan, found: Target, choose: Callable[[Graph], TimingModel]
) -> Cycle:
    """The cycle of a rank of the last stage, where the result comes out. `graph` is that of one microbatch on one device;
    `choose` gives the timing model for the graph of one rank.

    Raises `Unsupported` where the model cannot be split so, and where the machine has no figures for what ranks send.
    """
    if plan.engine != REFERENCE_ENGINE:
        raise Unsupported(
            m(
                "A spread plan is predicted for {engine} only (got {other}).",
                engine=REFERENCE_ENGINE,
                other=plan.engine,
            ),
            m("Other engines run a model as a whole."),
            m("Remove --engine, or --tensor and --pipeline."),
        )
    each = devices_of_host(found.ceilings.collectives, found.ceilings.interconnects) if found.device != "cpu" else 0
    part = tensor_parallel(graph, plan.tensor, hosts_of(0, plan.tensor, each))
    model = choose(part)
    pipeline = _pipeline(part, plan, model, found, each)
    stages = [_stage(pipeline.rank_graph(k), model, plan, found) for k in range(pipeline.stages)]
    table, shown = _timetable(stages, plan.microbatches), pipeline.stages - 1
    rank, durations = stages[shown].rank, stages[shown].durations
    if plan.microbatches > 1:
        several = _stage(pipeline.rank_graph(shown, plan.microbatches), model, plan, found)
        rank, durations = several.rank, several.durations
    accounts = tuple(_account(k, stages[k], pipeline, table, plan.microbatches) for k in range(pipeline.stages))
    spread = Spread(accounts, shown, hosts_of(0, plan.ranks, each), each, found.machine.memory_bytes)
    durations = _waiting(durations, rank, table, shown)
    return predicted_cycle(
        rank.graph,
        workload,
        plan,
        found.machine,
        model,
        durations,
        notes=found.notes,
        spread=spread,
        shift=_shift(stages[shown].errors),
    )


def _pipeline(part: Graph, plan: Plan, model: TimingModel, found: Target, each: int) -> Pipeline:
    """The stages, cut where the times of one microbatch balance."""
    units = Units.of(part)
    if plan.pipeline > max(1, units.count):
        raise Unsupported(
            m(
                "--pipeline must be at most the number of layers, {layers} (got {stages}).",
                layers=units.count,
                stages=plan.pipeline,
            ),
            m("A stage has one layer or more."),
            m("Use --tensor or --data for more ranks."),
        )
    if plan.pipeline == 1:
        return Pipeline(units, (0,), plan.tensor, each)
    durations = with_collectives(model.predict(part, plan, found.ceilings), part, found.ceilings)
    op_ns = np.nan_to_num(durations.slot_ns[part.slots.of_op], nan=0.0)
    return Pipeline(units, balanced(units.times(op_ns), plan.pipeline), plan.tensor, each)


def _stage(rank: RankGraph, model: TimingModel, plan: Plan, found: Target) -> _Stage:
    graph = rank.graph
    plain = model.predict(graph, plan, found.ceilings)
    said = with_collectives(_moved(plain), graph, found.ceilings)
    slot_ns = np.nan_to_num(said.slot_ns, nan=0.0)
    # What passes between two operations belongs to the piece of the one behind it.
    upcoming = np.minimum(np.cumsum(graph.slots.op >= 0) - (graph.slots.op >= 0), len(graph) - 1)
    pieces = int(rank.piece.max(initial=0)) + 1
    work = np.bincount(rank.piece[upcoming], slot_ns, minlength=pieces).astype(np.float64)
    sends = np.full(pieces, np.nan)
    op_slot = graph.slots.of_op
    for piece, op in rank.sends.items():
        sends[piece] = slot_ns[op_slot[op]]
        work[piece] -= sends[piece]
    calls = np.asarray([call.op for call in graph.collectives], dtype=np.int64)
    return _Stage(rank, plain.errors, said, work, sends, float(slot_ns[op_slot[calls]].sum()))


def _shift(errors: KeptOutErrors) -> float:
    """The factor by which the median error on what was unseen moves times of work."""
    return float(np.exp(np.median(errors.cycles))) if has_interval(errors) else 1.0


def _moved(durations: Durations) -> Durations:
    """`durations` with the median of the errors in its times: it is one of work, which what ranks send has no part in."""
    errors = durations.errors
    if not has_interval(errors):
        return durations
    median = math.log(_shift(errors))
    centred = KeptOutErrors(
        tuple(error - median for error in errors.cycles),
        tuple(error - median for error in errors.operations),
        errors.on,
        errors.source,
        errors.repeat_error,
    )
    return replace(durations, slot_ns=durations.slot_ns * np.exp(median), errors=centred)


def _timetable(stages: list[_Stage], copies: int) -> Timetable:
    """The timetable of all stages; every microbatch takes what one does."""
    pieces = max(len(stage.work) for stage in stages)

    def rows(columns: list[FloatArray], otherwise: float) -> FloatArray:
        found = np.full((len(columns), pieces), otherwise)
        for k, column in enumerate(columns):
            found[k, : len(column)] = column
        return np.repeat(found, copies, axis=1)

    return timetable(rows([s.work for s in stages], 0.0), rows([s.sends for s in stages], np.nan), copies)


def _account(k: int, stage: _Stage, pipeline: Pipeline, table: Timetable, copies: int) -> StageAccount:
    held = memory(stage.rank.graph)
    moving = stage.moving * copies
    idle = float(table.idle()[k])
    begins = (*pipeline.begins, pipeline.units.count)
    return StageAccount(
        layers=begins[k + 1] - begins[k],
        work_ns=max(0.0, table.whole - moving - idle),
        collective_ns=moving,
        waiting_ns=idle,
        weights_bytes=held.computed.weights if held is not None else 0,
        cache_bytes=int(held.computed.cache.max()) * copies if held is not None else 0,
        activation_bytes=int(held.computed.activations.max()) + held.computed.buffers + held.computed.inputs * copies
        if held is not None
        else 0,
    )


def _waiting(durations: Durations, rank: RankGraph, table: Timetable, shown: int) -> Durations:
    """What each receive of the shown rank waits for its message, and the end of other stages behind its last operation."""
    slot_ns = durations.slot_ns.copy()
    op_slot = rank.graph.slots.of_op
    for piece, op in rank.receives.items():
        slot_ns[op_slot[op]] = table.waits[shown, piece]
    slot_ns[-1] += table.whole - float(table.ends[shown])
    return replace(durations, slot_ns=slot_ns)
