"""What a learned timing model sees of each slot of a graph: a group, a label, numbers, and the analytic time.

Slots of operations carry their shapes, work, traffic and lower bounds; slots of Python what lies at their two ends. Both
carry what ran before them: behind a large product the interpreter finds its caches emptied.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from cyclescope.core.ceilings import Ceilings
from cyclescope.core.graph.columns import Labels
from cyclescope.core.graph.graph import Graph
from cyclescope.core.graph.op import OpKind
from cyclescope.core.graph.tensor import TensorRole, TensorSpec
from cyclescope.core.plan import Plan
from cyclescope.core.units import NS_PER_S, FloatArray, IntArray
from cyclescope.explaining.lower_bounds import find_lower_bounds
from cyclescope.explaining.product_shape import product_type
from cyclescope.explaining.reuse import traffic
from cyclescope.predicting.passages import passages
from cyclescope.predicting.product_sides import sides


class Group(StrEnum):
    """Sorts of slots whose times follow laws of their own."""

    WEIGHT_PRODUCT = "product with a weight"
    PRODUCT = "product of activations"
    ATTENTION = "attention"
    CONVOLUTION = "convolution"
    ROWS = "rows"  # norms, softmax, reductions, scans: the elements of a row meet
    POINTWISE = "pointwise"
    MOVEMENT = "movement"  # copies, lookups
    VIEW = "view"
    TEXT = "text"
    PYTHON = "Python"


_OF_KIND = {
    OpKind.ATTENTION: Group.ATTENTION,
    OpKind.CONVOLUTION: Group.CONVOLUTION,
    OpKind.SOFTMAX: Group.ROWS,
    OpKind.NORM: Group.ROWS,
    OpKind.REDUCTION: Group.ROWS,
    OpKind.SCAN: Group.ROWS,
    OpKind.FFT: Group.ROWS,
    OpKind.ACTIVATION: Group.POINTWISE,
    OpKind.ELEMENTWISE: Group.POINTWISE,
    OpKind.EMBEDDING: Group.MOVEMENT,
    OpKind.COPY: Group.MOVEMENT,
    OpKind.VIEW: Group.VIEW,
    OpKind.TEXT: Group.TEXT,
    OpKind.OTHER: Group.POINTWISE,
    OpKind.COLLECTIVE: Group.MOVEMENT,  # its time is none of the model's: see `spreading/timing.py`
}
GROUPS = tuple(Group)

# Columns of `SlotFeatures.values`; sizes are logarithms, ln(1 + x).
COLUMNS = (
    "batch", "m", "n", "k", "flops", "elementwise", "read", "written", "weight",
    "from memory", "from L3", "from L2", "from L1",
    "compute", "memory", "inputs", "axes", "large", "narrow", "threads",
    "touched before", "touched around", "since the like", "weights of the cycle", "entered", "left",
)  # fmt: skip
COLUMN = {name: number for number, name in enumerate(COLUMNS)}
_LARGE = (
    32_768  # elements from which the engine spreads an elementwise operation over threads (at::internal::GRAIN_SIZE)
)
_AROUND = 8  # operations that count as just before


@dataclass(frozen=True, eq=False)
class SlotFeatures:
    """Features of the slots of one graph: `group` [slots] by position in `GROUPS`, `label` [slots] the name of the
    operation or of the passage, `values` [slots, COLUMNS], `least_ns` [slots] the time of
    the work at the peak of products, and of what it moves at the bandwidth of the level where it lies, one after the other (0 for Python).
    """

    group: IntArray
    label: Labels[str]
    values: FloatArray
    least_ns: FloatArray

    def __len__(self) -> int:
        return len(self.group)

    def column(self, name: str) -> FloatArray:
        column: FloatArray = self.values[:, COLUMN[name]]
        return column


def features(graph: Graph, plan: Plan, machine: Ceilings) -> SlotFeatures:
    """The features of every slot of `graph` when `plan` runs it on `machine`."""
    slots = graph.slots
    of_op = slots.of_op
    threads = plan.threads if plan.device == "cpu" else 0
    group, numbers, least = operations(graph, machine, threads)
    values = np.zeros((len(slots), len(COLUMNS)))
    values[of_op] = numbers
    of_slot = np.full(len(slots), GROUPS.index(Group.PYTHON), dtype=np.int64)
    of_slot[of_op] = group
    passing = passages(graph)
    names = [*passing.label]
    for place, name in zip(of_op.tolist(), graph.names, strict=True):
        names[place] = name
    label = Labels.of(names)
    values[:, COLUMN["entered"]] = passing.entered
    values[:, COLUMN["left"]] = passing.left
    values[:, COLUMN["threads"]] = np.log(max(1, threads))
    _add_context(graph, values, label)
    least_ns = np.zeros(len(slots))
    least_ns[of_op] = least
    return SlotFeatures(of_slot, label, values, least_ns)


def operations(graph: Graph, machine: Ceilings, threads: int) -> tuple[IntArray, FloatArray, FloatArray]:
    """Group [n], values [n, COLUMNS] and lower bound [n] of every operation."""
    n = len(graph)
    bounds = find_lower_bounds(graph, machine, threads)
    values = np.zeros((n, len(COLUMNS)))
    group = np.zeros(n, dtype=np.int64)
    peak_ns = _at_peak(graph, machine, threads)
    starts, ends = graph.input_offsets.tolist(), graph.output_offsets.tolist()
    inputs, outputs, tensors = graph.inputs.tolist(), graph.outputs.tolist(), graph.tensors
    known: dict[object, tuple[int, tuple[float, ...]]] = {}  # a model repeats a few shapes in all of its layers
    # A view of a weight is a weight: a projection is often transposed before it is multiplied with.
    storage = graph.storages[1]
    weights = np.isin(storage, storage[graph.of_role(TensorRole.PARAMETER)]).tolist()
    shape_columns = [COLUMN[name] for name in ("batch", "m", "n", "k", "weight", "inputs", "axes", "large", "narrow")]
    flops = graph.flops.tolist()
    for i, kind in enumerate(graph.kinds):
        read = inputs[starts[i] : starts[i + 1]]
        reads = [tensors[t] for t in read]
        of_weight = tuple(weights[t] for t in read)
        result = tensors[outputs[ends[i]]] if ends[i] < ends[i + 1] else None
        key = (kind, flops[i], tuple((s.shape, s.dtype) for s in reads), of_weight, result.shape if result else None)
        if (found := known.get(key)) is None:
            found = known[key] = _shape(kind, reads, of_weight, result, flops[i])
        group[i], values[i, shape_columns] = found
    for name, column in (
        ("flops", graph.flops),
        ("elementwise", graph.elementwise_flops),
        ("read", graph.read_bytes),
        ("written", graph.written_bytes),
        ("compute", peak_ns),
        ("memory", bounds.memory_ns),
    ):
        values[:, COLUMN[name]] = np.log1p(column)
    for name, moved in _by_level(graph, machine, threads).items():
        values[:, COLUMN[name]] = np.log1p(moved)
    return group, values, peak_ns + bounds.memory_ns


def _at_peak(graph: Graph, machine: Ceilings, threads: int) -> FloatArray:
    """FLOPs ÷ the peak of products, whatever their shape [n]: how far below it a shape stays is what is learned."""
    rate: dict[str, float] = {}
    starts, inputs = graph.input_offsets.tolist(), graph.inputs.tolist()
    ns = np.zeros(len(graph))
    for i in np.flatnonzero(graph.flops > 0).tolist():
        dtype = product_type([graph.tensors[t] for t in inputs[starts[i] : starts[i + 1]]])
        if dtype not in rate:
            peak = machine.peak(dtype, threads)
            rate[dtype] = peak.value if peak is not None else 0.0
        ns[i] = graph.flops[i] / rate[dtype] * NS_PER_S if rate[dtype] > 0 else 0.0
    return ns


def _shape(
    kind: OpKind, reads: Sequence[TensorSpec], of_weight: Sequence[bool], result: TensorSpec | None, flops: int
) -> tuple[int, tuple[float, ...]]:
    """Group, and what follows from the shapes alone, in the order of the columns that it fills."""
    weights = [spec for spec, is_weight in zip(reads, of_weight, strict=True) if is_weight]
    by = sides(kind, reads, result, flops, float(sum(spec.bytes for spec in weights)))
    group = _OF_KIND.get(kind)
    if group is None:
        weighted = any(len(spec.shape) >= 2 for spec in weights)
        group = Group.WEIGHT_PRODUCT if weighted else Group.PRODUCT
    elements = max([result.elements if result is not None else 0, *(spec.elements for spec in reads)], default=0)
    narrow = 0.0 if product_type(reads) in ("float32", "") else 1.0
    numbers = (by.batch, by.m, by.n, by.k, by.weight_bytes)
    return GROUPS.index(group), (
        *(float(np.log1p(x)) for x in numbers),
        float(len(reads)),
        float(len(result.shape)) if result is not None else 0.0,
        float(elements >= _LARGE),
        narrow,
    )


def _by_level(graph: Graph, machine: Ceilings, threads: int) -> dict[str, FloatArray]:
    """Bytes that each operation finds in each level of the memory [n], by the name of the column."""
    touched = traffic(graph)
    named = {
        level.level: capacity
        for level, capacity in zip(machine.levels(threads), machine.capacities(threads), strict=True)
    }
    names = ("L1", "L2", "L3")
    holds = [named.get(name, 0.0) for name in names]
    holds = np.maximum.accumulate(holds).tolist()  # a level that is unknown holds what the one below it holds
    found = np.searchsorted(holds, touched.distance_bytes, side="left")
    columns = (*(f"from {name}" for name in names), "from memory")
    return {
        column: np.bincount(touched.op, touched.bytes * (found == place), minlength=len(graph)).astype(np.float64)
        for place, column in enumerate(columns)
    }


def _add_context(graph: Graph, values: FloatArray, label: Labels[str]) -> None:
    """What was touched just before each slot, and how much since a slot of the same label."""
    slots = graph.slots
    moved = np.zeros(len(slots))
    moved[slots.of_op] = graph.read_bytes + graph.written_bytes
    moved[slots.of_op[graph.of_kind(OpKind.VIEW)]] = 0.0
    total = np.concatenate([[0.0], np.cumsum(moved)])  # before each slot
    at = np.arange(len(slots))
    place = np.searchsorted(slots.of_op, at, side="left")  # operations before each slot
    first = np.concatenate([[0], slots.of_op])
    values[:, COLUMN["touched before"]] = np.log1p(total[at] - total[first[np.maximum(place - 1, 0)]])
    values[:, COLUMN["touched around"]] = np.log1p(total[at] - total[first[np.maximum(place - _AROUND, 0)]])
    # The cycle before left behind what it ended with: the first of a label follows upon its last one.
    order = np.lexsort((at, label.numbers))
    number = label.numbers[order]
    begins = np.append(True, number[1:] != number[:-1]) if len(order) else np.zeros(0, dtype=bool)
    earlier = np.empty(len(order), dtype=np.int64)
    earlier[1:] = order[:-1]
    last = np.append(np.flatnonzero(begins)[1:], len(order)) - 1
    earlier[begins] = order[last]
    since = total[order] - total[earlier] + np.where(begins, total[-1], 0.0)
    values[order, COLUMN["since the like"]] = np.log1p(since)
    values[:, COLUMN["weights of the cycle"]] = np.log1p(total[-1] / max(1, len(graph)))
