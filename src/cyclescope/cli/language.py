"""The language of pages and messages: that of --lang, else that of the environment."""

from __future__ import annotations

from collections.abc import Sequence

from cyclescope.core.message import N_

LANG = "--lang"
LANG_HELP = N_("Language of pages and messages (default: CYCLESCOPE_LANG, LC_ALL, LC_MESSAGES or LANG)")


def known_languages() -> tuple[str, ...]:
    """What --lang takes."""
    from cyclescope.report.words.translate import languages

    return languages()


def known_language(tag: str) -> str:
    """`tag`, if it is that of a language. Raises `UsageError`."""
    from cyclescope.report.words.translate import say_in

    say_in(tag)
    return tag


def language_of(tag: str | None) -> str:
    """The language `tag`, else that which the environment prefers."""
    from cyclescope.report.words.translate import preferred_language

    return tag or preferred_language()


def requested_language(arguments: Sequence[str]) -> str:
    """The language that `arguments` ask for, also where they cannot be understood otherwise."""
    requested = None
    for place, argument in enumerate(arguments):
        name, _, value = argument.partition("=")
        if name == LANG:
            requested = value or next(iter(arguments[place + 1 :]), None)
    return language_of(requested if requested in known_languages() else None)


def without_language(arguments: Sequence[str]) -> list[str]:
    """`arguments` without a --lang of a known language before them."""
    match list(arguments):
        case [option, tag, *rest] if option == LANG and tag in known_languages():
            return rest
        case [option, *rest] if option.startswith(f"{LANG}=") and option.partition("=")[2] in known_languages():
            return rest
        case rest:
            return rest
