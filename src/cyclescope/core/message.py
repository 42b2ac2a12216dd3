"""A sentence as a value: an English template and what fills it. Only a medium translates it.

`m("{n} tokens do not fit.", n=12)` is frozen, compares by value and can be stored. Its English stands where it is used,
so that `tools/words.py` finds it for the translators (GNU gettext: https://www.gnu.org/software/gettext/manual/).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TypeAlias

_FIELD = re.compile(r"\{\{|\}\}|\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Message:
    """`text` is an English template; `values` fill its `{fields}` and are numbers, names or further messages.

    With `plural`, the English template for `count` ≠ 1, a language chooses its form by `count`. `context` tells apart
    equal English that other languages say differently.
    """

    text: str
    values: tuple[tuple[str, Value], ...] = ()
    plural: str = ""
    count: int = 1
    context: str = ""

    def __str__(self) -> str:
        """In English."""
        return fill(self.plural if self.plural and self.count != 1 else self.text, self.values)


@dataclass(frozen=True, slots=True)
class Series:
    """Texts one after the other with `separator` between them; empty ones are left out."""

    parts: tuple[Text, ...]
    separator: Text = ""

    def __str__(self) -> str:
        """In English."""
        return str(self.separator).join(filter(None, map(str, self.parts)))


# What a page, an error or a note says. A plain text is shown as it stands: a name, a formatted number, foreign words.
Text: TypeAlias = str | Message | Series
Value: TypeAlias = int | str | Message | Series


def m(text: str, /, **values: Value) -> Message:
    """The message of the English template `text`, with `values` for its fields."""
    return Message(text, tuple(values.items()))


def plural(one: str, many: str, count: int, /, **values: Value) -> Message:
    """The message `one` or `many`, as a language has it for `count`; `{n}` in it is `count` unless `values` names it."""
    return Message(one, tuple({"n": count, **values}.items()), many, count)


def in_context(context: str, text: str, /, **values: Value) -> Message:
    """Like `m`, for English that means one thing here and another elsewhere: `in_context("noun", "drift")`."""
    return Message(text, tuple(values.items()), context=context)


def N_(text: str) -> str:  # noqa: N802 - the name that gettext gives to a text that is marked here and translated later
    """`text` itself, known to the translators: for help texts, which the parser of the command line wants as texts."""
    return text


def sentences(*texts: Text) -> Text:
    """Sentences that follow each other, as a language sets them one after the other; empty ones are left out."""
    return _folded(texts, in_context("two sentences", "{first} {second}"))


def listed(texts: Iterable[Text]) -> Text:
    """Texts as a list within a sentence: `a, b, c`."""
    return _folded(texts, in_context("two items of a list", "{first}, {second}"))


def _folded(texts: Iterable[Text], pair: Message) -> Text:
    """`texts` as one, where `pair` says how a text follows what stands before it."""
    there = [text for text in texts if text]
    folded: Text = there[0] if there else ""
    for text in there[1:]:
        folded = replace(pair, values=(("first", folded), ("second", text)))
    return folded


def fill(template: str, values: Iterable[tuple[str, object]]) -> str:
    """`template` with its `{fields}` replaced; an unknown field stays, and `{{` is a brace.

    Unlike `str.format` it reaches no attribute and no item, since a template can come from a file of somebody else.
    """
    known = dict(values)

    def replaced(found: re.Match[str]) -> str:
        if found[1] is None:
            return found[0][0]
        return str(known[found[1]]) if found[1] in known else found[0]

    return _FIELD.sub(replaced, template)


def braces(template: str) -> list[str]:
    """The fields of `template`, sorted, each as often as it stands there."""
    return sorted(found[1] for found in _FIELD.finditer(template) if found[1])
