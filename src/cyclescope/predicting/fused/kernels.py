"""The kernels of a graph as a timing model of a whole engine sees them: parts of their analytic time, sizes, and who needs whom."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cyclescope.core.ceilings import Ceilings
from cyclescope.core.graph.graph import Graph
from cyclescope.core.graph.op import OpKind
from cyclescope.core.plan import Plan
from cyclescope.core.units import BoolArray, FloatArray, IntArray
from cyclescope.explaining.lower_bounds import find_lower_bounds
from cyclescope.predicting.features import COLUMN, GROUPS, Group, operations
from cyclescope.predicting.fused.fusing import fuse

# Parts of the analytic time, in nanoseconds, by what they are limited by: those of products by a side are what the edges of tiles
# and the packing of operands add, which are the more the shorter that side is. `kernels` counts them.
PARTS = (
    "product", "product compute", "product peak", "product by m", "product by n", "product by k", "weights",
    "attention", "attention memory", "rows", "pointwise", "joined", "movement", "kernels",
)  # fmt: skip
_SIDE = 64.0  # of a product whose part by a side is as long as its time at the peak
PART = {name: number for number, name in enumerate(PARTS)}
# What a network sees of a kernel besides its parts and its group.
SIZES = ("batch", "m", "n", "k", "flops", "elementwise", "read", "written", "weight", "inputs", "axes")
_PRODUCTS = (Group.WEIGHT_PRODUCT, Group.CONVOLUTION)
_ATTENDING = (Group.ATTENTION, Group.PRODUCT)


@dataclass(frozen=True, eq=False)
class Kernels:
    """The kernels of one graph, in the order in which they begin: `op` [kernels] the operation that begins each, `group`
    its sort, `parts` [kernels, PARTS], `sizes` [kernels, SIZES] as ln(1 + x), `joined` [kernels] how many operations stand in
    it, `step` [kernels] the step of a generation (0 elsewhere). `source` → `target` [edges] are positions of kernels.
    `bound_ns` [kernels] is the fused analytic time: the larger of products and memory.
    """

    op: IntArray
    group: IntArray
    parts: FloatArray
    sizes: FloatArray
    joined: IntArray
    step: IntArray
    source: IntArray
    target: IntArray
    bound_ns: FloatArray

    def __len__(self) -> int:
        return len(self.op)

    @property
    def steps(self) -> int:
        """How often the engine is called."""
        return int(self.step.max(initial=0)) + 1


def kernels(graph: Graph, plan: Plan, machine: Ceilings) -> Kernels:
    """The kernels of `graph` when an engine that fuses runs it by `plan` on `machine`."""
    threads = plan.threads if plan.device == "cpu" else 0
    fusion = fuse(graph)
    bounds = find_lower_bounds(graph, machine, threads)
    group, values, _ = operations(graph, machine, threads)
    moved = np.maximum(graph.read_bytes + graph.written_bytes, 1)
    # A joined operation reads what comes from elsewhere; its result takes the place of the one that it was computed from.
    begins = fusion.begins
    outer = np.maximum(graph.read_bytes - fusion.inner_bytes, 0) / moved
    memory = bounds.memory_ns * np.where(begins, 1.0, outer)
    text = graph.of_kind(OpKind.TEXT)
    memory[graph.of_kind(OpKind.VIEW) | text] = 0.0
    peak = np.expm1(values[:, COLUMN["compute"]])
    sides = np.maximum(np.expm1(values[:, [COLUMN[name] for name in ("m", "n", "k")]]), 1.0)
    parts = _parts(group, begins & ~text, bounds.compute_ns, peak, memory, sides)
    op = np.flatnonzero(begins & ~text)
    place = np.full(len(graph) + 1, -1, dtype=np.int64)  # the last for what no kernel runs
    place[op] = np.arange(len(op))
    of = place[fusion.kernel]
    known = of >= 0
    summed = np.zeros((len(op), len(PARTS)))
    np.add.at(summed, of[known], parts[known])
    bound = np.bincount(of[known], np.maximum(bounds.compute_ns, memory)[known], minlength=len(op))
    edges = (place[fusion.source] >= 0) & (place[fusion.target] >= 0)
    return Kernels(
        op=op,
        group=group[op],
        parts=summed,
        sizes=values[op][:, [COLUMN[name] for name in SIZES]],
        joined=np.bincount(of[known], minlength=len(op)) - 1,
        step=np.maximum(graph.slots.step[graph.slots.of_op[op]], 0),
        source=place[fusion.source[edges]],
        target=place[fusion.target[edges]],
        bound_ns=bound.astype(np.float64),
    )


def _parts(
    group: IntArray, begins: BoolArray, compute: FloatArray, peak: FloatArray, memory: FloatArray, sides: FloatArray
) -> FloatArray:
    """Parts of the time of every operation [operations, PARTS]; `sides` [operations, 3] are m, n and k."""
    parts = np.zeros((len(group), len(PARTS)))
    named = {name: np.isin(group, [GROUPS.index(each) for each in groups]) for name, groups in (
        ("product", _PRODUCTS), ("attention", _ATTENDING), ("rows", (Group.ROWS,)), ("pointwise", (Group.POINTWISE,)),
        ("movement", (Group.MOVEMENT,)),
    )}  # fmt: skip
    products, attending = named["product"], named["attention"]
    parts[:, PART["product"]] = np.maximum(compute, memory) * products
    parts[:, PART["product compute"]] = compute * products
    parts[:, PART["product peak"]] = peak * products
    for number, side in enumerate(("m", "n", "k")):
        parts[:, PART[f"product by {side}"]] = peak * products * _SIDE / sides[:, number]
    parts[:, PART["weights"]] = memory * products
    parts[:, PART["attention"]] = compute * attending
    parts[:, PART["attention memory"]] = memory * attending
    parts[:, PART["rows"]] = memory * named["rows"]
    parts[:, PART["pointwise"]] = memory * (named["pointwise"] & begins)
    parts[:, PART["joined"]] = memory * (named["pointwise"] & ~begins)
    parts[:, PART["movement"]] = memory * named["movement"]
    parts[:, PART["kernels"]] = begins
    return parts
