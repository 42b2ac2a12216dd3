"""What `--json` prints: an explanation as one document for other programs (see `schema`)."""

from __future__ import annotations

import json
from typing import Any

from cyclescope.core.graph.op import Cost, Site
from cyclescope.core.machine import Machine
from cyclescope.core.statistics import Estimate
from cyclescope.explaining.explanation import Closure, Explanation, GroupRow
from cyclescope.report import format as fmt
from cyclescope.report import naming as wording
from cyclescope.report.documents.cycle.arrangement import arrangement_document
from cyclescope.report.documents.cycle.device import device_document
from cyclescope.report.documents.cycle.experts import expert_documents
from cyclescope.report.documents.cycle.findings import finding_documents
from cyclescope.report.documents.cycle.generation import generation_document
from cyclescope.report.documents.cycle.memory import memory_document
from cyclescope.report.documents.cycle.roofline import operation_limits, roofline_document
from cyclescope.report.documents.cycle.tasks import division_document, throughput_document
from cyclescope.report.documents.schema import (
    Account,
    AccountLine,
    Caution,
    CycleReport,
    Group,
    Host,
    How,
    Layer,
    Operation,
    Package,
    PaidOnce,
    Place,
    Stage,
    Wall,
    Work,
)
from cyclescope.report.words.strings import EN
from cyclescope.report.words.text_engine import strings_for


def document(explanation: Explanation) -> CycleReport:
    """`explanation` as the public document."""
    cycle = explanation.cycle
    return CycleReport(
        schema="cyclescope/cycle-report/1",
        version=cycle.version,
        source=cycle.source.value,
        taken_at=cycle.taken_at,
        partial=cycle.partial,
        answer=wording.answer(explanation, strings_for("en", cycle.graph)),
        wall=_wall(explanation),
        stages=_stages(explanation),
        layers=_layers(explanation),
        operations=_operations(explanation),
        kinds=[_group(row) for row in explanation.kinds],
        places=[_group(row) for row in explanation.places],
        closure=_account(explanation.closure),
        workload=Work.model_validate(cycle.workload),
        plan=How.model_validate(cycle.plan),
        machine=host(cycle.machine),
        set_up=PaidOnce.model_validate(cycle.samples.set_up),
        warnings=_warnings(explanation),
        findings=finding_documents(explanation.findings, cycle.graph),
        notes=list(wording.remarks(cycle, EN)),
        generation=generation_document(explanation.generation) if explanation.generation else None,
        throughput=throughput_document(explanation),
        division=division_document(explanation),
        memory=memory_document(explanation.memory, cycle.graph) if explanation.memory else None,
        arrangement=arrangement_document(explanation.arrangement) if explanation.arrangement else None,
        experts=expert_documents(cycle.graph),
        roofline=roofline_document(explanation.roofline, cycle.plan.dtype) if explanation.roofline else None,
        device=device_document(explanation.device) if explanation.device else None,
    )


def to_json(explanation: Explanation) -> str:
    """The document as strict JSON in ASCII (no NaN, no Infinity), indented, with a newline at its end."""
    return json.dumps(document(explanation).model_dump(by_alias=True), indent=2, allow_nan=False) + "\n"


def _wall(explanation: Explanation) -> Wall:
    wall, cpu = explanation.wall, explanation.cpu
    (low_ns, high_ns), (cpu_low_ns, cpu_high_ns) = fmt.ends(wall), fmt.ends(cpu)
    if not wall.n:
        nothing = dict.fromkeys(name for name in Wall.model_fields if name != "n")
        return Wall(n=0, **nothing)
    return Wall(
        median_ns=wall.value_ns,
        low_ns=low_ns,
        high_ns=high_ns,
        n=wall.n,
        minimum_ns=explanation.minimum_ns,
        cpu_median_ns=cpu.value_ns,
        cpu_low_ns=cpu_low_ns,
        cpu_high_ns=cpu_high_ns,
    )


def _stages(explanation: Explanation) -> list[Stage]:
    return [
        Stage(
            name=row.name,
            **_times(row.time, row.share),
            operations_ns=row.op_ns,
            python_ns=row.python_ns,
            operations=row.operations,
            **_costs(row.cost),
        )
        for row in explanation.stages
    ]


def _layers(explanation: Explanation) -> list[Layer]:
    return [
        Layer(
            stage=row.stage,
            index=row.index,
            module=row.module,
            class_name=row.class_name,
            **_times(row.time, row.share),
            python_ns=row.python_ns,
            **_costs(row.cost),
        )
        for row in explanation.layers
    ]


def _operations(explanation: Explanation) -> list[Operation]:
    return [
        Operation(
            index=row.op,
            kind=row.kind.value,
            name=row.name,
            site=_place(row.site),
            **_times(row.time, row.share),
            **_costs(row.cost),
            **operation_limits(explanation.roofline, row.op),
        )
        for row in explanation.operations
    ]


def _group(row: GroupRow) -> Group:
    return Group(
        name=row.name,
        kind=row.kind.value,
        count=row.count,
        **_times(row.time, row.share),
        **_costs(row.cost),
    )


def _place(site: Site) -> Place:
    return Place(stage=site.stage, layer=site.layer, module=site.module)


def _times(time: Estimate, share: float) -> dict[str, Any]:
    low_ns, high_ns = fmt.ends(time)
    return {"time_ns": time.value_ns, "low_ns": low_ns, "high_ns": high_ns, "share": share}


def _costs(cost: Cost) -> dict[str, Any]:
    return {
        "flops": cost.flops,
        "elementwise_flops": cost.elementwise_flops,
        "read_bytes": cost.read_bytes,
        "written_bytes": cost.written_bytes,
    }


def _account(closure: Closure) -> Account:
    known = closure.ratio.n > 0
    low, high = fmt.ends(closure.ratio)
    seen_low, seen_high = fmt.ends(closure.instrumentation_ratio)
    return Account(
        attributed_ns=closure.attributed_ns,
        rest_ns=closure.rest_ns,
        ratio=closure.ratio.value if known else None,
        ratio_low=low,
        ratio_high=high,
        closes=known and closure.closes,
        instrumentation_ratio=closure.instrumentation_ratio.value if known else None,
        instrumentation_ratio_low=seen_low,
        instrumentation_ratio_high=seen_high,
        instrumentation_ns=closure.instrumentation_ns,
        rows=[
            AccountLine(name=row.name, stage=row.stage, time_ns=row.time_ns, share_of_wall=row.share_of_wall)
            for row in closure.rows
        ],
    )


def host(machine: Machine) -> Host:
    """The machine as the documents tell it."""
    facts = {name: getattr(machine, name) for name in Host.model_fields if name != "packages"}
    return Host(packages=[Package(name=name, version=version) for name, version in machine.packages], **facts)


def _warnings(explanation: Explanation) -> list[Caution]:
    result = []
    for doubt in explanation.warnings:
        advice = wording.doubt(doubt, EN)
        result.append(Caution(code=doubt.code.value, value=doubt.value, text=advice.text, remedy=advice.remedy))
    return result
