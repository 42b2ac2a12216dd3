"""The language of pages and messages: that of --lang, else that of the environment."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, TypeAlias

import typer

from cyclescope.core.message import N_

OPTION = "--lang"


def known_language(tag: str) -> str:
    """`tag`, if it is that of a language. Raises `UsageError`."""
    from cyclescope.report.words.translate import say_in

    say_in(tag)
    return tag


def language_of(tag: str | None) -> str:
    """The language `tag`, else that which the environment prefers."""
    from cyclescope.report.words.translate import preferred_language

    return tag or preferred_language()


def language_asked(arguments: Sequence[str]) -> str:
    """The language that `arguments` ask for, also where they cannot be understood otherwise."""
    from cyclescope.report.words.translate import languages

    asked = None
    for place, argument in enumerate(arguments):
        name, _, value = argument.partition("=")
        if name == OPTION:
            asked = value or next(iter(arguments[place + 1 :]), None)
    return language_of(asked if asked in languages() else None)


LanguageOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        parser=known_language,
        metavar="LANG",
        help=N_("Language of pages and messages (default: CYCLESCOPE_LANG, LC_ALL, LC_MESSAGES or LANG)"),
        show_default=False,
    ),
]
