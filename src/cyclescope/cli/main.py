"""The parser of all commands, and the only place where an error becomes a message and an exit code."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Sequence
from types import FrameType
from typing import Any, NoReturn

import typer

from cyclescope.cli import (
    apply,
    calibrate,
    compare,
    define,
    demo,
    doctor,
    measure,
    models,
    optimize,
    show,
    tokens,
    trace,
    verify,
)
from cyclescope.cli.defects import defect, forget_output
from cyclescope.cli.gate import AnsweringCommand, GatedCommand
from cyclescope.cli.grouped import grouped
from cyclescope.cli.help import LANGUAGE, Command, Group
from cyclescope.cli.language import LanguageOption, language_asked
from cyclescope.cli.refusals import shows_help
from cyclescope.core.errors import CyclescopeError, Interrupted, OutputError, UsageError
from cyclescope.core.message import N_, m
from cyclescope.core.version import __version__


class _Commands(Group):
    """Sees Ctrl-C and a reader that went away before the parser does, which would end without our word or our code."""

    def invoke(self, ctx: Any) -> Any:
        if ctx.params.get("lang"):
            ctx.default_map = {name: {"lang": ctx.params["lang"]} for name in self.commands}
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as exc:
            raise Interrupted(m("Interrupted."), m("Nothing was measured yet.")) from exc
        except BrokenPipeError as exc:
            # Whoever read our output has seen enough; Python must not complain about it while it exits.
            forget_output()
            raise typer.Exit from exc


app = typer.Typer(
    name="cyclescope",
    cls=_Commands,
    help=N_("End-to-end inference timing for Transformers, every microsecond accounted for."),
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for _module, _function, _kind in (
    (measure, measure.measure, Command),
    (compare, compare.compare, GatedCommand),
    (optimize, optimize.optimize, Command),
    (apply, apply.apply, Command),
    (verify, verify.verify, AnsweringCommand),
    (show, show.show, Command),
    (trace, trace.trace, Command),
    (tokens, tokens.tokens, Command),
    (models, models.models, Command),
    (calibrate, calibrate.calibrate, Command),
    (doctor, doctor.doctor, Command),
    (define, define.define, Command),
    (demo, demo.demo, Command),
):
    app.command(_function.__name__, cls=_kind, help="\n\n".join(_module.HELP))(grouped(_function))


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"cyclescope {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: bool = typer.Option(
        False, "--version", callback=_print_version, is_eager=True, help=N_("Print the version and exit")
    ),
    lang: LanguageOption = None,
) -> None:
    """What stands before a command."""


def run(arguments: Sequence[str] | None = None) -> None:
    """Run one command and exit with its code: 0, or that of the error (docs/exit-codes.md)."""
    if threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, _end)  # so that what was begun is put away: trial processes, temporary files
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    language = language_asked(arguments)
    try:
        code = typer.main.get_command(app).main(args=arguments, standalone_mode=False, obj={LANGUAGE: language})
        sys.exit(code or 0)
    except CyclescopeError as error:
        _tell(error, language)
        sys.exit(error.exit_code)
    except OSError as error:
        forget_output()
        _tell(
            OutputError(
                m("A file could not be read or written."),
                str(error),
                m("Check the path, its permissions and the disk."),
            ),
            language,
        )
        sys.exit(OutputError.exit_code)
    except Exception as error:
        if shows_help(error):
            sys.exit(UsageError.exit_code)
        if os.environ.get("CYCLESCOPE_DEBUG"):
            raise
        _tell(defect(error), language)
        sys.exit(1)


def _end(number: int, frame: FrameType | None) -> NoReturn:
    """End as a shell tells it of a process that a signal ended."""
    sys.exit(128 + number)


def _tell(error: CyclescopeError, language: str) -> None:
    """Fact, cause, way out, a line each, on standard error."""
    if os.environ.get("CYCLESCOPE_DEBUG") and error.__cause__ is not None:
        import traceback

        traceback.print_exception(error.__cause__)
    from cyclescope.report.names import printable
    from cyclescope.report.words.translate import say_in

    say = say_in(language)
    for line in (m("Error: {fact}", fact=error.fact), error.cause, error.way_out):
        if line:
            typer.echo(printable(say(line)), err=True)
