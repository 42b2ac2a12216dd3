"""The shape of what an operation gives, from those of what it takes and its scalars: traces tell only the latter two.

Rules by the schemas of ATen (pytorch/aten/src/ATen/native/native_functions.yaml).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np

Shape: TypeAlias = tuple[int, ...]
# Shapes of the tensors that are read, and the scalars by their position among all arguments.
Rule: TypeAlias = Callable[[Sequence[Shape], Sequence[str]], Shape]


def scalar(concrete: Sequence[str], position: int, default: Any) -> Any:
    """The scalar or list of scalars at `position`; `default` where the trace does not tell."""
    text = concrete[position] if position < len(concrete) else ""
    if text in ("True", "False"):
        return text == "True"
    try:
        return json.loads(text.rstrip(".") if text.endswith(".") else text)
    except ValueError:
        return default


def _same(reads: Sequence[Shape], concrete: Sequence[str]) -> Shape:
    return reads[0]


def _broadcast(reads: Sequence[Shape], concrete: Sequence[str]) -> Shape:
    return tuple(int(side) for side in np.broadcast_shapes(*reads))


def _matmul(reads: Sequence[Shape], concrete: Sequence[str]) -> Shape:
    left, right = reads[0], reads[1]
    if len(left) < 2 or len(right) < 2:
        return (*left[:-1], *right[:-2], *right[-1:]) if len(right) > 1 else left[:-1]
    return (*np.broadcast_shapes(left[:-2], right[:-2]), left[-2], right[-1])


def _added_product(reads: Sequence[Shape], concrete: Sequence[str]) -> Shape:
    return _matmul(reads[1:], concrete)


def _linear(reads: Sequence[Shape], concrete: Sequence[str]) -> Shape:
    return (*reads[0][:-1], reads[1][0])


def _attention(reads: Sequence[Shape], concrete: Sequence[str]) -> Shape:
    return (*reads[0][:-1], reads[2][-1])


def _embedding(reads: Sequence[Shape], concrete: Sequence[str]) -> Shape:
    return (*reads[1], *reads[0][1:])


def _select_rows(reads: Sequence[Shape], concrete: Sequence[str]) -> Shape:
    axis = scalar(concrete, 1, 0)
    source = list(reads[0])
    source[axis] = reads[1][0]
    return tuple(source)


def _as_index(reads: Sequence[Shape], concrete: Sequence[str]) -> Shape:
    return reads[1]


def _reduced(reads: Sequence[Shape], concrete: Sequence[str]) -> Shape:
    axes, keep = scalar(concrete, 1, None), scalar(concrete, 2, False)
    if axes is None:
        return ()
    gone = {axis % len(reads[0]) for axis in ([axes] if isinstance(axes, int) else axes)} if reads[0] else set()
    return tuple(1 if i in gone else side for i, side in enumerate(reads[0]) if keep or i not in gone)


def _convolution(reads: Sequence[Shape], concrete: Sequence[str]) -> Shape:
    """(input, weight, bias, stride, padding, dilation, transposed, output padding, groups)"""
    source, weight = reads[0], reads[1]
    axes = len(source) - 2
    stride, padding, dilation = (scalar(concrete, 3 + i, [value]) for i, value in enumerate((1, 0, 1)))
    if scalar(concrete, 6, False) is True:
        raise ValueError("transposed")

    def each(values: Any, i: int) -> int:
        return int(values[i] if len(values) > 1 else values[0])

    sides = [
        (source[2 + i] + 2 * each(padding, i) - each(dilation, i) * (weight[2 + i] - 1) - 1) // each(stride, i) + 1
        for i in range(axes)
    ]
    return (source[0], weight[0], *sides)


def _joined(reads: Sequence[Shape], concrete: Sequence[str]) -> Shape:
    axis = scalar(concrete, 1, 0)
    found = list(reads[0])
    found[axis] = sum(shape[axis] for shape in reads)
    return tuple(found)


_REDUCED = ("sum", "mean", "amax", "amin", "argmax", "argmin", "all", "any", "prod", "max", "min", "var", "std", "norm")
_PRODUCTS = ("mm", "bmm", "mv", "dot", "matmul", "_int_mm", "_scaled_mm")
_ADDED = ("addmm", "baddbmm", "addmv", "_addmm_activation")
_ATTENTIONS = (
    "scaled_dot_product_attention", "_scaled_dot_product_flash_attention", "_scaled_dot_product_flash_attention_for_cpu",
    "_scaled_dot_product_efficient_attention", "_scaled_dot_product_cudnn_attention", "_scaled_dot_product_attention_math",
    "_scaled_dot_product_fused_attention_overrideable",
)  # fmt: skip
_CONVOLUTIONS = ("convolution", "_convolution", "cudnn_convolution", "mkldnn_convolution")
RULES: dict[str, Rule] = {
    **dict.fromkeys(_PRODUCTS, _matmul),
    **dict.fromkeys(_ADDED, _added_product),
    **dict.fromkeys(_ATTENTIONS, _attention),
    **dict.fromkeys(_REDUCED, _reduced),
    **dict.fromkeys(_CONVOLUTIONS, _convolution),
    "linear": _linear,
    "embedding": _embedding,
    "index_select": _select_rows,
    "gather": _as_index,
    "cat": _joined,
    **dict.fromkeys(("layer_norm", "native_layer_norm", "rms_norm", "_fused_rms_norm", "native_group_norm"), _same),
    **dict.fromkeys(("softmax", "_softmax", "log_softmax", "_log_softmax", "_safe_softmax", "cumsum", "copy_"), _same),
}


def result_of(name: str, reads: Sequence[Shape], concrete: Sequence[str]) -> Shape:
    """The shape of the first result of ATen's operation `name`. Raises `ValueError` or `IndexError` where it does not follow."""
    rule = RULES.get(name)
    if rule is None:
        rule = _same if name.endswith("_") else _broadcast
    return rule(reads, concrete)
