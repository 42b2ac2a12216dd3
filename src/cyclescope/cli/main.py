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
from typer.core import TyperGroup

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
from cyclescope.cli.refusals import Refusal, plainly
from cyclescope.core.errors import CyclescopeError, Interrupted, OutputError
from cyclescope.core.message import m
from cyclescope.core.version import __version__


class _Commands(TyperGroup):
    """Sees Ctrl-C and a reader that went away before the parser does, which would end without our word or our code; and
    what the parser refuses before it is told.
    """

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as exc:
            raise Interrupted("Interrupted.", "Nothing had been measured yet.") from exc
        except BrokenPipeError as exc:
            # Whoever read our output has seen enough; Python must not complain about it while it exits.
            forget_output()
            raise typer.Exit from exc
        except Exception as error:
            if isinstance(error, Refusal):
                error.message = plainly(error.message)
            raise


app = typer.Typer(
    name="cyclescope",
    cls=_Commands,
    help="The inference timing of Transformers: measured text in to text out, every microsecond booked.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("measure")(measure.measure)
app.command("compare", cls=GatedCommand)(compare.compare)
app.command("optimize")(optimize.optimize)
app.command("apply")(apply.apply)
app.command("verify", cls=AnsweringCommand)(verify.verify)
app.command("show")(show.show)
app.command("trace")(trace.trace)
app.command("tokens")(tokens.tokens)
app.command("models")(models.models)
app.command("calibrate")(calibrate.calibrate)
app.command("doctor")(doctor.doctor)
app.command("define")(define.define)
app.command("demo")(demo.demo)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"cyclescope {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: bool = typer.Option(
        False, "--version", callback=_print_version, is_eager=True, help="Print the version and exit."
    ),
) -> None:
    """What stands before a command."""


def run(arguments: Sequence[str] | None = None) -> None:
    """Run one command and exit with its code: 0, or that of the error (docs/exit-codes.md)."""
    if threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, _end)  # so that what was begun is put away: trial processes, temporary files
    try:
        app(args=list(arguments) if arguments is not None else None, standalone_mode=True)
    except CyclescopeError as error:
        _tell(error)
        sys.exit(error.exit_code)
    except OSError as error:
        forget_output()
        _tell(
            OutputError("A file could not be read or written.", str(error), "Check the path, its rights and the disk.")
        )
        sys.exit(OutputError.exit_code)
    except Exception as error:
        if os.environ.get("CYCLESCOPE_DEBUG"):
            raise
        _tell(defect(error))
        sys.exit(1)


def _end(number: int, frame: FrameType | None) -> NoReturn:
    """End as a shell tells it of a process that a signal ended."""
    sys.exit(128 + number)


def _tell(error: CyclescopeError) -> None:
    """Fact, cause, way out, a line each, on standard error."""
    if os.environ.get("CYCLESCOPE_DEBUG") and error.__cause__ is not None:
        import traceback

        traceback.print_exception(error.__cause__)
    from cyclescope.report.names import printable
    from cyclescope.report.words.translate import preferred_language, say_in

    say = say_in(preferred_language())
    for line in (m("Error: {fact}", fact=error.fact), error.cause, error.way_out):
        if line:
            typer.echo(printable(say(line)), err=True)
