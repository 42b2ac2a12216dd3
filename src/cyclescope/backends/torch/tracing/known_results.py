"""Results on the meta device that were seen before: a model asks the same of all its layers, and the answer is a shape."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

_Layout = tuple[tuple[int, ...], tuple[int, ...], torch.dtype]
_PLAIN = (torch.Tensor, torch.nn.Parameter)
_VALUES = (int, float, bool, str, complex, type(None), torch.dtype, torch.device, torch.layout, torch.memory_format)


class KnownResults:
    """What calls without memory of their own gave, by function and by the layout of all that they were given.

    Only results that lie in new memory are known: a view and a write in place are done each time. Many calls are
    described in Python on the meta device, at some hundred microseconds each.
    """

    def __init__(self) -> None:
        self._known: dict[object, tuple[_Layout, ...] | None] = {}

    def call(self, func: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
        """`func(*args, **kwargs)`, where all tensors are on the meta device."""
        tensors: list[torch.Tensor] = []
        key = _key(func, args, kwargs, tensors)
        if key is None:
            return func(*args, **kwargs)
        known = self._known.get(key)
        if known is not None:
            made = [torch.empty_strided(size, stride, dtype=dtype, device="meta") for size, stride, dtype in known]
            return made[0] if len(made) == 1 else tuple(made)
        result = func(*args, **kwargs)
        if key not in self._known:
            self._known[key] = _layouts(result, tensors)
        return result


def _key(func: Any, args: Sequence[Any], kwargs: dict[str, Any], tensors: list[torch.Tensor]) -> object | None:
    """Function and layouts; None where an argument is of a kind that could matter in another way. Fills `tensors`."""
    try:
        parts = tuple(_described(value, tensors) for value in args)
        named = tuple((name, _described(value, tensors)) for name, value in kwargs.items())
    except TypeError:
        return None
    return (func, parts, named) if tensors and all(t.device.type == "meta" for t in tensors) else None


def _described(value: Any, tensors: list[torch.Tensor]) -> object:
    """What a call can see of `value`. Raises `TypeError` for what is not plain."""
    if isinstance(value, torch.Tensor):
        if type(value) not in _PLAIN or value.layout is not torch.strided or value.is_conj() or value.is_neg():
            raise TypeError
        tensors.append(value)
        return tuple(value.shape), value.stride(), value.dtype
    if isinstance(value, list | tuple):
        return type(value), tuple(_described(part, tensors) for part in value)
    if type(value) not in _VALUES:
        raise TypeError
    return type(value), value


def _layouts(result: Any, given: Sequence[torch.Tensor]) -> tuple[_Layout, ...] | None:
    """Layouts of the tensors of `result`; None unless they are plain and lie in memory that was not there before."""
    several = type(result) is tuple and len(result) > 1
    results = list(result) if several else [result]
    if not all(type(t) is torch.Tensor and t.layout is torch.strided and t.device.type == "meta" for t in results):
        return None
    storages = [t.untyped_storage()._cdata for t in (*given, *results)]
    own = storages[len(given) :]
    if len(set(own)) < len(own) or set(own) & set(storages[: len(given)]) or any(t.storage_offset() for t in results):
        return None
    return tuple((tuple(t.shape), t.stride(), t.dtype) for t in results)
