"""The document about a cycle: what `cyclescope measure --json` and `cyclescope show --json` print."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from cyclescope.core.cycle import Cycle, Source
from cyclescope.core.spread import Spread
from cyclescope.explaining.explanation import Explanation
from cyclescope.report.documents.cycle import parts
from cyclescope.report.documents.cycle.arrangement import ArrangementPart, arrangement
from cyclescope.report.documents.cycle.device import DevicePart, device
from cyclescope.report.documents.cycle.experts import Experts, experts
from cyclescope.report.documents.cycle.findings import FindingPart, finding, warning
from cyclescope.report.documents.cycle.generation import GenerationPart, generation
from cyclescope.report.documents.cycle.lanes import LanesPart, lanes
from cyclescope.report.documents.cycle.memory import MemoryPart, memory
from cyclescope.report.documents.cycle.roofline import RooflinePart, roofline
from cyclescope.report.documents.cycle.tasks import Division, Throughput, division, throughput
from cyclescope.report.documents.figures import (
    Document,
    DocumentPart,
    Figure,
    Text,
    WarningPart,
    schema_field,
    seconds,
    time,
)
from cyclescope.report.documents.run import Host, Plan, Workload
from cyclescope.report.naming.answer import answer
from cyclescope.report.naming.predicting import figures_from, is_predicted
from cyclescope.report.sections.opening import remarks


class SetUp(DocumentPart):
    """What is paid once, before the steady state; null where it did not happen in this process. Not part of the cycle."""

    import_s: float | None = Field(description="s; importing the framework")
    load_s: float | None = Field(description="s; building the model and reading its weights")
    trace_s: float | None = Field(description="s; tracing the graph")
    first_cycle_s: float | None = Field(description="s; the very first cycle")
    warmup_s: float = Field(description="s; all warm-up cycles together")
    warmup_cycles: int = Field(description="number of warm-up cycles")
    steady: bool = Field(description="whether a steady state was reached")


class AlternativePart(DocumentPart):
    """What another timing model says of the same cycle."""

    timing_model: Text
    wall_s: float = Field(description="s")
    mean_error: float | None = Field(description="share; on unseen cycles; null: unknown")


class StagePart(DocumentPart):
    """One stage of a pipeline, on each of its ranks; work, communication and waiting add up to the whole."""

    layers: int = Field(description="number of layers of the model")
    work_s: float = Field(description="s")
    collective_s: float = Field(description="s; moving bytes to other ranks")
    waiting_s: float = Field(description="s; for other stages")
    weights_bytes: int = Field(description="bytes")
    cache_bytes: int = Field(description="bytes; of all microbatches")
    activation_bytes: int = Field(description="bytes; inputs and buffers included")


class SpreadPart(DocumentPart):
    """All ranks of a spread plan; the cycle is that of a rank of stage `shown`."""

    shown: int = Field(description="from 0")
    hosts: int = Field(description="number of hosts that hold all ranks")
    devices_per_host: int = Field(description="0: as many as there are")
    memory_bytes: int = Field(description="bytes of each rank; 0: unknown")
    communication: float = Field(description="share of the cycle, on the stage where it is largest")
    bubble: float = Field(description="share of the time of all stages that they wait for each other")
    fits: bool | None = Field(description="whether every rank holds what it needs; null: unknown")
    stages: list[StagePart]


class PredictionPart(DocumentPart):
    """What the times of a predicted cycle rest on."""

    timing_model: Text = Field(description="analytic, learned, graph-network or hybrid")
    coverage: float = Field(description="share of such cycles that every interval is meant to hold")
    unseen: int = Field(description="cycles that the model was not fitted on and was held against; 0: no interval")
    mean_error: float | None = Field(description="share; mean of |predicted − true| ÷ true on them; null: unknown")
    errors_on: Text = Field(description="what they were")
    errors_source: Text = Field(description="the command or the file that found the errors")
    repeat_error: float | None = Field(description="share by which two measurements of one differ; null: unknown")
    widening: float = Field(description="factor by which intervals are wider for what lies outside")
    outside: list[Text] = Field(description="what lies outside of what the model has seen")
    missing_bytes: int = Field(description="bytes that the machine lacks to hold the cycle; 0: it fits, or unknown")
    unknown_operations: list[int] = Field(description="operations without a time, by their row")
    alternatives: list[AlternativePart]
    figures_from: Text = Field(description="where the figures of the machine come from, in English")
    spread: SpreadPart | None = Field(default=None, description="null for a plan of one rank")


class CycleDocument(Document):
    """Everything that is known about one compute cycle."""

    schema_: Literal["cyclescope/cycle-report/2"] = schema_field("cyclescope/cycle-report/2")
    version: Text = Field(description="version of cyclescope that took the cycle")
    source: Source
    taken_at: Text = Field(description="UTC, ISO 8601")
    partial: bool = Field(description="whether the measurement was interrupted")
    imported: LanesPart | None = Field(
        default=None, description="what a trace holds, and what was lost of it; null for a cycle that was not imported"
    )
    answer: Text = Field(description="one sentence in English: where the time goes")
    wall: Figure | None = Field(
        description="wall time of whole cycles, text in to text out, without instrumentation; null where not measured"
    )
    cpu: Figure | None = Field(description="processor time of all threads of the process in the same cycles")
    minimum_s: float | None = Field(description="s; shortest cycle")
    stages: list[parts.Stage]
    layers: list[parts.Layer]
    operations: list[parts.Operation]
    kinds: list[parts.Group] = Field(description="operations added up by kind")
    places: list[parts.Group] = Field(description="operations added up by their place, the same in every layer")
    unpriced_operations: int = Field(description="operations whose FLOPs are unknown; FLOPs are then lower bounds")
    closure: parts.Account | None = Field(description="null for a predicted cycle, which has no account to close")
    workload: Workload
    plan: Plan
    machine: Host
    set_up: SetUp | None = Field(description="null for a cycle that did not run here")
    warnings: list[WarningPart]
    findings: list[FindingPart] = Field(description="the most promising first, those that only inform last")
    notes: list[Text] = Field(description="facts that a reader of the figures must know")
    generation: GenerationPart | None = Field(description="null for a cycle that wrote no text")
    throughput: Throughput | None = Field(description="null for a cycle that wrote text")
    division: Division | None = Field(description="null where no encoder ran or no text was written")
    memory: MemoryPart | None = Field(description="null for a cycle without operations")
    arrangement: ArrangementPart | None = Field(description="null where no operation was timed")
    experts: list[Experts] = Field(description="of a mixture of experts, by layer; empty for any other model")
    roofline: RooflinePart | None = Field(description="null where no ceilings are known, or no operation was timed")
    device: DevicePart | None = Field(description="null where no device was marked, as on a CPU")
    prediction: PredictionPart | None = Field(default=None, description="null for a cycle that was not predicted")


def cycle_document(explanation: Explanation) -> CycleDocument:
    """`explanation` as the public document."""
    cycle, found = explanation.cycle, explanation
    measured = found.wall.n > 0
    timed = measured and not is_predicted(cycle)
    own = timed and found.lanes is None  # by a run of ours
    return CycleDocument.of(
        cycle,
        answer=str(answer(found)),
        wall=time(found.wall) if measured else None,
        imported=lanes(found.lanes) if found.lanes is not None else None,
        cpu=time(found.cpu) if own else None,
        minimum_s=seconds(found.minimum_ns) if timed else None,
        stages=[parts.stage(row) for row in found.stages],
        layers=[parts.layer(row) for row in found.layers],
        operations=[parts.operation(row, found) for row in found.operations],
        kinds=[parts.group(row) for row in found.kinds],
        places=[parts.group(row) for row in found.places],
        unpriced_operations=len(cycle.graph.unpriced),
        closure=None if is_predicted(cycle) else parts.account(found.closure),
        set_up=None if is_predicted(cycle) or found.lanes is not None else cycle.samples.set_up,
        warnings=[warning(each) for each in found.warnings],
        findings=[finding(each, cycle.graph) for each in found.findings],
        notes=list(map(str, remarks(cycle))),
        generation=generation(found.generation) if found.generation else None,
        throughput=throughput(found),
        division=division(found),
        memory=memory(found.memory, cycle.graph) if found.memory else None,
        arrangement=arrangement(found.arrangement) if found.arrangement else None,
        experts=experts(cycle.graph),
        roofline=roofline(found.roofline, cycle.plan.dtype) if found.roofline else None,
        device=device(found.device) if found.device else None,
        prediction=_prediction(cycle),
    )


def _prediction(cycle: Cycle) -> PredictionPart | None:
    made, ceilings = cycle.samples.prediction, cycle.machine.ceilings
    if made is None:
        return None
    return PredictionPart.of(
        made,
        errors_on=str(made.errors_on),
        outside=list(map(str, made.outside)),
        unknown_operations=list(made.unknown_operations),
        figures_from=str(figures_from(ceilings)) if ceilings is not None else "",
        spread=_spread(made.spread) if made.spread is not None else None,
    )


def _spread(spread: Spread) -> SpreadPart:
    stages = [
        StagePart(
            layers=stage.layers,
            work_s=seconds(stage.work_ns),
            collective_s=seconds(stage.collective_ns),
            waiting_s=seconds(stage.waiting_ns),
            weights_bytes=stage.weights_bytes,
            cache_bytes=stage.cache_bytes,
            activation_bytes=stage.activation_bytes,
        )
        for stage in spread.stages
    ]
    return SpreadPart.of(
        spread, communication=spread.communication, bubble=spread.bubble, fits=spread.fits, stages=stages
    )
