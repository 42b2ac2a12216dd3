"""The parser of all commands; the module of a command is imported when it is called."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any

import typer

from cyclescope.cli.commands import COMMANDS, home_of
from cyclescope.cli.defects import forget_output
from cyclescope.cli.front_page import HELP_OPTIONS, NAME, SUMMARY, VERSION, VERSION_HELP, print_version
from cyclescope.cli.gate import AnsweringCommand, GatedCommand
from cyclescope.cli.grouped import grouped
from cyclescope.cli.help import Command, CommandGroup
from cyclescope.cli.options import LanguageOption
from cyclescope.core.errors import Interrupted
from cyclescope.core.message import Text, m

_KINDS: Mapping[str, type[Command]] = {"compare": GatedCommand, "verify": AnsweringCommand}


def parser() -> Any:
    """The parser; what it refuses it raises."""
    return typer.main.get_command(_app)


def command(name: str) -> Any:
    """The parser of the command `name`, one of `COMMANDS`."""
    function = getattr(import_module(f"cyclescope.cli.{home_of(name)}"), home_of(name))
    alone = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    kind = _KINDS.get(name, Command)
    alone.command(name, cls=kind, help="\n\n".join(COMMANDS[name]), context_settings=_SETTINGS)(grouped(function))
    return typer.main.get_command(alone)


class _Commands(Mapping[str, Any]):
    """The parsers of commands by name, each made when it is asked for."""

    def __init__(self) -> None:
        self._made: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in COMMANDS:
            raise KeyError(name)
        if name not in self._made:
            self._made[name] = command(name)
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(COMMANDS)

    def __len__(self) -> int:
        return len(COMMANDS)


class _Root(CommandGroup):
    """Sees Ctrl-C and a reader that went away before the parser does, which would end without our word or our code."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**{**given, "commands": _Commands()})

    def invoke(self, ctx: Any) -> Any:
        if ctx.params.get("lang"):
            ctx.default_map = {name: {"lang": ctx.params["lang"]} for name in COMMANDS}
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as exc:
            raise Interrupted(m("Interrupted."), _LOST.get(ctx.invoked_subcommand or "", "")) from exc
        except BrokenPipeError as exc:
            # The reader of our output has closed the pipe; Python must not complain about it while it exits.
            forget_output()
            raise typer.Exit from exc


# What Ctrl-C costs where a command does not say it itself; the others lose nothing.
_LOST: Mapping[str, Text] = {
    **dict.fromkeys(("measure", "optimize", "tokens", "demo", "doctor", "calibrate"), m("Nothing was measured yet.")),
    "predict": m("No prediction was shown or saved."),
    "compare": m("No comparison was shown or saved."),
    "verify": m("Nothing was verified."),
}
_SETTINGS = {"help_option_names": list(HELP_OPTIONS)}
_app = typer.Typer(
    name=NAME,
    cls=_Root,
    help=SUMMARY,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings=_SETTINGS,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        print_version()
        raise typer.Exit


@_app.callback()
def _root(
    version: bool = typer.Option(False, VERSION, callback=_print_version, is_eager=True, help=VERSION_HELP),
    lang: LanguageOption = None,
) -> None:
    """What stands before a command."""
