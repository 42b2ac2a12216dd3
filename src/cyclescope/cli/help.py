"""Help as a page, in the language that was asked for, and refusals of the parser in our words."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import Enum
from typing import Any

from typer.core import TyperCommand, TyperGroup

from cyclescope.backends.engines import engine_names
from cyclescope.cli.front_page import print_front_page
from cyclescope.cli.language import LANG, known_languages
from cyclescope.cli.options import ENGINE
from cyclescope.cli.refusals import Refusal, help_of, refused, shows_help, too_many, unknown_command
from cyclescope.core.errors import UsageError
from cyclescope.core.message import Message, Text, m

# Options whose values are known when help is asked for, and not when the option is declared.
_CHOICES: Mapping[str, Callable[[], Sequence[str]]] = {LANG: known_languages, ENGINE: engine_names}
LANGUAGE = "cyclescope.language"  # its place in the object that the parser hands from command to command


class _Speaking:
    """A command whose help and refusals are pages and errors of ours."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Print the help."""
        from cyclescope.report.media.terminal import print_page

        print_page(help_page(self, ctx), language=(ctx.obj or {}).get(LANGUAGE, "en"))

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Refuse in our words what the parser refuses in English."""
        lenient, ctx.allow_extra_args = ctx.allow_extra_args, True
        try:
            rest: list[str] = super().parse_args(ctx, args)  # type: ignore[misc]
        except UsageError as error:  # of a check of ours, which does not know the command
            error.way_out = error.way_out or help_of(ctx.command_path)
            raise
        except Exception as error:
            if isinstance(error, Refusal) and not shows_help(error):
                raise refused(error, ctx) from error
            raise
        if rest and not lenient:
            raise too_many(rest, ctx)
        return rest


class Command(_Speaking, TyperCommand):
    """One command."""


class CommandGroup(_Speaking, TyperGroup):
    """All commands."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Print the front page."""
        print_front_page((ctx.obj or {}).get(LANGUAGE, "en"))

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        if args[0] not in self.commands:
            raise unknown_command(args[0], list(self.commands))
        return super().resolve_command(ctx, args)


def help_page(command: Any, ctx: Any) -> Any:
    """What the `--help` of a command shows: the usage, what the command does, its arguments and options."""
    from cyclescope.report.page import Column, Emphasis, Page, Paragraph, Section, Table

    parameters = command.get_params(ctx)
    arguments = [p for p in parameters if p.param_type_name == "argument"]
    options = [p for p in parameters if p.param_type_name == "option"]
    meaning = Column(m("Meaning"))
    tables = (
        (m("Arguments"), (Column(m("Argument"), emphasis=Emphasis.STRONG), meaning), map(_argument_row, arguments)),
        (
            m("Options"),
            (Column(m("Option"), emphasis=Emphasis.STRONG), Column(m("Value")), meaning),
            (_option_row(one, ctx) for one in options),
        ),
    )
    sections = [
        Section(title.text.lower(), title, (Table(columns, rows),))
        for title, columns, rows in ((title, columns, tuple(rows)) for title, columns, rows in tables)
        if rows
    ]
    about = tuple(Paragraph(text) for text in _paragraphs(command.help))
    return Page(_usage(ctx.command_path, arguments), about, tuple(sections), "help")


def _usage(path: str, arguments: list[Any]) -> Text:
    names = " ".join(one.metavar if one.required else f"[{one.metavar}]" for one in arguments)
    if not names:
        return m("Usage: {command} [OPTIONS]", command=path)
    return m("Usage: {command} {arguments} [OPTIONS]", command=path, arguments=names)


def _argument_row(argument: Any) -> tuple[Text, ...]:
    return argument.metavar, _meaning(argument)


def _option_row(option: Any, ctx: Any) -> tuple[Text, ...]:
    names = ", ".join(sorted(option.opts, key=len, reverse=True))
    if option.is_flag:
        return names, "", _meaning(option) if option.opts[0] not in ctx.help_option_names else m("Show this help")
    return names, _values(option, ctx), _meaning(option)


def _values(option: Any, ctx: Any) -> str:
    """What an option can be: its choices, or the kind of its value."""
    for name, choices in _CHOICES.items():
        if name in option.opts:
            return " | ".join(choices())
    shown = option.metavar or str(option.display_type_rich(ctx)).strip("<>.")
    return str(shown).removeprefix("list[").removesuffix("]").replace("|", " | ")


def _meaning(parameter: Any) -> Text:
    text: Text = Message(" ".join((parameter.help or "").split()))
    default = parameter.show_default if isinstance(parameter.show_default, str) else parameter.default
    if parameter.required:
        return text if parameter.param_type_name == "argument" else m("{text} (required)", text=text)
    if not parameter.show_default or default is None or default is False:
        return text
    value = default.value if isinstance(default, Enum) else default
    return m("{text} (default: {value})", text=text, value=str(value))


def _paragraphs(text: str | None) -> Iterator[Text]:
    """The paragraphs of a help text, each known to the translators."""
    return (Message(" ".join(part.split())) for part in (text or "").split("\n\n") if part)
