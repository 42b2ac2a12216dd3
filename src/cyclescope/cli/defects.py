"""What goes wrong with a command itself: an exception that nobody foresaw, a reader that went away."""

from __future__ import annotations

import os
import sys
from contextlib import suppress

from cyclescope.core.errors import CyclescopeError


def defect(error: Exception) -> CyclescopeError:
    """What to tell of `error`, which is a defect of cyclescope and not of what was asked."""
    return CyclescopeError(
        "cyclescope has a defect here.",
        f"{type(error).__name__}: {error}",
        "Please report it, with what CYCLESCOPE_DEBUG=1 prints before the same command.",
    )


def forget_output() -> None:
    """What standard output still holds goes nowhere, so that writing it at exit cannot fail once more."""
    with suppress(OSError, ValueError):  # there may be no descriptor behind it
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
