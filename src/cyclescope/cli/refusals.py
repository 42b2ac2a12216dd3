"""What the parser refuses, without words of the library that it checks values with, and with what may have been meant."""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import Protocol, runtime_checkable

_OF_THE_LIBRARY = "Value error, "
_CHOICE = re.compile(r"(['\"])(?P<wanted>.*)\1 is not one of (?P<choices>'.*')\.", re.DOTALL)


@runtime_checkable
class Refusal(Protocol):
    """An exception of the parser: the parser itself is a private part of typer."""

    message: str
    exit_code: int


def plainly(message: str) -> str:
    """`message` in plain words; where a value is none of a few, with the nearest of them."""
    told = message.removeprefix(_OF_THE_LIBRARY)
    found = _CHOICE.fullmatch(told)
    if found is None:
        return told
    near = get_close_matches(found["wanted"].lower(), re.findall(r"'([^']*)'", found["choices"]), 1)
    return f"{told} Did you mean {near[0]!r}?" if near else told
