"""Progress of long work, on standard error and only where it is a terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from cyclescope.core.message import in_context

# The phases of all long work, by the names under which it reports them.
_PHASES = {
    "load": in_context("progress", "load"),
    "first cycle": in_context("progress", "first cycle"),
    "trace": in_context("progress", "trace"),
    "warm up": in_context("progress", "warm up"),
    "calibrate": in_context("progress", "calibrate"),
    "measure": in_context("progress", "measure"),
    "dialogue": in_context("progress", "dialogue"),
    "tokenize": in_context("progress", "tokenize"),
    "baseline": in_context("progress", "baseline"),
    "search": in_context("progress", "search"),
    "proof": in_context("progress", "proof"),
    "parts": in_context("progress", "parts"),
    "why": in_context("progress", "explain"),
    "ready": in_context("progress", "prepare"),
    "verify": in_context("progress", "verify"),
    "shapes": in_context("progress", "shapes"),
    "A/A": in_context("progress", "A/A"),
    "done": in_context("progress", "done"),
}


@contextmanager
def progress(language: str) -> Iterator[Callable[[str, float], None]]:
    """A function to call with a phase and the share of it that is done. Silent where standard error is no terminal."""
    if not sys.stderr.isatty():
        yield lambda phase, done: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    from cyclescope.report.words.translate import say_in

    say = say_in(language)
    columns = (TextColumn("{task.description:<12}"), BarColumn(bar_width=30), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(say(_PHASES["load"]), total=1.0)

        def show(phase: str, done: float) -> None:
            bar.update(task, description=say(_PHASES.get(phase, phase)), completed=done)

        yield show
