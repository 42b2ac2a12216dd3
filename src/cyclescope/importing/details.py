"""Records of arguments: what a trace says about an event beside its name and time, once for all events with the same record."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import Any, TypeAlias

# A tensor's sizes; a list of tensors has one for each; a scalar has none: ().
Shape: TypeAlias = "tuple[int, ...] | tuple[Shape, ...]"


@dataclass(frozen=True)
class Detail:
    """One record. `inputs` are the shapes of the inputs, `dtypes` and `strides` alike, `concrete` the scalars as texts ("" for tensors).

    All are empty where the trace has none. `others` are the remaining facts by their names in the trace: "grid", "block", "bytes",
    "graph id", "graph node id", "Collective name", "Python module id"….
    """

    inputs: tuple[Shape, ...] = ()
    dtypes: tuple[str, ...] = ()
    strides: tuple[Shape, ...] = ()
    concrete: tuple[str, ...] = ()
    outputs: tuple[Shape, ...] = ()
    others: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, eq=False)
class Details:
    """`raw` are the distinct records as JSON objects; one becomes a `Detail` when it is asked for."""

    raw: tuple[bytes, ...] = ()

    def __len__(self) -> int:
        return len(self.raw)

    @cached_property
    def _made(self) -> dict[int, Detail]:
        return {}

    def __getitem__(self, index: int) -> Detail:
        """The record at `index`; that at −1 is empty."""
        if index < 0:
            return Detail()
        if index not in self._made:
            self._made[index] = parsed(self.raw[index])
        return self._made[index]


# The names of columns of `Detail` in the traces of PyTorch, and in those of the other formats as their readers write them.
_TYPED = {"input_type_shape": ("inputs", "dtypes"), "output_type_shape": ("outputs", "")}
_COLUMNS = {
    "Input Dims": "inputs",
    "Input type": "dtypes",
    "Input Strides": "strides",
    "Concrete Inputs": "concrete",
    "Output Dims": "outputs",
}


def parsed(raw: bytes) -> Detail:
    """`raw`, a JSON object, as a record; what is none has no facts."""
    try:
        record = json.loads(raw)
    except (ValueError, RecursionError):
        record = {}
    if not isinstance(record, dict):
        record = {}
    columns: dict[str, Any] = {}
    for name, value in record.items():
        if name in _COLUMNS and isinstance(value, list):
            columns[_COLUMNS[name]] = _frozen(value)
        elif name in _TYPED and isinstance(value, list):
            pairs = [pair for typed in value if isinstance(typed, dict) for pair in typed.items()]
            shapes, dtypes = _TYPED[name]
            columns[shapes] = tuple(_frozen(shape) for _, shape in pairs)
            columns |= {dtypes: tuple(dtype for dtype, _ in pairs)} if dtypes else {}
    others = {name: value for name, value in record.items() if name not in _COLUMNS and name not in _TYPED}
    return Detail(**columns, others=MappingProxyType(others))


def _frozen(value: Any) -> Any:
    return tuple(map(_frozen, value)) if isinstance(value, list) else value
