"""From messages to texts in a language: the only place that knows one.

A language is a file `<tag>.po` beside this one, compiled to `<tag>.mo` by `tools/words.py`; English is in the code.
"""

from __future__ import annotations

import gettext
import os
from collections.abc import Callable, Mapping
from functools import cache
from typing import TypeAlias

from cyclescope.core.errors import UsageError
from cyclescope.core.message import Message, Series, Text, fill, m

Say: TypeAlias = Callable[[Text], str]

ENGLISH = "en"
_FOLDER = os.path.dirname(__file__)  # importlib.resources and pathlib load longer than a page of help takes
# In the order in which POSIX and GNU gettext ask for them; ours first.
_VARIABLES = ("CYCLESCOPE_LANG", "LC_ALL", "LC_MESSAGES", "LANG")


@cache
def languages() -> tuple[str, ...]:
    """The tags of all languages: English and one for each catalog."""
    return (ENGLISH, *sorted(name.removesuffix(".mo") for name in os.listdir(_FOLDER) if name.endswith(".mo")))


@cache
def say_in(language: str) -> Say:
    """The function that turns a text into `language`. Raises `UsageError` for a language without a catalog."""
    if language not in languages():
        known = ", ".join(languages())
        raise UsageError(m("The language must be one of {known} (got {given}).", known=known, given=language))
    if language == ENGLISH:
        return str
    with open(os.path.join(_FOLDER, f"{language}.mo"), "rb") as file:
        return _Translator(gettext.GNUTranslations(file))


def preferred_language(environment: Mapping[str, str] = os.environ) -> str:
    """The language that the environment asks for (`CYCLESCOPE_LANG`, then the locale's variables), else English."""
    for variable in _VARIABLES:
        if tag := environment.get(variable, "").partition(".")[0].partition("_")[0].lower():
            return tag if tag in languages() else ENGLISH
    return ENGLISH


class _Translator:
    """Texts in one language; what its catalog does not have stays English."""

    def __init__(self, catalog: gettext.GNUTranslations) -> None:
        self._catalog = catalog

    def __call__(self, text: Text | int) -> str:
        if isinstance(text, Message):
            template = self._template(text)
            return fill(template, ((name, self._within(template, name, value)) for name, value in text.values))
        if isinstance(text, Series):
            return self(text.separator).join(filter(None, map(self, text.parts)))
        return str(text)

    def _within(self, template: str, name: str, value: Text | int) -> str:
        """`value` as it stands in the place of `name`: Latin words and numbers stand between spaces where ideographs are beside
        them. A name that was given, such as a path, stays as it is: its author wrote the spaces.
        """
        said = self(value)
        at = template.find(f"{{{name}}}")
        if at < 0 or not said or not isinstance(value, Message | Series):
            return said
        after = template[at + len(name) + 2 : at + len(name) + 3]
        left = " " if _is_ideograph(template[at - 1 : at]) and _is_latin(said[0]) else ""
        right = " " if _is_ideograph(after) and _is_latin(said[-1]) else ""
        return f"{left}{said}{right}"

    def _template(self, message: Message) -> str:
        catalog, context = self._catalog, message.context
        if not message.text:  # which a catalog answers with its own header
            return ""
        if message.plural:
            return catalog.ngettext(message.text, message.plural, message.count)
        return catalog.pgettext(context, message.text) if context else catalog.gettext(message.text)


def _is_ideograph(character: str) -> bool:
    return "\u4e00" <= character <= "\u9fff"


def _is_latin(character: str) -> bool:
    return character.isascii() and character.isalnum()
