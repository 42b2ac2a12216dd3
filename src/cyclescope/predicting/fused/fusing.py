"""Which operations an engine that compiles a model runs as one kernel.

A pointwise operation behind another one is computed where that leaves its result: it is dispatched by nobody, and what goes
from one to the other never reaches memory (loop fusion; Chen et al., TVM, OSDI 2018; ONNX Runtime, OpenVINO and TorchInductor all do
so). Views are no work at all.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cyclescope.core.graph.graph import Graph
from cyclescope.core.graph.op import OpKind
from cyclescope.core.units import BoolArray, IntArray

_JOINS = (OpKind.ACTIVATION, OpKind.ELEMENTWISE)
_LEAST_SHARE = 0.5  # of a result that must come from one producer: a bias that is added to much does not carry it


@dataclass(frozen=True, eq=False)
class Fusion:
    """`kernel` [operations] is the operation whose kernel each is a part of, itself where it begins one, and −1 where nothing
    runs (a view of what was given). `inner_bytes` [operations] are read from within the kernel. `source` → `target` [edges]
    are kernels, by that operation, of which one needs the other's result.
    """

    kernel: IntArray
    inner_bytes: IntArray
    source: IntArray
    target: IntArray

    @property
    def begins(self) -> BoolArray:
        """Mask of the operations that begin a kernel [operations]."""
        mask: BoolArray = self.kernel == np.arange(len(self.kernel))
        return mask


def fuse(graph: Graph) -> Fusion:
    """The kernels of `graph`."""
    edges = graph.dependencies
    carries = edges.carries_data.astype(bool)
    source, target, through = edges.source[carries], edges.target[carries], edges.tensor[carries]
    begin = np.searchsorted(target, np.arange(len(graph) + 1))
    joins, view = graph.of_kind(*_JOINS).tolist(), graph.of_kind(OpKind.VIEW).tolist()
    sizes = graph.tensor_bytes.tolist()
    sources, tensors, bounds = source.tolist(), through.tolist(), begin.tolist()
    kernel = list(range(len(graph)))
    inner = [0] * len(graph)
    for i in range(len(graph)):
        if not (joins[i] or view[i]):
            continue
        made = [(sources[e], tensors[e]) for e in range(bounds[i], bounds[i + 1])]
        if view[i]:
            kernel[i] = kernel[made[-1][0]] if made else -1
            continue
        least = _LEAST_SHARE * sum(sizes[t] for t in graph.writes(i))
        carrying = [p for p, t in made if sizes[t] >= least and kernel[p] >= 0]
        if carrying:
            kernel[i] = kernel[max(carrying)]
            inner[i] = sum(sizes[t] for p, t in made if kernel[p] == kernel[i])
    of = np.asarray(kernel, dtype=np.int64)
    between = (of[source] != of[target]) & (of[source] >= 0) & (of[target] >= 0)
    pairs = np.unique(np.stack([of[source][between], of[target][between]], axis=1), axis=0)
    return Fusion(of, np.asarray(inner, dtype=np.int64), pairs[:, 0], pairs[:, 1])
