"""Groups of options: a dataclass whose fields are options, so that several commands declare them once."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from functools import wraps
from typing import Any, get_type_hints


def grouped(function: Callable[..., None]) -> Callable[..., None]:
    """`function` as the parser takes it: a parameter that is a dataclass stands for an option per field.

    A parameter with the default `...` in a field's place would be required; groups have defaults only.
    """
    hints = get_type_hints(function, include_extras=True)
    groups = {name: hint for name, hint in hints.items() if is_dataclass(hint) and isinstance(hint, type)}
    parameters = list(_flat(inspect.signature(function).parameters, hints, groups))

    @wraps(function)
    def called(**given: Any) -> None:
        made = {name: kind(**{f.name: given.pop(f.name) for f in fields(kind)}) for name, kind in groups.items()}
        function(**given, **made)

    called.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    called.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    del called.__wrapped__  # else its signature would be found again
    return called


def _flat(
    parameters: Mapping[str, inspect.Parameter], hints: Mapping[str, Any], groups: Mapping[str, type]
) -> Iterator[inspect.Parameter]:
    keyword = inspect.Parameter.KEYWORD_ONLY
    for name, parameter in parameters.items():
        if name not in groups:
            yield parameter.replace(annotation=hints[name], kind=keyword)
            continue
        own = get_type_hints(groups[name], include_extras=True)
        for field in fields(groups[name]):
            yield inspect.Parameter(field.name, keyword, default=_default(field), annotation=own[field.name])


def _default(field: Field[Any]) -> Any:
    return inspect.Parameter.empty if field.default is MISSING else field.default
