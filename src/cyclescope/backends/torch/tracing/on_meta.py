"""Calls on the meta device, done as the machine in question would do them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from cyclescope.backends.torch.tracing.concrete_values import ConcreteValues, ValueUnknown, affordable
from cyclescope.backends.torch.tracing.known_results import KnownResults

SDPA = torch.nn.functional.scaled_dot_product_attention
_GROUPED = torch.ops.aten._grouped_mm.default
_ALIGNED = 16  # bytes: rows of a grouped product begin at a multiple of this


def on_meta(
    func: Any, args: Sequence[Any], kwargs: dict[str, Any], concrete_values: ConcreteValues, known: KnownResults
) -> Any:
    """Run `func` on meta tensors; where it depends on values, by the values that are known."""
    if _asks_for_values(func, args):
        real = concrete_values.call(func, args, kwargs)
        if real is None:
            raise ValueUnknown(f"{func} needs a value that depends on the weights")
        if not isinstance(real, torch.Tensor | tuple | list):
            return real
        result = torch.utils._pytree.tree_map(lambda t: t.to("meta") if isinstance(t, torch.Tensor) else t, real)
        concrete_values.follow(result, real)
        return result
    if func is _GROUPED and _rows_by_group(args):
        return _grouped_like(args[0], args[1])
    result = known.call(func, args, kwargs)
    if affordable(result):
        real = concrete_values.call(func, args, kwargs)
        if real is not None:
            concrete_values.follow(result, real)
    return result


def _asks_for_values(func: Any, args: Sequence[Any]) -> bool:
    """Whether the shape or the value of the result depends on the values of the arguments."""
    if func is torch.ops.aten.index.Tensor:
        # By positions every shape is known beforehand; only a mask hides how many elements it lets through.
        return any(isinstance(i, torch.Tensor) and i.dtype in (torch.bool, torch.uint8) for i in args[1])
    return torch.Tag.data_dependent_output in func.tags or torch.Tag.dynamic_output_shape in func.tags


def attention_like(
    device: str,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attn_mask: torch.Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> torch.Tensor:
    """Fused attention on the meta device as `device` would run it: one call, whose result lies in memory as the real one.

    Left alone, the meta device takes the unfused path, which no machine takes, and its result is laid out differently,
    so that later copies would be missed. Source: `aten/src/ATen/native/transformers/attention.cpp` (torch 2.13).
    """
    if device == "cpu" and query.dim() == 4 and query.shape[-1] == value.shape[-1] and query.stride(-1) == 1:
        fused = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu  # takes fewer heads of keys as they are
        out: torch.Tensor = fused(query, key, value, dropout_p, is_causal, attn_mask=attn_mask, scale=scale)[0]
        return out
    grouped = query.dim() == 4 and query.shape[-3] != key.shape[-3]
    if device == "cuda" and query.dim() == 4 and query.shape[-1] == value.shape[-1] and not grouped:
        return _attention_on_cuda(query, key, value, attn_mask, dropout_p, is_causal, scale)
    return SDPA(query, key, value, attn_mask, dropout_p, is_causal, scale=scale, enable_gqa=enable_gqa)


def _attention_on_cuda(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    mask: torch.Tensor | None,
    dropout_p: float,
    is_causal: bool,
    scale: float | None,
) -> torch.Tensor:
    """The flash kernel where it can be taken (half precision and no mask), else the memory-efficient one.

    Which of the two decides little here: both read query, key and value once and write no scores.
    """
    aten = torch.ops.aten
    out: torch.Tensor
    if mask is None and query.dtype in (torch.float16, torch.bfloat16):
        out = aten._scaled_dot_product_flash_attention(query, key, value, dropout_p, is_causal, scale=scale)[0]
        return out
    if mask is not None:
        mask = mask.to(query.dtype).expand(*query.shape[:-1], key.shape[-2])
    out = aten._scaled_dot_product_efficient_attention(
        query, key, value, mask, False, dropout_p, is_causal, scale=scale
    )[0]
    return out


def _rows_by_group(args: Sequence[Any]) -> bool:
    return bool(args[0].dim() == 2 and args[1].dim() == 3)


def _grouped_like(left: torch.Tensor, right: torch.Tensor) -> torch.Tensor:
    """The result [rows, N] of a grouped product of `left` [rows, K] with `right` [groups, K, N].

    The meta device takes bfloat16 only, the CPU every type. Source: `aten/src/ATen/native/GroupedMMUtils.h` (torch 2.13).
    """
    rows, width = left.shape[0], right.shape[-1]
    row = -(-width * left.element_size() // _ALIGNED) * _ALIGNED // left.element_size()
    return torch.empty_strided((rows, width), (row, 1), dtype=left.dtype, device="meta")
