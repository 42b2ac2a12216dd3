"""Where Python enters the engine: the functions that a model calls, and every name under which it can reach them.

`TorchFunctionMode` names a call by the function object (`torch.Tensor.add` for `x + y`), while code reaches that function
through many patch points: a module attribute, a copy imported elsewhere, an attribute of a layer (an activation function), an
operator. To instrument calls without a mode, every patch point must be found.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import torch
from torch.overrides import TorchFunctionMode


@dataclass(frozen=True, slots=True)
class PatchPoint:
    """`owner.name` leads to the function that is reported as `function`; what lies there now is `current`."""

    owner: Any
    name: str
    function: Callable[..., Any]
    current: Any


class _Reported(TorchFunctionMode):
    """Remembers under which function object the next call is reported."""

    def __init__(self) -> None:
        super().__init__()
        self.function: Callable[..., Any] | None = None

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        if self.function is None:
            self.function = func
        return func(*args, **(kwargs or {}))


@cache
def _operators() -> dict[int, tuple[str, ...]]:
    """Special methods of `torch.Tensor` by the identity of the function object that their calls are reported as.

    Asked of this torch by calling each on two small tensors, since the pairing differs between versions.
    """
    pairs: dict[int, list[str]] = {}
    for name in dir(torch.Tensor):
        if not (name.startswith("__") and name.endswith("__")) or not callable(getattr(torch.Tensor, name, None)):
            continue
        for operands in ((torch.ones(2, 2),), (), (2,)):
            target = torch.full((2, 2), 2.0)
            reported = _Reported()
            try:
                with reported:
                    result = getattr(torch.Tensor, name)(target, *operands)
            except Exception:
                continue
            if result is NotImplemented or not isinstance(result, torch.Tensor):
                continue
            if reported.function is not None and reported.function is not getattr(torch.Tensor, name):
                pairs.setdefault(id(reported.function), []).append(name)
                break
    return {key: tuple(names) for key, names in pairs.items()}


def patch_points(functions: Iterable[Callable[..., Any]], model: torch.nn.Module) -> Iterator[PatchPoint]:
    """Every patch point of each of `functions`: in loaded modules, in the model's own layers, on the tensor class."""
    wanted = {id(f): f for f in functions}
    for module in tuple(sys.modules.values()):
        # A module that loads its names lazily must not be made to load them here, so only what stands in it counts.
        yield from _in_space(module, getattr(module, "__dict__", None), wanted)
    classes = dict.fromkeys(owner for layer in model.modules() for owner in type(layer).__mro__)
    for layer in model.modules():
        yield from _in_space(layer, layer.__dict__, wanted)
    for owner in classes:
        if owner not in (torch.nn.Module, object):
            for name, value in tuple(vars(owner).items()):
                uninstrumented = value.__func__ if isinstance(value, staticmethod) else value
                if id(uninstrumented) in wanted:
                    yield PatchPoint(owner, name, wanted[id(uninstrumented)], value)
    on_tensor: dict[int, list[str]] = {}
    for name in dir(torch.Tensor):
        on_tensor.setdefault(id(getattr(torch.Tensor, name, None)), []).append(name)
    for key, function in wanted.items():
        for name in on_tensor.get(key, ()):
            yield PatchPoint(torch.Tensor, name, function, getattr(torch.Tensor, name))
        if key in on_tensor:
            for name in _operators().get(key, ()):
                yield PatchPoint(torch.Tensor, name, function, getattr(torch.Tensor, name))


def _in_space(owner: Any, space: Any, wanted: Mapping[int, Callable[..., Any]]) -> Iterator[PatchPoint]:
    """The names of `owner` in `space` that lead to a function that is wanted.

    Nearly all of some thousand modules have none, which is found without a step of Python for each of their names.
    """
    if not isinstance(space, dict) or wanted.keys().isdisjoint(map(id, tuple(space.values()))):
        return
    for name, value in tuple(space.items()):
        if id(value) in wanted:
            yield PatchPoint(owner, name, wanted[id(value)], value)
