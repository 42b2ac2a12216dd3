"""Where a tensor that is split among ranks along one dimension stays split: the rule of each kind of operation.

A rule says to which dimensions of a result a dimension of an operand leads, by shapes alone. Where two dimensions are of one
size a transposition does not show which is which: then both are kept, and what follows decides.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TypeAlias

from cyclescope.core.graph.op import OpKind

Shape: TypeAlias = tuple[int, ...]
Dims: TypeAlias = frozenset[int]
NOWHERE: Dims = frozenset()

_TRANSPOSES = frozenset(
    ["transpose", "transpose_", "permute", "t", "T", "mT", "H", "mH", "swapaxes", "swapdims", "movedim", "moveaxis", "adjoint", "numpy_T"]
)  # fmt: skip
_LINEAR = frozenset(["mul", "mul_", "div", "div_", "neg", "neg_", "sum", "mean"])


def leads_to(name: str, kind: OpKind, operand: Shape, dim: int, result: Shape) -> Dims:
    """The dimensions of `result` that dimension `dim` of `operand` can become; none where it ends there."""
    rule = _RULES.get(kind)
    return rule(name.rpartition(".")[2].strip("_") or name, operand, dim, result) if rule is not None else NOWHERE


def keeps_sums(name: str, kind: OpKind) -> bool:
    """Whether the sum over ranks may be taken after this operation as well as before it: it is linear."""
    return kind in (OpKind.VIEW, OpKind.COPY) or name.strip("_") in _LINEAR


def _moved(name: str, operand: Shape, dim: int, result: Shape) -> Dims:
    """Views and copies."""
    if name.rstrip("_") in _TRANSPOSES or name in _TRANSPOSES:
        return frozenset(e for e, size in enumerate(result) if size == operand[dim])
    if _elements(operand) == _elements(result):
        return _reshaped(operand, dim, result)
    if len(operand) == len(result):
        return frozenset([dim])  # a part of the tensor, or several put together: also along `dim` itself, part by part
    if len(result) > len(operand):
        return _from_the_right(operand, dim, result)
    dropped = len(operand) - len(result)
    return frozenset(
        e for e in range(max(0, dim - dropped), min(dim, len(result) - 1) + 1) if result[e] == operand[dim]
    )


def _reshaped(operand: Shape, dim: int, result: Shape) -> Dims:
    """The dimensions of `result` that the elements of `dim` are laid out over."""
    if operand == result:
        return frozenset([dim])
    before = _elements(operand[:dim])
    behind = before * operand[dim]
    found = set()
    offset = 1
    for e, size in enumerate(result):
        begin, offset = offset, offset * size
        # The dimension lies within `dim`, or holds it whole and begins with it or before it.
        if size > 1 and ((before <= begin and offset <= behind) or (begin <= before and behind <= offset)):
            found.add(e)
    return frozenset(found)


def _from_the_right(operand: Shape, dim: int, result: Shape) -> Dims:
    """Broadcasting: dimensions are counted from the last."""
    e = dim + len(result) - len(operand)
    return frozenset([e]) if e >= 0 and result[e] == operand[dim] else NOWHERE


def _pointwise(_: str, operand: Shape, dim: int, result: Shape) -> Dims:
    return _from_the_right(operand, dim, result)


def _by_rows(_: str, operand: Shape, dim: int, result: Shape) -> Dims:
    """Softmax and norms look at whole rows."""
    return _from_the_right(operand, dim, result) if dim != len(operand) - 1 else NOWHERE


def _reduced(_: str, operand: Shape, dim: int, result: Shape) -> Dims:
    """What is reduced is taken to be the last dimension of several of one size."""
    if dim == len(operand) - 1:
        return NOWHERE
    if len(operand) == len(result):
        return frozenset([dim]) if result[dim] == operand[dim] else NOWHERE
    lost = len(operand) - len(result)
    return frozenset(e for e in (dim, dim - lost) if 0 <= e < len(result) and result[e] == operand[dim])


def _heads(_: str, operand: Shape, dim: int, result: Shape) -> Dims:
    """Fused attention of [batch, heads, tokens, size]."""
    return frozenset([1]) if dim == 1 and len(operand) == len(result) == 4 else NOWHERE


def _elements(shape: Shape) -> int:
    product = 1
    for size in shape:
        product *= size
    return product


_RULES: Mapping[OpKind, Callable[[str, Shape, int, Shape], Dims]] = MappingProxyType(
    {
        OpKind.VIEW: _moved,
        OpKind.COPY: _moved,
        OpKind.ELEMENTWISE: _pointwise,
        OpKind.ACTIVATION: _pointwise,
        OpKind.SOFTMAX: _by_rows,
        OpKind.NORM: _by_rows,
        OpKind.REDUCTION: _reduced,
        OpKind.ATTENTION: _heads,
    }
)
