"""How many parameters a model has and what they take, also where they are not kept as tensors of their shape."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

import torch

from cyclescope.backends.torch.tracing.layouts import nonzeros_of, stored_bytes

_BITS = ("bits", "w_bit", "wbits")  # as modules with packed integers call the bits of a weight


@dataclass(frozen=True, slots=True)
class Size:
    """A number of parameters, and the bytes that they take: scales, offsets and indices included."""

    number: int
    bytes: int

    def __add__(self, other: Size) -> Size:
        return Size(self.number + other.number, self.bytes + other.bytes)


def size_of(model: torch.nn.Module) -> Size:
    """The parameters of `model`, each counted once: plain, sparse, quantized in place or packed away by their module."""
    plain = {id(p): p for p in model.parameters()}.values()
    return sum((*map(_of_parameter, plain), *_packed(model)), Size(0, 0))


def computing_dtype(model: torch.nn.Module) -> torch.dtype:
    """The dtype that `model` computes in: that of its first parameter that is a floating number and no packed one."""
    floating = (p.dtype for p in model.parameters() if p.is_floating_point())
    return next(floating, torch.float32)


def _of_parameter(parameter: Any) -> Size:
    state = getattr(parameter, "quant_state", None)
    if (shape := getattr(state, "shape", None)) is not None:  # bitsandbytes: two weights of four bits in a byte
        scales = [getattr(state, name, None) for name in ("absmax", "code", "offset")]
        nested = getattr(state, "state2", None)
        scales += [getattr(nested, name, None) for name in ("absmax", "code")]
        return Size(prod(shape), parameter.nbytes + sum(t.nbytes for t in scales if isinstance(t, torch.Tensor)))
    stored = stored_bytes(parameter)
    kept = nonzeros_of(parameter)
    return Size(
        parameter.numel() if kept < 0 else kept,
        parameter.numel() * parameter.element_size() if stored is None else stored,
    )


def _packed(model: torch.nn.Module) -> Iterator[Size]:
    """What modules keep that is no parameter: PyTorch's quantized layers, and tables of packed integers."""
    for module in model.modules():
        if "torch.ao.nn" in type(module).__module__ or "torch.nn.quantized" in type(module).__module__:
            yield from map(_of_weight, _unpacked(module))
        table = getattr(module, "qweight", None)
        bits = next((getattr(module, name) for name in _BITS if isinstance(getattr(module, name, None), int)), 0)
        if isinstance(table, torch.Tensor) and not isinstance(table, torch.nn.Parameter) and bits:
            beside = [getattr(module, name, None) for name in ("scales", "qzeros", "bias", "g_idx")]
            size = table.nbytes + sum(t.nbytes for t in beside if isinstance(t, torch.Tensor))
            yield Size(table.numel() * table.element_size() * 8 // bits, size)


def _unpacked(module: Any) -> Iterator[torch.Tensor]:
    """Weights and biases that a quantized layer of PyTorch gives out; those of layers inside it are theirs."""
    packed = getattr(module, "_packed_params", None)
    if (
        packed is not None
        and not isinstance(packed, torch.nn.Module)
        and callable(getattr(module, "_weight_bias", None))
    ):
        given: tuple[Any, ...] = module._weight_bias()
    elif callable(getattr(module, "get_weight", None)) and callable(getattr(module, "get_bias", None)):
        weights, biases = module.get_weight(), module.get_bias()
        given = (*_values(weights), *_values(biases))
    else:
        return
    yield from (t for t in given if isinstance(t, torch.Tensor))


def _values(found: Any) -> tuple[Any, ...]:
    return tuple(found.values()) if isinstance(found, Mapping) else (found,)


def _of_weight(weight: torch.Tensor) -> Size:
    scales = 0
    if weight.is_quantized and weight.qscheme() in (torch.per_channel_affine, torch.per_channel_symmetric):
        scales = weight.q_per_channel_scales().nbytes + weight.q_per_channel_zero_points().nbytes
    return Size(weight.numel(), weight.numel() * weight.element_size() + scales)
