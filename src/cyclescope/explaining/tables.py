"""The times of a cycle by stage, layer, operation, kind and place: groups of slots, added up in columns."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from cyclescope.core.graph.columns import Labels, Rows, in_order_of_appearance
from cyclescope.core.graph.frame import Frame
from cyclescope.core.graph.graph import Graph
from cyclescope.core.graph.op import Cost
from cyclescope.core.units import IntArray
from cyclescope.explaining.attribution import Attribution, Estimates
from cyclescope.explaining.explanation import GroupRow, LayerRow, OperationRow, StageRow
from cyclescope.explaining.places import Place


def stage_rows(attribution: Attribution) -> tuple[StageRow, ...]:
    """Every stage, in order of time."""
    graph, slots, slot_ns = attribution.graph, attribution.graph.slots, attribution.slot_ns
    stage = slots.stage.in_order
    costs, counts = _added(graph, stage.numbers[slots.of_op], len(stage.names))
    times = attribution.estimates(stage.numbers, len(stage.names))
    rows = []
    for number, (name, time) in enumerate(zip(stage.names, times, strict=True)):
        op_ns = float(slot_ns[(stage.numbers == number) & (slots.op >= 0)].sum())
        native_ns = float(slot_ns[(stage.numbers == number) & attribution.native].sum())
        rows.append(
            StageRow(
                name=name,
                time=time,
                share=_share(time.value_ns, attribution.total_ns),
                op_ns=op_ns,
                python_ns=time.value_ns - op_ns - native_ns,
                native_ns=native_ns,
                operations=counts[number],
                cost=costs[number],
            )
        )
    return tuple(rows)


def layer_rows(attribution: Attribution) -> tuple[LayerRow, ...]:
    """Every layer of every stage, in order of time."""
    graph, slots = attribution.graph, attribution.graph.slots
    inside = slots.layer >= 0
    depth = int(slots.layer.max(initial=0)) + 1
    keys = np.where(inside, slots.stage.numbers * depth + slots.layer, -1)
    group, present = in_order_of_appearance(keys)
    frames: dict[tuple[str, int], Frame] = {}
    for frame in graph.frames:
        if frame.layer is not None:
            frames.setdefault((frame.stage, frame.layer), frame)
    costs, _ = _added(graph, group[slots.of_op], len(present))
    python_ns, native_ns = (
        np.bincount(group[some], attribution.slot_ns[some], minlength=len(present)).tolist()
        for some in (inside & (slots.op < 0) & ~attribution.native, inside & attribution.native)
    )
    rows = []
    for number, (key, time) in enumerate(
        zip(present.tolist(), attribution.estimates(group, len(present)), strict=True)
    ):
        stage, index = slots.stage.names[key // depth], key % depth
        frame = frames[stage, index]
        rows.append(
            LayerRow(
                stage=stage,
                index=index,
                module=frame.module,
                class_name=frame.class_name,
                time=time,
                share=_share(time.value_ns, attribution.total_ns),
                python_ns=float(python_ns[number]),
                native_ns=float(native_ns[number]),
                cost=costs[number],
            )
        )
    return tuple(rows)


def group_rows(attribution: Attribution, place_of_op: Labels[Place]) -> tuple[GroupRow, ...]:
    """Operations added up by place, the costliest group first."""
    graph, slots = attribution.graph, attribution.graph.slots
    found = place_of_op.in_order
    group = np.full(len(slots), -1, dtype=np.int64)
    group[slots.of_op] = found.numbers
    costs, counts = _added(graph, found.numbers, len(found.names))
    _, first = np.unique(found.numbers, return_index=True)
    rows = [
        GroupRow(place, graph.kinds[op], count, time, _share(time.value_ns, attribution.total_ns), cost)
        for place, op, count, time, cost in zip(
            found.names, first.tolist(), counts, attribution.estimates(group, len(found.names)), costs, strict=True
        )
    ]
    return tuple(sorted(rows, key=lambda row: -row.time.value_ns))


@dataclass(frozen=True, eq=False, repr=False)
class OperationRows(Rows[OperationRow]):
    """Every operation, the costliest first. `times` are by operation [n]."""

    graph: Graph
    times: Estimates
    total_ns: float

    def __len__(self) -> int:
        return len(self.graph)

    def row(self, index: int) -> OperationRow:
        op = int(self.order[index])
        time = self.times[op]
        graph = self.graph
        share = _share(time.value_ns, self.total_ns)
        return OperationRow(op, graph.names[op], graph.kinds[op], graph.location(op), time, share, graph.cost(op))

    @cached_property
    def order(self) -> IntArray:
        """The operation of each row [n]."""
        return np.argsort(-self.times.values_ns, kind="stable")


def operation_rows(attribution: Attribution) -> OperationRows:
    """Every operation, the costliest first; a row is made when it is asked for."""
    graph = attribution.graph
    return OperationRows(graph, attribution.estimates(graph.slots.op, len(graph)), attribution.total_ns)


def _share(value: float, total: float) -> float:
    return value / total if total else 0.0


def _added(graph: Graph, group: IntArray, groups: int) -> tuple[list[Cost], list[int]]:
    """Cost and number of the operations of each group [groups]; `group` [n] says which each belongs to (−1: none)."""
    chosen = group >= 0
    mine = group[chosen]
    sums = np.zeros((4, groups), dtype=np.int64)
    columns = (graph.flops, graph.elementwise_flops, graph.read_bytes, graph.written_bytes)
    for total, column in zip(sums, columns, strict=True):
        np.add.at(total, mine, column[chosen])
    counts: list[int] = np.bincount(mine, minlength=groups).tolist()
    return [Cost(*row) for row in sums.T.tolist()], counts
