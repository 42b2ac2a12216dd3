"""The sides of the products that an operation computes: how many of which m, n and k, and whether a weight is one of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cyclescope.core.graph.op import OpKind
from cyclescope.core.graph.tensor import TensorSpec


@dataclass(frozen=True, slots=True)
class Sides:
    """`batch` products [m, k] · [k, n]; of attention m are the queries, n the keys and k the size of a head.

    `weight_bytes` are those of parameters among what is read. All are at least 1 where there is a product, else 0.
    """

    batch: float
    m: float
    n: float
    k: float
    weight_bytes: float


def sides(kind: OpKind, reads: Sequence[TensorSpec], result: TensorSpec | None, flops: int, weight: float) -> Sides:
    """The sides of an operation of `flops` FLOPs that reads `reads`, of which `weight` bytes are weights, and writes `result`.

    Of a mixture each expert is a product of its own; as many as there are rows for are taken to get equally many.
    """
    if not flops or result is None or not result.elements:
        return Sides(0.0, 0.0, 0.0, 0.0, weight)
    if kind is OpKind.ATTENTION and len(reads) >= 2 and min(len(spec.shape) for spec in reads[:2]) >= 2:
        query, key = reads[0].shape, reads[1].shape
        heads = max(1, reads[0].elements // max(1, query[-1] * query[-2]))
        return Sides(float(heads), float(query[-2]), float(key[-2]), float(query[-1]), weight)
    inner = max(1.0, flops / (2 * result.elements))
    width = float(result.shape[-1]) if result.shape else 1.0
    if kind is OpKind.CONVOLUTION and len(result.shape) >= 2:
        width = float(result.shape[1])
    matrix = any(len(spec.shape) == 2 and spec.elements == round(inner * width) for spec in reads)
    rows = result.elements / width
    if matrix or kind is OpKind.CONVOLUTION or len(result.shape) < 2:
        return Sides(1.0, rows, width, inner, weight)
    stacked = [spec.shape[0] for spec in reads if len(spec.shape) == 3] if len(result.shape) == 2 else []
    if stacked:
        experts = min(float(stacked[0]), rows)
        return Sides(experts, rows / experts, width, inner, weight)
    batch = rows / result.shape[-2]
    return Sides(batch, float(result.shape[-2]), width, inner, weight)
