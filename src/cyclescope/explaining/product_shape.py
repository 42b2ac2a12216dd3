"""What a matrix product is like, by its operands: its smallest dimension, and the type that it is computed in."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cyclescope.core.graph.op import OpKind
from cyclescope.core.graph.tensor import TensorSpec
from cyclescope.core.units import IntArray


def product_type(reads: Sequence[TensorSpec]) -> str:
    """Type of the operands `reads`: that of the first of floating point, else of the first ('' without any)."""
    floating = [spec.dtype for spec in reads if "float" in spec.dtype or "complex" in spec.dtype]
    return next(iter(floating or [spec.dtype for spec in reads]), "")


def product_rows(kind: OpKind, reads: Sequence[TensorSpec], result: TensorSpec | None, flops: int) -> int:
    """The smallest of m, n and k of the product m × k · k × n that an operation of `flops` computes, at least 1.

    Of an operation that makes several products of one shape it is that of each: a batch of matrices, the heads of
    attention, the groups of a convolution, the experts of a mixture (taken to get equally many rows).
    """
    if not reads or result is None:
        return 1
    if kind is OpKind.ATTENTION:
        rows = _attention(reads)
    elif kind is OpKind.CONVOLUTION:
        rows = _convolution(reads, result, flops)
    else:
        rows = _product(reads, result, flops)
    return max(1, rows)


def product_rows_of(kind: OpKind, reads: Sequence[IntArray], result: IntArray | None, flops: IntArray) -> IntArray:
    """`product_rows` of one operation at many shapes [shapes]: `reads` and `result` are dimensions [shapes, axes], `flops` [shapes]."""
    if not reads or result is None:
        return np.ones(len(flops), dtype=np.int64)
    if kind is OpKind.ATTENTION:
        ends = [dims[:, -2:] for dims in reads[:2] if dims.shape[1]]
        return np.maximum(np.concatenate(ends, axis=1).min(axis=1), 1) if ends else np.ones(len(flops), dtype=np.int64)
    if kind is OpKind.CONVOLUTION:
        return _one_by_one(kind, reads, result, flops)
    elements = result.prod(axis=1)
    inner = np.rint(flops / np.maximum(2 * elements, 1)).astype(np.int64)
    axes = result.shape[1]
    width = result[:, -1] if axes else np.ones_like(elements)
    shared = np.zeros(len(flops), dtype=bool)
    for dims in reads:
        if dims.shape[1] == 2:
            shared |= dims.prod(axis=1) == inner * width
    rows = elements // np.maximum(width, 1)
    if axes >= 2:
        experts = np.ones_like(elements)
        for dims in reads:
            if dims.shape[1] == 3 and axes == 2:
                experts = np.maximum(experts, dims[:, 0])
        rows = np.where(shared, rows, result[:, -2] // experts)
    smallest: IntArray = np.maximum(np.minimum(np.minimum(rows, width), inner), 1)
    return smallest


def _one_by_one(kind: OpKind, reads: Sequence[IntArray], result: IntArray, flops: IntArray) -> IntArray:
    found = [
        product_rows(
            kind,
            [TensorSpec(tuple(dims[k].tolist()), "", 0) for dims in reads],
            TensorSpec(tuple(result[k].tolist()), "", 0),
            int(flops[k]),
        )
        for k in range(len(flops))
    ]
    return np.asarray(found, dtype=np.int64)


def _product(reads: Sequence[TensorSpec], result: TensorSpec, flops: int) -> int:
    """Each element of the result is a sum over k, which gives k; whether m spans all leading axes, the operands tell."""
    if not result.elements:
        return 1
    inner = round(flops / (2 * result.elements))
    width = result.shape[-1] if result.shape else 1
    shared = any(len(spec.shape) == 2 and spec.elements == inner * width for spec in reads)
    if shared or len(result.shape) < 2:
        rows = result.elements // max(width, 1)
    else:
        experts = [spec.shape[0] for spec in reads if len(spec.shape) == 3 and len(result.shape) == 2]
        rows = result.shape[-2] // max([1, *experts])
    return min(rows, width, inner)


def _attention(reads: Sequence[TensorSpec]) -> int:
    """Queries [..., Sq, D] with keys [..., Skv, D] and back: Sq, Skv or D."""
    ends = [size for spec in reads[:2] for size in spec.shape[-2:]]
    return min(ends, default=1)


def _convolution(reads: Sequence[TensorSpec], result: TensorSpec, flops: int) -> int:
    """Channels out of a group, times what each of their elements sums up, times all positions of the batch."""
    weight = next((spec for spec in reads[1:] if len(spec.shape) >= 3), None)
    if weight is None or len(result.shape) < 2 or not result.elements or len(reads[0].shape) < 2:
        return 1
    groups = max(1, reads[0].shape[1] // max(weight.shape[1], 1))
    channels = result.shape[1]
    inner = round(flops / (2 * result.elements))
    return min(channels // groups, inner, result.elements // max(channels, 1))
