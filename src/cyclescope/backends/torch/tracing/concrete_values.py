"""Real values beside meta tensors, for the few that a model decides by.

On the meta device a tensor has a shape and no values, yet models branch on some: whether a mask hides anything, how many
positions there are. All of those are computed from small integer inputs, never from weights. So every tensor that
descends only from values that are known here carries its real value along, computed by the same calls on
the CPU; what depends on a weight has none, and a model that branches on it cannot be traced without its weights.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch.utils._pytree import tree_flatten, tree_map
from torch.utils.weak import WeakTensorKeyDictionary

from cyclescope.backends.torch.tracing.layouts import footprint, leaves

# A value that spans more memory than this is not carried along: masks of a few thousand positions squared still are.
_MOST_BYTES = 1 << 27


class ValueUnknown(Exception):
    """The model asked for a value that depends on weights, which a meta tensor does not have."""


class ConcreteValues:
    """The known values, by meta tensor. Views of a meta tensor have views of its value, so writes in place agree."""

    def __init__(self) -> None:
        self._value = WeakTensorKeyDictionary()

    def attach(self, tensor: torch.Tensor, value: torch.Tensor) -> None:
        self._value[tensor] = value

    def of(self, tensor: torch.Tensor) -> torch.Tensor | None:
        value: torch.Tensor | None = self._value.get(tensor)
        return value

    def call(self, func: Callable[..., Any], args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
        """`func` on the real values, or None where one of the tensors among the arguments has no known value."""
        for tensor in leaves((args, kwargs)):
            if tensor.device.type == "meta" and tensor not in self._value:
                return None
        real_args, real_kwargs = tree_map(self._real, (tuple(args), kwargs))
        if isinstance(real_kwargs.get("device"), torch.device):
            real_kwargs = {**real_kwargs, "device": torch.device("cpu")}
        return func(*real_args, **real_kwargs)

    def _real(self, leaf: Any) -> Any:
        if isinstance(leaf, torch.Tensor) and leaf.device.type == "meta":
            return self._value[leaf]
        if isinstance(leaf, torch.device) and leaf.type == "meta":
            return torch.device("cpu")
        return leaf

    def follow(self, result: Any, real: Any) -> None:
        """Attach the values `real` of a call to its meta `result`, tensor by tensor."""
        for meta, value in zip(tree_flatten(result)[0], tree_flatten(real)[0], strict=True):
            if isinstance(meta, torch.Tensor) and meta.device.type == "meta" and footprint(value) <= _MOST_BYTES:
                self.attach(meta, value)


def affordable(result: Any) -> bool:
    """Whether a result is small enough to be computed for real beside the meta tensor."""
    return all(footprint(tensor) <= _MOST_BYTES for tensor in leaves(result))
