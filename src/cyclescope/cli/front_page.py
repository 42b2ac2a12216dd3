"""`cyclescope`, `cyclescope --help` and `cyclescope --version`: answered without the parser, which loads longer than this."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from cyclescope.cli.commands import COMMANDS
from cyclescope.cli.language import LANG, LANG_HELP, known_languages, without_language
from cyclescope.core.errors import UsageError
from cyclescope.core.message import N_, Message, m
from cyclescope.core.version import __version__

if TYPE_CHECKING:
    from cyclescope.report.page import Page

NAME = "cyclescope"
SUMMARY = N_("End-to-end inference timing for Transformers, every microsecond accounted for.")
HELP_OPTIONS = ("-h", "--help")
VERSION = "--version"
VERSION_HELP = N_("Print the version and exit")


def answer(arguments: Sequence[str], language: str) -> int | None:
    """Answer `arguments` that name no command, and give the exit code; None: they are for the parser."""
    rest = without_language(arguments)
    if rest == [VERSION]:
        print_version()
    elif not rest or (len(rest) == 1 and rest[0] in HELP_OPTIONS):
        print_front_page(language)
    else:
        return None
    sys.stdout.flush()  # a reader that went away is seen here and not at exit
    return 0 if rest else UsageError.exit_code


def print_version() -> None:
    """The line of `--version`."""
    print(f"{NAME} {__version__}")


def print_front_page(language: str) -> None:
    """The commands and the options that stand before a command."""
    from cyclescope.report.media.terminal import print_page

    print_page(front_page(), language=language)


def front_page() -> Page:
    """The usage, what the tool does, the commands and the options that stand before one."""
    from cyclescope.report.page import Column, Emphasis, Page, Paragraph, Section, Table

    strong, meaning = Emphasis.STRONG, Column(m("Meaning"))
    commands = Table(
        (Column(m("Command"), emphasis=strong), meaning),
        tuple((name, Message(summary)) for name, (summary, *_) in COMMANDS.items()),
    )
    options = Table(
        (Column(m("Option"), emphasis=strong), Column(m("Value")), meaning),
        (
            (VERSION, "", Message(VERSION_HELP)),
            (LANG, " | ".join(known_languages()), Message(LANG_HELP)),
            (", ".join(reversed(HELP_OPTIONS)), "", m("Show this help")),
        ),
    )
    return Page(
        m("Usage: {command} [OPTIONS] COMMAND …", command=NAME),
        (Paragraph(Message(SUMMARY)),),
        (Section("commands", m("Commands"), (commands,)), Section("options", m("Options"), (options,))),
        "help",
    )
