"""Progress of long work, on standard error and only where a person looks at it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def progress() -> Iterator[Callable[[str, float], None]]:
    """A function to call with the name of a phase and how much of it is done. Silent where nobody looks."""
    if not sys.stderr.isatty():
        yield lambda phase, done: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description:<12}"), BarColumn(bar_width=30), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("load", total=1.0)

        def show(phase: str, done: float) -> None:
            bar.update(task, description=phase, completed=done)

        yield show
