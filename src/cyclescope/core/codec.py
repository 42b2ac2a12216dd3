"""Frozen values to plain JSON data and arrays, and back, by their type hints. Nothing is ever unpickled."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Iterable, Mapping
from enum import Enum
from functools import cache
from itertools import chain
from operator import attrgetter
from typing import Any, TypeVar, cast

import numpy as np

from cyclescope.core.message import Message, Series, Text
from cyclescope.core.stored import ADDED_LATER, STORED_AS
from cyclescope.core.units import AnyArray

T = TypeVar("T")
_ARRAY_KEY = "$array"
_PLAIN = frozenset((int, float, str, bool))


class CodecError(ValueError):
    """The data does not describe a value of the wanted type."""


def encode(value: object) -> tuple[Any, list[AnyArray]]:
    """`value` (dataclasses, tuples, enums, numbers, text, arrays) as JSON data plus the arrays it refers to."""
    arrays: list[AnyArray] = []
    return _encode(value, arrays), arrays


def _encode(value: object, arrays: list[AnyArray]) -> Any:
    if isinstance(value, np.ndarray):
        arrays.append(value)
        return {_ARRAY_KEY: len(arrays) - 1}
    if isinstance(value, Enum):
        return value.value
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, Message | Series):
        return _encode_text(value)
    if isinstance(value, tuple):
        if (
            value
            and not isinstance(value[0], Message | Series)
            and dataclasses.is_dataclass(value[0])
            and len({type(v) for v in value}) == 1
        ):
            # Many equal rows are stored by column: a tenth of the size, and the names stand there once.
            names = _stored_names(cast(type, type(value[0])))
            return {"$rows": {k: _encode_all(map(attrgetter(name), value), arrays) for name, k in names.items()}}
        return _encode_all(value, arrays)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {
            k: _encode(getattr(value, name), arrays)
            for name, k in _stored_names(type(value)).items()
            if not _says_nothing(value, name)
        }
    raise CodecError(f"cannot store a {type(value).__name__}")


def _encode_text(text: Text | int) -> Any:
    """A sentence as short as it can be written: a plain text as itself, so that old readers find what they know."""
    if isinstance(text, Message):
        data: dict[str, Any] = {"message": text.text}
        if text.values:
            data["values"] = {name: _encode_text(value) for name, value in text.values}
        if text.plural:
            data |= {"plural": text.plural, "count": text.count}
        return data | ({"context": text.context} if text.context else {})
    if isinstance(text, Series):
        return {"series": [_encode_text(part) for part in text.parts], "separator": _encode_text(text.separator)}
    return text


def _decode_text(data: Any) -> Any:
    """What `_encode_text` made; a plain text, as versions without messages stored it, is itself."""
    if isinstance(data, str):
        return data
    if isinstance(data, dict) and "series" in data:
        return Series(tuple(map(_decode_text, _listed(data["series"]))), _decode_text(data["separator"]))
    if not isinstance(data, dict) or not isinstance(data.get("message"), str):
        raise CodecError(f"expected a text, found {type(data).__name__}")
    values = data.get("values", {})
    if not isinstance(values, dict):
        raise CodecError("the values of a message have no names")
    filled = tuple((name, value if isinstance(value, int) else _decode_text(value)) for name, value in values.items())
    texts = {key: data.get(key, "") for key in ("plural", "context")}
    count = data.get("count", 1)
    if not isinstance(count, int) or not all(isinstance(text, str) for text in texts.values()):
        raise CodecError("a message with a count or a plural of another kind")
    return Message(data["message"], filled, texts["plural"], count, texts["context"])


def _encode_all(values: Iterable[object], arrays: list[AnyArray]) -> list[Any]:
    """Each of `values`; a column of a million texts, numbers or enums goes without a call for each."""
    column = list(values)
    kinds = set(map(type, column))
    if kinds <= _PLAIN | {types.NoneType}:
        return column
    if len(kinds) == 1 and issubclass(kind := kinds.pop(), Enum):
        return list(map(dict(zip(kind, (member.value for member in kind), strict=True)).__getitem__, column))
    return [_encode(v, arrays) for v in column]


def _says_nothing(value: object, name: str) -> bool:
    """Whether the field `name` came later and has its default, which a file without it is read with."""
    defaults = _added_later(cast(type, type(value)))
    return name in defaults and bool(getattr(value, name) == defaults[name])


def decode(kind: type[T], data: Any, arrays: list[AnyArray]) -> T:
    """The value of type `kind` that `encode` made `data` and `arrays` from. Raises `CodecError`."""
    try:
        return cast(T, _decode(kind, data, arrays))
    except CodecError:
        raise
    except (KeyError, TypeError, ValueError, IndexError) as exc:
        raise CodecError(f"not a {kind.__name__}: {exc}") from exc


@cache
def _hints(kind: type) -> dict[str, Any]:
    return typing.get_type_hints(kind)


@cache
def _added_later(kind: type) -> Mapping[str, object]:
    """The fields of a dataclass that came after the first format, with their defaults."""
    return {f.name: f.default for f in dataclasses.fields(kind) if ADDED_LATER.items() <= f.metadata.items()}


@cache
def _stored_names(kind: type) -> dict[str, str]:
    """Name of every field of the dataclass `kind`, in order, with the key that it is stored under."""
    return {f.name: f.metadata.get(STORED_AS, f.name) for f in dataclasses.fields(kind)}


@cache
def _field_names(kind: type) -> dict[str, str]:
    """The other way round."""
    return {key: name for name, key in _stored_names(kind).items()}


def _decode(kind: Any, data: Any, arrays: list[AnyArray]) -> Any:
    origin = typing.get_origin(kind)
    if origin in (typing.Union, types.UnionType):
        options = typing.get_args(kind)
        if data is None and type(None) in options:
            return None
        if Message in options:
            return _decode_text(data)
        return _decode(next(o for o in options if o is not type(None)), data, arrays)
    if origin is tuple:
        return _decode_tuple(typing.get_args(kind), data, arrays)
    if origin is np.ndarray:
        return arrays[data[_ARRAY_KEY]]
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        hints = _hints(kind)
        if not isinstance(data, dict):
            raise CodecError(f"expected a {kind.__name__}, found {type(data).__name__}")
        names = _field_names(kind)
        known = {names[k]: _decode(hints[names[k]], value, arrays) for k, value in data.items() if k in names}
        try:
            return kind(**known)
        except TypeError as exc:
            # Python's own words name a constructor; the names of the missing fields help the author of a file more.
            absent = [key for key, name in names.items() if name not in known and name in str(exc)]
            if absent:
                raise CodecError(f"{kind.__name__} needs {', '.join(absent)}") from exc
            raise
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind(data)
    if kind is float and isinstance(data, int):
        return float(data)
    if kind in (int, float, str, bool):
        if not isinstance(data, kind) or (kind is int and isinstance(data, bool)):
            raise CodecError(f"expected {kind.__name__}, found {type(data).__name__}")
        return data
    raise CodecError(f"cannot read a {kind}")


def _decode_tuple(items: tuple[Any, ...], data: Any, arrays: list[AnyArray]) -> tuple[Any, ...]:
    if len(items) == 2 and items[1] is Ellipsis:
        item = items[0]
        if isinstance(data, dict) and "$rows" in data:
            columns: dict[str, list[Any]] = data["$rows"]
            hints, names = _hints(item), _field_names(item)
            keys = [key for key in columns if key in names]
            known = [names[key] for key in keys]
            decoded = [_decode_all(hints[name], columns[key], arrays) for name, key in zip(known, keys, strict=True)]
            if known == list(_stored_names(item)):
                return tuple(map(item, *_of_one_length(decoded)))
            return tuple(item(**dict(zip(known, row, strict=True))) for row in zip(*decoded, strict=True))
        return tuple(_decode_all(item, _listed(data), arrays))
    return tuple(_decode(item, v, arrays) for item, v in zip(items, _listed(data), strict=True))


def _decode_all(kind: Any, values: Any, arrays: list[AnyArray]) -> list[Any]:
    """Each of `values` as `kind`; a column of a million texts, numbers or enums goes without a call for each."""
    column = list(values)
    kinds = set(map(type, column))
    if (kind in _PLAIN and kinds <= {kind}) or (kind == int | None and kinds <= {int, types.NoneType}):
        return column
    if isinstance(kind, type) and issubclass(kind, Enum) and kinds <= {str}:
        members = {text: kind(text) for text in set(column)}
        return list(map(members.__getitem__, column))
    if kind == tuple[int, ...]:
        # Shapes, of which a model has few: each once, as one value. `True` would pass for a 1 among them.
        rows = list(map(tuple, map(_listed, column)))
        if set(map(type, chain.from_iterable(rows))) <= {int}:
            known: dict[tuple[int, ...], tuple[int, ...]] = {}
            return [known.setdefault(row, row) for row in rows]
    return [_decode(kind, v, arrays) for v in column]


def _of_one_length(columns: list[list[Any]]) -> list[list[Any]]:
    if len({len(column) for column in columns}) > 1:
        raise CodecError("columns of different lengths")
    return columns


def _listed(data: Any) -> list[Any]:
    if not isinstance(data, list):
        raise CodecError(f"expected a list, found {type(data).__name__}")
    return data
