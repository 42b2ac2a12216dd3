"""What the scripts of a page read: the data of its drawings as JSON that is safe inside HTML."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

from cyclescope.core.message import Message, Series, Text, in_context
from cyclescope.report.page import Bars, Block, Details, Drawing, Strip
from cyclescope.report.words.translate import Say

THEMES: Mapping[str, Text] = {
    "auto": in_context("theme", "system"),
    "light": in_context("theme", "light"),
    "dark": in_context("theme", "dark"),
}


def drawings_of(*blocks: Sequence[Block]) -> Iterator[Drawing]:
    """Every drawing among `blocks`, in their order."""
    for block in chain.from_iterable(blocks):
        if isinstance(block, Drawing):
            yield block
        elif isinstance(block, Details):
            yield from drawings_of(block.blocks)
        elif isinstance(block, Strip | Bars) and block.drawing is not None:
            yield block.drawing


def page_data(drawings: Sequence[Drawing], say: Say) -> str:
    """For each drawing that has any, `value.data` under its name, with every text in the language of `say`."""
    found = {drawing.name: getattr(drawing.value, "data", None) for drawing in drawings}
    data = {"texts": {"themes": dict(THEMES)}, **{name: data for name, data in found.items() if data is not None}}
    return embed(_translated(data, say))


def embed(value: object) -> str:
    """JSON that can stand inside a `script` element: nothing in it ends the element or a line of a script."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def _translated(data: Any, say: Say) -> Any:
    if isinstance(data, Message | Series):
        return say(data)
    if isinstance(data, Mapping):
        return {key: _translated(value, say) for key, value in data.items()}
    if isinstance(data, tuple | list) and any(
        isinstance(value, Message | Series | Mapping | tuple | list) for value in data
    ):
        return [_translated(value, say) for value in data]
    return data
