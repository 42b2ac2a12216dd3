"""Products on paper."""

from __future__ import annotations

from cyclescope.core.graph.builder import GraphBuilder
from cyclescope.core.graph.graph import Graph
from cyclescope.core.graph.op import Cost, OpKind
from cyclescope.core.graph.tensor import TensorRole


def product(dtype: str = "float32", rows: int = 256) -> Graph:
    """One square product of `rows` rows, and a view of its result."""
    b = GraphBuilder()
    with b.frame("", "Model"), b.frame("dense", "Linear"):
        x, w = (b.tensor((rows, rows), dtype, TensorRole.PARAMETER) for _ in range(2))
        y = b.tensor((rows, rows), dtype)
        size = b.spec(y).bytes
        b.op("linear", OpKind.MATMUL, [x, w], [y], Cost(2 * rows**3, 0, 2 * size, size))
    with b.frame("", "Model2"):
        b.op("view", OpKind.VIEW, [y], [b.tensor((rows * rows,), dtype, storage=b.spec(y).storage)])
    return b.build()
