"""Frozen values as lines of JSON, one message a line, between processes. Nothing is pickled."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from cyclescope.core.codec import CodecError, decode, encode


def to_line(message: object) -> str:
    """`message`, a dataclass without arrays, as one line of ASCII without its end; it names its class."""
    return json.dumps({"is": type(message).__name__, "value": encode(message)[0]}, ensure_ascii=True)


def from_line(line: str | bytes, kinds: Mapping[str, type]) -> Any:
    """The message in `line`, one of `kinds` by the names of their classes. Raises `CodecError` for what is none."""
    try:
        data = json.loads(line)
        return decode(kinds[data["is"]], data["value"], [])
    except (ValueError, KeyError, TypeError) as exc:
        raise CodecError(f"no message: {line[:80]!r}") from exc
