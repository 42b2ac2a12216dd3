"""The large weights of an exported file, kept out of it while its graph is changed: what takes long is not the graph.

A pass over a graph that holds a gigabyte of weights reads and writes all of them. Here they are inputs of the graph until the
engine has made its passes, and go back as places in one file of weights.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper
from onnx.external_data_helper import ExternalDataInfo

from cyclescope.core.units import AnyArray

_LARGE_BYTES = 1 << 14  # what is smaller stays in the graph, where constants can be computed with
_PAGE = 4096  # at which each begins in a file, so that it can be mapped into memory


@dataclass(frozen=True, eq=False)
class _Stored:
    """A weight in the file `path`, at `offset`."""

    path: Path
    offset: int
    dims: tuple[int, ...]
    dtype: Any

    @property
    def array(self) -> AnyArray:
        return np.memmap(self.path, self.dtype, "r", self.offset, self.dims)


@dataclass(frozen=True, eq=False)
class HiddenWeights:
    """Weights by name: of those in `_stored` the file tells, those in `_made` were made here."""

    _stored: Mapping[str, _Stored]
    _made: dict[str, AnyArray] = field(default_factory=dict)

    def __contains__(self, name: object) -> bool:
        return name in self._stored or name in self._made

    def array(self, name: str) -> AnyArray:
        """The numbers of a weight; those in a file are read when they are looked at."""
        return self._made[name] if name in self._made else self._stored[name].array

    def add(self, graph: onnx.GraphProto, name: str, array: AnyArray) -> str:
        """A new weight of `graph`, hidden as the others are."""
        self._made[name] = array
        kind = helper.np_dtype_to_tensor_dtype(array.dtype)
        graph.input.append(helper.make_tensor_value_info(name, kind, array.shape))
        return name

    def put_back(self, model: onnx.ModelProto, path: Path) -> None:
        """Write `model` to `path` with the weights that it reads in a file beside it."""
        graph, beside = model.graph, path.with_name(f"{path.name}.weights")
        read = {name for node in graph.node for name in node.input}
        kept = [value for value in graph.input if value.name not in self]
        names = [value.name for value in graph.input if value.name in self and value.name in read]
        del graph.input[:]
        graph.input.extend(kept)
        for name, offset in self._write(names, beside).items():
            graph.initializer.append(_placed(name, self.array(name), beside.name, offset))
        onnx.save_model(model, str(path))

    def _write(self, names: list[str], path: Path) -> dict[str, int]:
        """Write the weights to `path`, one after the other; where each begins."""
        places = {}
        with path.open("wb") as file:
            for name in names:
                file.seek(-file.tell() % _PAGE, os.SEEK_CUR)
                places[name] = file.tell()
                np.ascontiguousarray(self.array(name)).tofile(file)
        return places


def hide_weights(model: onnx.ModelProto, folder: Path) -> HiddenWeights:
    """Turn the weights of products and what else is large in `model`, which was loaded without them from `folder`, into inputs
    of its graph.
    """
    graph, kept = model.graph, []
    stored: dict[str, _Stored] = {}
    weights = HiddenWeights(stored)
    for tensor in graph.initializer:
        place = _place(tensor, folder)
        if len(tensor.dims) != 2 and np.prod(tensor.dims) * place.dtype.itemsize < _LARGE_BYTES:
            inside = tensor.data_location != onnx.TensorProto.EXTERNAL
            kept.append(tensor if inside else numpy_helper.from_array(place.array, tensor.name))
        elif tensor.data_location == onnx.TensorProto.EXTERNAL:
            stored[tensor.name] = place
            graph.input.append(helper.make_tensor_value_info(tensor.name, tensor.data_type, tensor.dims))
        else:
            weights.add(graph, tensor.name, numpy_helper.to_array(tensor))
    del graph.initializer[:]
    graph.initializer.extend(kept)
    return weights


def _place(tensor: onnx.TensorProto, folder: Path) -> _Stored:
    """Where the numbers of `tensor` are, if they are not inside it."""
    info = ExternalDataInfo(tensor)
    dtype = np.dtype(helper.tensor_dtype_to_np_dtype(tensor.data_type))
    return _Stored(folder / info.location, info.offset or 0, tuple(tensor.dims), dtype)


def _placed(name: str, array: AnyArray, location: str, offset: int) -> onnx.TensorProto:
    """The weight `name`, `offset` bytes behind the beginning of the file `location`."""
    tensor = onnx.TensorProto(name=name, data_type=helper.np_dtype_to_tensor_dtype(array.dtype), dims=array.shape)
    tensor.data_location = onnx.TensorProto.EXTERNAL
    for key, value in (("location", location), ("offset", str(offset)), ("length", str(array.nbytes))):
        tensor.external_data.add(key=key, value=value)
    return tensor


def constants_as_weights(graph: onnx.GraphProto) -> None:
    """Turn nodes that make a constant into weights of `graph`."""
    made = []
    for node in graph.node:
        value = _constant(node)
        if value is None:
            made.append(node)
            continue
        value.name = node.output[0]
        graph.initializer.append(value)
    del graph.node[:]
    graph.node.extend(made)


def _constant(node: onnx.NodeProto) -> onnx.TensorProto | None:
    """What `node` makes, if that is always the same."""
    if node.op_type != "Constant":
        return None
    attribute = node.attribute[0]
    value = helper.get_attribute_value(attribute)
    if attribute.name == "value":
        return value
    kinds = {"value_int": np.int64, "value_ints": np.int64, "value_float": np.float32, "value_floats": np.float32}
    kind = kinds.get(attribute.name)
    return None if kind is None else numpy_helper.from_array(np.array(value, kind))
