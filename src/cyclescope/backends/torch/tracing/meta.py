"""A model of a real class without its memory: weights on the meta device, small buffers with their values beside them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

from cyclescope.backends.torch.tracing.concrete_values import ConcreteValues

# Methods and functions that draw the first values of a weight, by name, since transformers puts its own in the place of those
# of PyTorch. On the meta device there are no values, and yet each call would take as long as a layer does to be traced.
_DRAWS = frozenset(
    ("normal_", "uniform_", "trunc_normal_", "kaiming_uniform_", "kaiming_normal_", "xavier_uniform_", "xavier_normal_")
)


class _WeightsOnMeta(TorchFunctionMode):
    """Layers make their weights with `torch.empty`; those go to the meta device, everything else is made for real."""

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if func is torch.empty and kwargs.get("device") is None:
            kwargs = {**kwargs, "device": "meta"}
        if getattr(func, "__name__", "") in _DRAWS:
            weight = args[0] if args else kwargs.get("tensor")
            if isinstance(weight, torch.Tensor) and weight.device.type == "meta":
                return weight
        return func(*args, **kwargs)


def build_on_meta(build: Callable[[], torch.nn.Module], concrete_values: ConcreteValues) -> torch.nn.Module:
    """The model that `build` makes, with all tensors on the meta device; the values of its buffers go to `concrete_values`."""
    with _WeightsOnMeta():
        model = build().eval()
    for module in model.modules():
        for name, parameter in list(module._parameters.items()):
            if parameter is not None and parameter.device.type != "meta":
                on_meta = torch.nn.Parameter(parameter.detach().to("meta"), requires_grad=False)
                module._parameters[name] = on_meta
        for name, buffer in list(module._buffers.items()):
            if buffer is not None and buffer.device.type != "meta":
                module._buffers[name] = to_meta(buffer, concrete_values)
    return model


def to_meta(value: torch.Tensor, concrete_values: ConcreteValues) -> torch.Tensor:
    """A meta tensor like `value`, which is remembered as its known value."""
    made = torch.empty_like(value, device="meta")
    concrete_values.attach(made, value.detach().to("cpu"))
    return made
