"""`explain`: from a cycle to what it says about itself. A pure function; an old run gains from a newer version."""

from __future__ import annotations

from collections.abc import Sequence

from cyclescope.core.ceilings import Ceilings
from cyclescope.core.cycle import Cycle, Source
from cyclescope.core.graph.columns import Labels
from cyclescope.core.graph.op import OpKind
from cyclescope.core.statistics import Estimate, median_estimate, scaled
from cyclescope.explaining.arrangement import arrange
from cyclescope.explaining.attribution import attribute
from cyclescope.explaining.closure import close
from cyclescope.explaining.covered import covered_share
from cyclescope.explaining.device import device_line
from cyclescope.explaining.explanation import (
    Answer,
    Explanation,
    GroupRow,
    LayerRow,
    StageRow,
)
from cyclescope.explaining.findings.catalogue import find
from cyclescope.explaining.findings.facts import Facts
from cyclescope.explaining.findings.padding import padding_cost
from cyclescope.explaining.generation import generation
from cyclescope.explaining.lanes.device import imported_line
from cyclescope.explaining.lanes.lanes import lanes_of
from cyclescope.explaining.memory import memory
from cyclescope.explaining.places import Place, places
from cyclescope.explaining.roofline import roofline
from cyclescope.explaining.stability import find_warnings
from cyclescope.explaining.tables import group_rows, layer_rows, operation_rows, stage_rows
from cyclescope.explaining.timeline import exemplar_spans
from cyclescope.machines.catalog import find_machine


def explain(cycle: Cycle) -> Explanation:
    """Attribute the time of `cycle`, close its account and say what follows."""
    attribution = attribute(cycle)
    closure = close(cycle, attribution)
    uninstrumented = cycle.samples.uninstrumented
    none = Estimate(0.0, 0.0, 0.0, 0)
    stages = stage_rows(attribution)
    layers = layer_rows(attribution)
    place_of_op = places(cycle.graph)
    wall = median_estimate(uninstrumented.wall_ns) if len(uninstrumented) else none
    cpu = median_estimate(uninstrumented.cpu_ns) if len(uninstrumented) else none
    if cycle.source is Source.PREDICTED:
        wall, cpu = closure.wall, none  # how many cores would be busy, no timing model says
    if cycle.source is Source.IMPORTED:
        wall, cpu = closure.wall, none  # processor time is not in a trace
    # Findings are about what was instrumented; both times are of that.
    covered = scaled(cpu, covered_share(cycle)) if closure.tokens else cpu
    device = device_line(cycle, place_of_op) or imported_line(cycle, place_of_op)
    # What the host sees of an operation on a device is its launch; what it takes, the device's own line of time tells.
    worked = attribution if device is None else device.attribution
    limits = roofline(
        cycle, worked, place_of_op, closure.wall.value_ns, _datasheet(cycle), on_device=device is not None
    )
    # A trace tells what the device does for each operation, which is what a reader asks first.
    shown = worked if cycle.source is Source.IMPORTED else attribution
    kinds = group_rows(shown, Labels(cycle.graph.kind_number, tuple(Place(operation=kind.value) for kind in OpKind)))
    parts = (stages, layers) if device is None else (stage_rows(worked), layer_rows(worked))
    # Which tensor is which, and so what waits for what, is unknown in a graph without tensors.
    tied = bool(cycle.graph.tensors) or cycle.source is not Source.IMPORTED
    arrangement = arrange(cycle, worked, place_of_op, on_device=device is not None) if tied else None
    facts = Facts(cycle, worked, closure.wall, covered, *parts, place_of_op, limits, arrangement, device)
    return Explanation(
        cycle=cycle,
        answer=_answer(stages, layers, kinds),
        wall=wall,
        cpu=cpu,
        minimum_ns=float(uninstrumented.wall_ns.min()) if len(uninstrumented) else 0.0,
        stages=stages,
        layers=layers,
        operations=operation_rows(shown),
        kinds=kinds,
        places=group_rows(shown, place_of_op),
        closure=closure,
        warnings=find_warnings(cycle, wall, closure),
        spans=exemplar_spans(attribution),
        generation=generation(cycle, attribution, place_of_op),
        memory=memory(cycle.graph, cycle.samples.memory) if tied else None,
        roofline=limits,
        arrangement=arrangement,
        findings=find(facts),
        device=device,
        padding=padding_cost(facts),
        lanes=lanes_of(cycle),
    )


def _datasheet(cycle: Cycle) -> Ceilings | None:
    """What the maker states about the processor, or the device, that `cycle` ran on; None where it is not known."""
    return find_machine(cycle.machine.processor)  # on a device that is the device's own name; `device` is only `cuda:0`


def _answer(stages: Sequence[StageRow], layers: Sequence[LayerRow], kinds: Sequence[GroupRow]) -> Answer:
    total = sum(row.time.value_ns for row in stages)
    if not total or not kinds:
        return Answer("", 0.0, 0, OpKind.OTHER, 0.0, 0.0)
    stage = max(stages, key=lambda row: row.time.value_ns)
    python = sum(row.python_ns for row in stages) / total
    count = sum(1 for layer in layers if layer.stage == stage.name)
    return Answer(stage.name, stage.share, count, kinds[0].kind, kinds[0].share, python)
