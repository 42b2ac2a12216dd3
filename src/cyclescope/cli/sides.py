"""The two sides of a comparison: what each is asked for, as options of its own (`--a threads=1`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, get_args, get_type_hints

from cyclescope.cli.options import Measuring
from cyclescope.core.errors import UsageError
from cyclescope.core.message import Text, listed, m

_INPUTS = {"text", "tokens", "question"}  # one of its own stands instead of the common input


def changes(option: str, pairs: Sequence[str] | None) -> Mapping[str, Any]:
    """The options that differ on one side, by name. Raises `UsageError`."""
    hints = {name: hint for name, hint in get_type_hints(Measuring).items() if name != "text_file"}
    known = sorted(name.replace("_", "-") for name in hints)
    found: dict[str, Any] = {}
    for pair in pairs or ():
        key, sign, value = pair.partition("=")
        name = key.strip().replace("-", "_")
        if not sign or name not in hints:
            raise UsageError(
                m("{option} must name an option (got {pair}).", option=option, pair=pair),
                m("Options: {all}.", all=listed(known)),
                _example(f"{option} threads=2"),
            )
        kinds = get_args(hints[name]) or (hints[name],)
        if list[str] in kinds:
            found[name] = (*found.get(name, ()), value)
        else:
            found[name] = _read(f"{option} {key.strip()}", value, kinds)
    return found


def _read(key: str, value: str, kinds: Sequence[Any]) -> object:
    """`value` as the first of `kinds` takes it."""
    kind = kinds[0]
    if issubclass(kind, bool):
        if value not in ("true", "false"):
            raise UsageError(
                m("{key} must be true or false (got {value}).", key=key, value=value),
                "",
                _example(f"{key}=true"),
            )
        return value == "true"
    if issubclass(kind, int):
        if not value.strip().isdecimal():
            raise UsageError(
                m("{key} must be a whole number (got {value}).", key=key, value=value),
                "",
                _example(f"{key}=2"),
            )
        return int(value)
    if issubclass(kind, StrEnum) and value not in list(kind):
        raise UsageError(
            m("{key} must be one of {all} (got {value}).", key=key, all=listed(kind), value=value),
            "",
            _example(f"{key}={next(iter(kind))}"),
        )
    return value


def _example(text: str) -> Text:
    return m("Write {example}.", example=text)


def options_of(common: Measuring, mine: Mapping[str, Any]) -> dict[str, Any]:
    """The options of one side, its text among them; an input of its own stands instead of the common one."""
    given: dict[str, Any] = {"text": common.texts, **common.options()}
    if mine.keys() & _INPUTS:
        given |= {"text": (), "tokens": None, "question": None, "context": None}
    return {**given, **mine}
