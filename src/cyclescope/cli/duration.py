"""How long something may take, as people write it."""

from __future__ import annotations

import re

from cyclescope.core.errors import UsageError
from cyclescope.core.message import m

_DURATION = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(s|m|h|)\s*")
_SECONDS = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0}


def duration(option: str, text: str) -> float:
    """Seconds of `90s`, `5m`, `1h` or a bare number of seconds. Raises `UsageError`."""
    match = _DURATION.fullmatch(text)
    if not match:
        raise UsageError(
            m("{option} must be a time (got {text}).", option=option, text=text), "", m("Write it as 90s, 5m or 1h.")
        )
    return float(match[1]) * _SECONDS[match[2]]


def seconds(text: str | float) -> float:
    """The seconds of a budget; a default, which typer hands through here too, is a number already. Raises `UsageError`."""
    return duration("--budget", str(text))
