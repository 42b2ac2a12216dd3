"""The one place where the cost of a call is looked up."""

from __future__ import annotations

from collections.abc import Sequence

from cyclescope.core.graph.op import OpKind
from cyclescope.cost import attention, matmul, movement, onnx, packed, pointwise, recurrent, rows, text
from cyclescope.cost.call import EngineCall, Formula, OpCost, moved

__all__ = ["FORMULAS", "EngineCall", "OpCost", "estimate_cost", "kind_of_group"]

FORMULAS: dict[str, Formula] = {
    **matmul.FORMULAS,
    **packed.FORMULAS,
    **recurrent.FORMULAS,
    **attention.FORMULAS,
    **pointwise.FORMULAS,
    **rows.FORMULAS,
    **movement.FORMULAS,
    **text.FORMULAS,
    **onnx.FORMULAS,
}

_WHOLE = ("int", "uint", "bool", "text")  # dtypes in which no model computes
# What says most about an operation comes first.
_IMPORTANCE = (
    OpKind.ATTENTION,
    OpKind.MATMUL,
    OpKind.CONVOLUTION,
    OpKind.COLLECTIVE,
    OpKind.FFT,
    OpKind.SOFTMAX,
    OpKind.NORM,
    OpKind.ACTIVATION,
    OpKind.EMBEDDING,
    OpKind.SCAN,
    OpKind.REDUCTION,
    OpKind.ELEMENTWISE,
    OpKind.TEXT,
    OpKind.OTHER,
    OpKind.COPY,
    OpKind.VIEW,
)


def estimate_cost(call: EngineCall) -> OpCost:
    """Kind and cost of one call, never negative. Raises only `UsageError`, for a dtype whose size is unknown.

    An operation without a formula, or that is called in a form its formula does not know, is taken as one pass
    over its inputs and outputs with one elementwise operation an element of the result. Its kind is then `OTHER`, and it
    is not `known`, unless it only makes a view or has to do with whole numbers alone.
    """
    if call.is_view:
        return movement.VIEW
    formula = _formula(call.name)
    if formula is not None:
        try:
            return formula(call)
        except (IndexError, ValueError):
            # Fewer tensors or fewer axes than the schema promises: an operation of the same name in another engine.
            pass
    whole = all(spec.dtype.startswith(_WHOLE) for spec in (*call.reads, *call.writes))
    return OpCost(OpKind.OTHER, moved(call, elementwise=call.result_elements), known=whole)


def _formula(name: str) -> Formula | None:
    """By its own name, or by that of the operation whose result it puts in place (`add_`) or into `out`."""
    for candidate in (name, name.removesuffix("_"), name.removesuffix("_out")):
        if formula := FORMULAS.get(candidate):
            return formula
    return None


def kind_of_group(parts: Sequence[OpCost]) -> OpKind:
    """What an operation is that the engine carries out as several calls (`F.linear`, `torch.matmul`, `F.softmax`).

    The kind of its most significant part; a view only if all parts are views, or if there are none (a dropout in
    inference). A matrix product and a softmax in one operation are attention, spelled out.
    """
    kinds = {part.kind for part in parts}
    if kinds >= {OpKind.MATMUL, OpKind.SOFTMAX}:
        return OpKind.ATTENTION
    return next((kind for kind in _IMPORTANCE if kind in kinds), OpKind.VIEW)
