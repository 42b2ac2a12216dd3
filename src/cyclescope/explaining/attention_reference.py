"""Attention as the paper defines it, in float64, step by step: the yardstick for what an engine computes and is charged.

Vaswani et al., "Attention Is All You Need", 2017: equation 1 and section 3.2.2. Nothing here is fast or meant to be.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from cyclescope.core.errors import UsageError
from cyclescope.core.message import Message, listed, m
from cyclescope.core.units import FloatArray, Flops


@dataclass(frozen=True, slots=True)
class AttentionStep:
    """One step of the formula and its arithmetic.

    `flops` counts matrix products, two per multiply-add; `elementwise_flops` one for each comparison, addition,
    multiplication, division or exponential. (`cyclescope.cost.pointwise` weights the latter by what they cost.)
    """

    name: str
    flops: Flops = 0
    elementwise_flops: Flops = 0


@dataclass(frozen=True, eq=False)
class AttentionResult:
    """Everything equation 1 passes through.

    For n queries and m keys: `scores` [n, m] = Q Kᵀ · scale, `weights` [n, m] = softmax of each row, `output` [n, d_v] =
    weights V.
    """

    scores: FloatArray
    weights: FloatArray
    output: FloatArray
    steps: tuple[AttentionStep, ...]


@dataclass(frozen=True, eq=False)
class MultiHead:
    """`output` [n, d_model] of section 3.2.2, the `heads` it was made of, and its steps over all heads."""

    output: FloatArray
    heads: tuple[AttentionResult, ...]
    steps: tuple[AttentionStep, ...]


def softmax(x: ArrayLike) -> FloatArray:
    """Softmax over the last axis.

    The maximum is taken off first: the result is the same, and no exponential overflows.
    """
    values = np.asarray(x, dtype=np.float64)
    exponentials = np.exp(values - values.max(axis=-1, keepdims=True))
    result: FloatArray = exponentials / exponentials.sum(axis=-1, keepdims=True)
    return result


def attention(q: ArrayLike, k: ArrayLike, v: ArrayLike, scale: float | None = None) -> AttentionResult:
    """softmax(Q Kᵀ · scale) V for `q` [n, d_k], `k` [m, d_k] and `v` [m, d_v].

    `scale` is what the scores are multiplied by; without it 1/√d_k. Raises `UsageError` if the shapes do not fit.
    """
    q, k, v = _matrix("Q", q), _matrix("K", k), _matrix("V", v)
    (n, d_k), (m, d_v) = q.shape, v.shape
    _require(k.shape == (m, d_k), _unfit(Q=q, K=k, V=v))
    scores = q @ k.T * (1 / math.sqrt(d_k) if scale is None else scale)
    weights = softmax(scores)
    steps = (
        AttentionStep("scores", flops=2 * n * m * d_k),
        AttentionStep("scale", elementwise_flops=n * m),
        # Of each row: m − 1 comparisons, m subtractions, m exponentials, m − 1 additions, m divisions.
        AttentionStep("softmax", elementwise_flops=n * (5 * m - 2)),
        AttentionStep("output", flops=2 * n * m * d_v),
    )
    return AttentionResult(scores, weights, weights @ v, steps)


def multi_head(
    q: ArrayLike, k: ArrayLike, v: ArrayLike, w_q: ArrayLike, w_k: ArrayLike, w_v: ArrayLike, w_o: ArrayLike
) -> MultiHead:
    """Concat(head_1 … head_h) W^O with head_i = Attention(Q W_i^Q, K W_i^K, V W_i^V).

    `q` [n, d_model], `k` and `v` [m, d_model]; `w_q` and `w_k` [h, d_model, d_k], `w_v` [h, d_model, d_v], `w_o`
    [h · d_v, d_model]. Raises `UsageError` if the shapes do not fit.
    """
    q, k, v, w_o = _matrix("Q", q), _matrix("K", k), _matrix("V", v), _matrix("W^O", w_o)
    w_q, w_k, w_v = _stack("W^Q", w_q), _stack("W^K", w_k), _stack("W^V", w_v)
    (n, d_model), m, (h, _, d_k), d_v = q.shape, len(k), w_q.shape, w_v.shape[2]
    _require(
        k.shape == v.shape == (m, d_model)
        and w_q.shape == w_k.shape == (h, d_model, d_k)
        and w_v.shape == (h, d_model, d_v)
        and len(w_o) == h * d_v,
        _unfit(**{"Q": q, "K": k, "V": v, "W^Q": w_q, "W^K": w_k, "W^V": w_v, "W^O": w_o}),
    )
    heads = tuple(attention(q @ w_q[i], k @ w_k[i], v @ w_v[i]) for i in range(h))
    output = np.concatenate([head.output for head in heads], axis=1) @ w_o
    steps = (
        AttentionStep("project Q", flops=2 * n * d_model * h * d_k),
        AttentionStep("project K", flops=2 * m * d_model * h * d_k),
        AttentionStep("project V", flops=2 * m * d_model * h * d_v),
        *_added_up(heads),
        AttentionStep("project output", flops=2 * n * h * d_v * w_o.shape[1]),
    )
    return MultiHead(output, heads, steps)


def _added_up(heads: Iterable[AttentionResult]) -> list[AttentionStep]:
    return [
        AttentionStep(same[0].name, sum(s.flops for s in same), sum(s.elementwise_flops for s in same))
        for same in zip(*(head.steps for head in heads), strict=True)
    ]


def _matrix(name: str, x: ArrayLike) -> FloatArray:
    values = np.asarray(x, dtype=np.float64)
    _require(
        values.ndim == 2 and values.size > 0,
        m("{name} must be a matrix (got the shape {shape}).", name=name, shape=str(values.shape)),
    )
    return values


def _stack(name: str, x: ArrayLike) -> FloatArray:
    values = np.asarray(x, dtype=np.float64)
    _require(
        values.ndim == 3 and values.size > 0,
        m("{name} must be one matrix for each head (got the shape {shape}).", name=name, shape=str(values.shape)),
    )
    return values


def _unfit(**matrices: FloatArray) -> Message:
    shapes = listed(f"{name} {x.shape}" for name, x in matrices.items())
    return m("The shapes must fit together (got {shapes}).", shapes=shapes)


def _require(holds: bool, fact: Message) -> None:
    if not holds:
        raise UsageError(fact, "", m("Rows are tokens and columns are features: (1, 2, 3)ᵀ is [[1], [2], [3]]."))
