"""`explain`: from a cycle to what it says about itself. A pure function; an old run gains from a newer version."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np

from cyclescope.core.ceilings import Ceilings
from cyclescope.core.cycle import Cycle
from cyclescope.core.frame import Frame
from cyclescope.core.graph import Graph
from cyclescope.core.op import Cost, OpKind
from cyclescope.core.statistics import Estimate, median_estimate
from cyclescope.core.units import IntArray
from cyclescope.explaining.arrangement import arrange
from cyclescope.explaining.attribution import Attribution, attribute
from cyclescope.explaining.closure import close
from cyclescope.explaining.explanation import (
    Answer,
    Explanation,
    GroupRow,
    LayerRow,
    OperationRow,
    StageRow,
)
from cyclescope.explaining.findings.catalogue import find
from cyclescope.explaining.findings.facts import Facts
from cyclescope.explaining.generation import generation
from cyclescope.explaining.memory import memory
from cyclescope.explaining.roofline import roofline
from cyclescope.explaining.stability import find_doubts
from cyclescope.explaining.timeline import exemplar_spans
from cyclescope.machines.catalog import find_machine


def explain(cycle: Cycle) -> Explanation:
    """Attribute the time of `cycle`, close its account and say what follows."""
    attribution = attribute(cycle)
    closure = close(cycle, attribution)
    plain = cycle.samples.plain
    none = Estimate(0.0, 0.0, 0.0, 0)
    stages = _stages(attribution)
    layers = _layers(attribution)
    operations = _operations(attribution)
    kinds = _groups(attribution, [kind.value for kind in cycle.graph.kinds])
    place_of_op = places(cycle.graph)
    cpu = median_estimate(plain.cpu_ns) if len(plain) else none
    limits = roofline(cycle, attribution, place_of_op, closure.wall.value_ns, _datasheet(cycle))
    arrangement = arrange(cycle, attribution, place_of_op)
    return Explanation(
        cycle=cycle,
        answer=_answer(stages, layers, kinds),
        wall=closure.wall,
        cpu=cpu,
        minimum_ns=float(plain.wall_ns.min()) if len(plain) else 0.0,
        stages=stages,
        layers=layers,
        operations=operations,
        kinds=kinds,
        places=_groups(attribution, place_of_op),
        closure=closure,
        doubts=find_doubts(cycle, closure.wall, closure),
        spans=exemplar_spans(attribution),
        generation=generation(cycle, attribution, place_of_op),
        memory=memory(cycle.graph, cycle.samples.memory),
        roofline=limits,
        arrangement=arrangement,
        findings=find(Facts(cycle, attribution, closure.wall, cpu, stages, layers, place_of_op, limits, arrangement)),
    )


def _datasheet(cycle: Cycle) -> Ceilings | None:
    """What the maker states about the processor, or the device, that `cycle` ran on; None where it is not known."""
    return find_machine(cycle.machine.processor)  # on a device that is the device's own name; `device` is only `cuda:0`


def places(graph: Graph) -> list[str]:
    """The place of every operation [n], the same in every layer: stage, path within the layer, operation."""
    prefix: dict[int, str] = {}
    for k, frame in enumerate(graph.frames):
        if frame.layer is not None:
            above = graph.frames[frame.parent]
            prefix[k] = prefix[frame.parent] if above.layer is not None else frame.module
    result = []
    for i, name in enumerate(graph.names):
        f = int(graph.op_frame[i])
        module = graph.frames[f].module
        if f in prefix:
            module = module.removeprefix(prefix[f]).lstrip(".")
        result.append(" · ".join(part for part in (graph.stage_of(i), module, name) if part))
    return result


def _share(value: float, total: float) -> float:
    return value / total if total else 0.0


def _numbered(keys: Sequence[Hashable]) -> tuple[IntArray, list[Hashable]]:
    """Group number of each key (None: −1), and the distinct keys in order of first appearance."""
    numbers: dict[Hashable, int] = {}
    column = [-1 if key is None else numbers.setdefault(key, len(numbers)) for key in keys]
    return np.asarray(column, dtype=np.int64), list(numbers)


def _cost_of(graph: Graph, ops: Sequence[int]) -> Cost:
    index = np.asarray(ops, dtype=np.int64)
    return Cost(
        int(graph.flops[index].sum()),
        int(graph.elementwise_flops[index].sum()),
        int(graph.read_bytes[index].sum()),
        int(graph.written_bytes[index].sum()),
    )


def _stages(attribution: Attribution) -> tuple[StageRow, ...]:
    graph, slots, slot_ns = attribution.graph, attribution.graph.slots, attribution.slot_ns
    group, names = _numbered(slots.stage)
    members: dict[str, list[int]] = {}
    for i in range(len(graph)):
        members.setdefault(graph.stage_of(i), []).append(i)
    rows = []
    for number, (name, time) in enumerate(zip(names, attribution.estimates(group, len(names)), strict=True)):
        mine = group == number
        op_ns = float(slot_ns[mine & (slots.op >= 0)].sum())
        ops = members.get(str(name), [])
        rows.append(
            StageRow(
                name=str(name),
                time=time,
                share=_share(time.value_ns, attribution.total_ns),
                op_ns=op_ns,
                python_ns=time.value_ns - op_ns,
                operations=len(ops),
                cost=_cost_of(graph, ops),
            )
        )
    return tuple(rows)


def _layers(attribution: Attribution) -> tuple[LayerRow, ...]:
    graph, slots, slot_ns = attribution.graph, attribution.graph.slots, attribution.slot_ns
    keys = [(stage, int(layer)) if layer >= 0 else None for stage, layer in zip(slots.stage, slots.layer, strict=True)]
    group, names = _numbered(keys)
    frames: dict[tuple[str, int], Frame] = {}
    for frame in graph.frames:
        if frame.layer is not None:
            frames.setdefault((frame.stage, frame.layer), frame)
    members: dict[tuple[str, int], list[int]] = {}
    for i in range(len(graph)):
        site = graph.site(i)
        if site.layer is not None:
            members.setdefault((site.stage, site.layer), []).append(i)
    rows = []
    for number, (key, time) in enumerate(zip(names, attribution.estimates(group, len(names)), strict=True)):
        assert isinstance(key, tuple)
        frame = frames[key]
        rows.append(
            LayerRow(
                stage=key[0],
                index=key[1],
                module=frame.module,
                class_name=frame.class_name,
                time=time,
                share=_share(time.value_ns, attribution.total_ns),
                python_ns=float(slot_ns[(group == number) & (slots.op < 0)].sum()),
                cost=_cost_of(graph, members.get(key, [])),
            )
        )
    return tuple(rows)


def _operations(attribution: Attribution) -> tuple[OperationRow, ...]:
    """Every operation, the costliest first."""
    graph = attribution.graph
    rows = []
    for i, time in enumerate(attribution.estimates(graph.slots.op, len(graph))):
        share = _share(time.value_ns, attribution.total_ns)
        rows.append(OperationRow(i, graph.names[i], graph.kinds[i], graph.site(i), time, share, graph.cost(i)))
    return tuple(sorted(rows, key=lambda row: -row.time.value_ns))


def _groups(attribution: Attribution, name_of_op: Sequence[str]) -> tuple[GroupRow, ...]:
    """Operations added up by name, the costliest group first."""
    graph, slots = attribution.graph, attribution.graph.slots
    group, names = _numbered([None if op < 0 else name_of_op[int(op)] for op in slots.op])
    members: dict[str, list[int]] = {}
    for i, name in enumerate(name_of_op):
        members.setdefault(name, []).append(i)
    rows = []
    for key, time in zip(names, attribution.estimates(group, len(names)), strict=True):
        name = str(key)
        ops = members[name]
        share = _share(time.value_ns, attribution.total_ns)
        rows.append(GroupRow(name, graph.kinds[ops[0]], len(ops), time, share, _cost_of(graph, ops)))
    return tuple(sorted(rows, key=lambda row: -row.time.value_ns))


def _answer(stages: Sequence[StageRow], layers: Sequence[LayerRow], kinds: Sequence[GroupRow]) -> Answer:
    total = sum(row.time.value_ns for row in stages)
    if not total or not kinds:
        return Answer("", 0.0, 0, OpKind.OTHER, 0.0, 0.0)
    stage = max(stages, key=lambda row: row.time.value_ns)
    python = sum(row.python_ns for row in stages) / total
    count = sum(1 for layer in layers if layer.stage == stage.name)
    return Answer(stage.name, stage.share, count, kinds[0].kind, kinds[0].share, python)
