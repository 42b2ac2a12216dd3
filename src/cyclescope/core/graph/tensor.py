"""Tensors as values: a shape, a dtype and a place in memory, never the data."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

from cyclescope.core.errors import UsageError
from cyclescope.core.message import listed, m

_ITEM_BITS = {
    "float64": 64, "float32": 32, "float16": 16, "bfloat16": 16, "float8_e4m3fn": 8, "float8_e5m2": 8,
    "float8_e4m3fnuz": 8, "float8_e5m2fnuz": 8, "float8_e8m0fnu": 8, "float4_e2m1fn_x2": 8,
    "int64": 64, "int32": 32, "int16": 16, "int8": 8, "uint8": 8, "uint16": 16, "uint32": 32, "uint64": 64,
    "int4": 4, "uint4": 4, "bool": 8, "complex32": 32, "complex64": 64, "complex128": 128, "qint8": 8, "quint8": 8, "qint32": 32,
    "text": 8,
    "quint4x2": 8, "quint2x4": 8, "bits8": 8, "bits16": 16, "bits1x8": 8, "bits2x4": 8, "bits4x2": 8,
}  # fmt: skip


def bits_of(dtype: str) -> int:
    """Bits of one element of `dtype` (a name as torch spells it, without the `torch.`; `text` is UTF-8 bytes)."""
    try:
        return _ITEM_BITS[dtype]
    except KeyError:
        known = m("Known dtypes: {known}.", known=listed(sorted(_ITEM_BITS)))
        raise UsageError(m("Unknown dtype {name}.", name=dtype), "", known) from None


def known_dtypes() -> tuple[str, ...]:
    """All dtypes whose size is known."""
    return tuple(_ITEM_BITS)


class TensorRole(StrEnum):
    """Where a tensor comes from."""

    INPUT = "input"
    PARAMETER = "parameter"
    BUFFER = "buffer"
    CACHE = "cache"  # what earlier steps left behind, where a step is traced by itself
    ACTIVATION = "activation"


@dataclass(frozen=True, slots=True)
class TensorSpec:
    """One tensor of a graph.

    `storage` numbers the memory behind it: tensors with equal `storage` alias each other (views). `stored_bytes` is what
    it takes where that does not follow from shape and dtype (a sparse or packed tensor).
    """

    shape: tuple[int, ...]
    dtype: str
    storage: int
    role: TensorRole = TensorRole.ACTIVATION
    name: str = ""
    stored_bytes: int | None = None

    @property
    def elements(self) -> int:
        return math.prod(self.shape)

    @property
    def bytes(self) -> int:
        if self.stored_bytes is not None:
            return self.stored_bytes
        return (self.elements * bits_of(self.dtype) + 7) // 8
