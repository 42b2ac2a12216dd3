"""What a tensor holds in memory, where its shape does not say: sparse, nested and packed tensors."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import Any

import torch

_OWN = (torch.Tensor, torch.nn.Parameter)
_COMPRESSED = (torch.sparse_csr, torch.sparse_csc, torch.sparse_bsr, torch.sparse_bsc)


def is_plain(tensor: torch.Tensor) -> bool:
    """Whether size and stride say all about the memory of `tensor`; asked first, since nearly every tensor is so."""
    return type(tensor) in _OWN and tensor.layout is torch.strided and not tensor.is_nested


def held(tensor: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """The tensors that `tensor` keeps its values in; itself where it has memory of its own."""
    if is_plain(tensor):
        return (tensor,)
    kept: Any = tensor
    # Looking at it is no operation of the model.
    with torch._C.DisableTorchFunction(), torch._C._DisableTorchDispatch():
        if tensor.layout is torch.sparse_coo:
            return kept._values(), kept._indices()
        if tensor.layout in _COMPRESSED:
            by_row = tensor.layout in (torch.sparse_csr, torch.sparse_bsr)
            where = (kept.crow_indices(), kept.col_indices()) if by_row else (kept.ccol_indices(), kept.row_indices())
            return (kept.values(), *where)
    if type(tensor) is not torch.Tensor and hasattr(tensor, "__tensor_flatten__"):
        names, _ = kept.__tensor_flatten__()
        return tuple(part for name in names for part in held(getattr(kept, name)))
    return (tensor,)


def shape_of(tensor: torch.Tensor) -> tuple[int, ...]:
    """Its shape; of a nested tensor [B, S of each, …] the rows of all one after the other: [sum of S, …]."""
    if is_plain(tensor):
        return tuple(tensor.shape)
    rows = lengths_of(tensor)
    if not rows:
        return tuple(tensor.shape)
    return (sum(rows), prod(_sizes(tensor)[0][1:]))


def lengths_of(tensor: torch.Tensor) -> tuple[int, ...]:
    """The lengths S of the parts of a nested tensor; empty for any other."""
    if is_plain(tensor):
        return ()
    return tuple(row[0] for row in _sizes(tensor))


def _sizes(tensor: torch.Tensor) -> list[list[int]]:
    if not tensor.is_nested or tensor.layout is torch.jagged:
        return []  # a jagged one is a tensor with parts, and knows its shape
    with torch._C.DisableTorchFunction(), torch._C._DisableTorchDispatch():
        sizes: list[list[int]] = tensor._nested_tensor_size().tolist()
    return sizes


def nonzeros_of(tensor: torch.Tensor) -> int:
    """The elements that a sparse tensor keeps; −1 for any other."""
    sparse = tensor.layout is torch.sparse_coo or tensor.layout in _COMPRESSED
    return held(tensor)[0].numel() if sparse else -1


def holds_sparse(model: torch.nn.Module) -> bool:
    """Whether a parameter or a buffer of `model` is sparse."""
    return any(nonzeros_of(tensor) >= 0 for tensor in (*model.parameters(), *model.buffers()))


def stored_bytes(tensor: torch.Tensor) -> int | None:
    """The bytes that `tensor` takes; None where they follow from its shape and dtype."""
    if is_plain(tensor):
        return None
    parts = held(tensor)
    return None if parts[0] is tensor else sum(part.numel() * part.element_size() for part in parts)


def footprint(tensor: torch.Tensor) -> int:
    """Bytes of memory that `tensor` really spans: an expanded dimension has no memory of its own."""
    if not is_plain(tensor):
        stored = stored_bytes(tensor)
        if stored is not None:
            return stored
        if lengths_of(tensor):
            return prod(shape_of(tensor)) * tensor.element_size()
    elements = 1
    for size, stride in zip(tensor.shape, tensor.stride(), strict=True):
        elements *= size if stride else min(size, 1)
    return elements * tensor.element_size()


def leaves(value: Any) -> Iterator[torch.Tensor]:
    """The tensors inside of plain arguments, in order: what `torch.utils._pytree` does, at a tenth of the time."""
    if isinstance(value, torch.Tensor):
        yield value
    elif isinstance(value, list | tuple):
        for part in value:
            yield from leaves(part)
    elif isinstance(value, dict):
        for part in value.values():
            yield from leaves(part)
