"""What goes wrong with a command itself: an unforeseen exception, a reader that went away."""

from __future__ import annotations

import os
import sys
from contextlib import suppress

from cyclescope.core.errors import CyclescopeError
from cyclescope.core.message import m


def defect(error: Exception) -> CyclescopeError:
    """The error to report for `error`, which is a defect of cyclescope and not of the request."""
    return CyclescopeError(
        m("Internal error in cyclescope."),
        f"{type(error).__name__}: {error}",
        m("Please report it, with the output of the same command under CYCLESCOPE_DEBUG=1."),
    )


def forget_output() -> None:
    """What standard output still holds goes nowhere, so that writing it at exit cannot fail once more."""
    with suppress(OSError, ValueError):  # there may be no descriptor behind it
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
