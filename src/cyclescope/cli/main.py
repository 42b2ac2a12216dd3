"""The entry of the command line, and the only place where an error becomes a message and an exit code."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Sequence
from types import FrameType
from typing import NoReturn

from cyclescope.cli.defects import defect, forget_output
from cyclescope.cli.front_page import answer
from cyclescope.cli.language import requested_language
from cyclescope.core.errors import CyclescopeError, OutputError, UsageError
from cyclescope.core.message import m


def run(arguments: Sequence[str] | None = None) -> None:
    """Run one command and exit with its code: 0, or that of the error (docs/exit-codes.md)."""
    if threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, _end)  # so that what was begun is put away: trial processes, temporary files
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    language = requested_language(arguments)
    try:
        code = answer(arguments, language)
        sys.exit(_parsed(arguments, language) if code is None else code)
    except BrokenPipeError:  # its reader has seen enough; Python must not complain about it while it exits
        forget_output()
        sys.exit(0)
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
        if type(error).__name__ == "NoArgsIsHelpError":  # the parser has shown its help
            sys.exit(UsageError.exit_code)
        if os.environ.get("CYCLESCOPE_DEBUG"):
            raise
        _tell(defect(error), language)
        sys.exit(1)


def _parsed(arguments: Sequence[str], language: str) -> int:
    from cyclescope.cli.help import LANGUAGE
    from cyclescope.cli.parser import parser

    return parser().main(args=list(arguments), standalone_mode=False, obj={LANGUAGE: language}) or 0


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
            print(printable(say(line)), file=sys.stderr)
