"""Calls written short."""

from __future__ import annotations

from cyclescope.core.graph.tensor import TensorSpec
from cyclescope.cost.registry import EngineCall, OpCost, estimate_cost


def spec(*shape: int, dtype: str = "float32") -> TensorSpec:
    return TensorSpec(shape, dtype, 0)


def priced(name: str, reads=(), writes=(), /, **arguments: object) -> OpCost:
    """The price of `aten.<name>`."""
    return estimate_cost(EngineCall(f"aten.{name}", tuple(reads), tuple(writes), arguments))
