"""The document about a cycle: what `cyclescope measure --json` and `cyclescope show --json` print."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from cyclescope.core.cycle import Source
from cyclescope.explaining.explanation import Explanation
from cyclescope.report.documents.cycle import parts
from cyclescope.report.documents.cycle.arrangement import ArrangementPart, arrangement
from cyclescope.report.documents.cycle.device import DevicePart, device
from cyclescope.report.documents.cycle.experts import Experts, experts
from cyclescope.report.documents.cycle.findings import FindingPart, finding, warning
from cyclescope.report.documents.cycle.generation import GenerationPart, generation
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


class CycleDocument(Document):
    """Everything that is known about one compute cycle."""

    schema_: Literal["cyclescope/cycle-report/2"] = schema_field("cyclescope/cycle-report/2")
    version: Text = Field(description="version of cyclescope that took the cycle")
    source: Source
    taken_at: Text = Field(description="UTC, ISO 8601")
    partial: bool = Field(description="whether the measurement was interrupted")
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
    closure: parts.Account
    workload: Workload
    plan: Plan
    machine: Host
    set_up: SetUp
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


def cycle_document(explanation: Explanation) -> CycleDocument:
    """`explanation` as the public document."""
    cycle, found = explanation.cycle, explanation
    measured = found.wall.n > 0
    return CycleDocument.of(
        cycle,
        answer=str(answer(found)),
        wall=time(found.wall) if measured else None,
        cpu=time(found.cpu) if measured else None,
        minimum_s=seconds(found.minimum_ns) if measured else None,
        stages=[parts.stage(row) for row in found.stages],
        layers=[parts.layer(row) for row in found.layers],
        operations=[parts.operation(row, found) for row in found.operations],
        kinds=[parts.group(row) for row in found.kinds],
        places=[parts.group(row) for row in found.places],
        unpriced_operations=len(cycle.graph.unpriced),
        closure=parts.account(found.closure),
        set_up=cycle.samples.set_up,
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
    )
