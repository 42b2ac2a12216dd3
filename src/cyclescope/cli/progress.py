"""Progress of long work on standard error: one line that changes on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event, Lock, Thread
from time import monotonic
from typing import TYPE_CHECKING

from cyclescope.core.message import Series, Text, in_context, m
from cyclescope.core.progress import Detailed
from cyclescope.core.units import NS_PER_S, Nanoseconds

if TYPE_CHECKING:
    from cyclescope.report.words.translate import Say

EVERY_S = 30.0  # where output is piped, a line comes at least so often, so that a log shows that the work goes on

# The phases of all long work, by the names under which it reports them.
_PHASES = {
    "load": in_context("progress", "load"),
    "first cycle": in_context("progress", "first cycle"),
    "trace": in_context("progress", "trace"),
    "predict": in_context("progress", "predict"),
    "warm up": in_context("progress", "warm up"),
    "overhead": in_context("progress", "instrumentation overhead"),
    "measure": in_context("progress", "measure"),
    "dialogue": in_context("progress", "dialogue"),
    "tokenize": in_context("progress", "tokenize"),
    "baseline": in_context("progress", "baseline"),
    "search": in_context("progress", "search"),
    "confirmation": in_context("progress", "confirmation"),
    "ablation": in_context("progress", "ablation"),
    "explanation": in_context("progress", "explanation"),
    "ready": in_context("progress", "prepare"),
    "verify": in_context("progress", "verify"),
    "shapes": in_context("progress", "shapes"),
    "fit": in_context("progress", "fit"),
    "A/A": in_context("progress", "A/A"),
    "memory": in_context("progress", "memory"),
    "read": in_context("progress", "read"),
    "structure": in_context("progress", "structure"),
    "done": in_context("progress", "done"),
}


def phase_name(phase: str) -> Text:
    """`phase` as people read it."""
    return _PHASES.get(phase, phase)


def time_left(left_s: float) -> Text:
    """How long it will take until all is done, in whole seconds; nothing once that time is over."""
    seconds = round(left_s)
    if seconds <= 0:
        return ""
    if seconds < 100:
        return m("{seconds} s left", seconds=seconds)
    return m("{minutes} min {seconds} s left", minutes=seconds // 60, seconds=seconds % 60)


@dataclass
class Line:
    """What there is to say: the phase, what is run now, the best so far, and the time left, which runs down by itself."""

    clock: Callable[[], float]
    phase: str = ""
    now: Text = ""
    best: Text = ""
    until_s: float | None = None

    def take(self, now: Text, best: Text | None, left_ns: Nanoseconds | None) -> None:
        self.now = now
        if best is not None:
            self.best = best
        if left_ns is not None:
            self.until_s = self.clock() + left_ns / NS_PER_S

    def text(self) -> Text:
        best = m("best so far: {plan}", plan=self.best) if self.best else ""
        return Series((phase_name(self.phase), self.now, best, self.left()), " · ")

    def left(self) -> Text:
        over = self.until_s is None or self.phase == "done"
        return "" if over or self.until_s is None else time_left(self.until_s - self.clock())


@dataclass
class PlainLines:
    """A line at each change of phase, and again every 30 s (`repeat` is called more often and looks at the clock)."""

    write: Callable[[str], object]
    say: Say
    clock: Callable[[], float] = monotonic
    _line: Line = field(init=False)
    _lock: Lock = field(init=False, default_factory=Lock)
    _said_s: float = field(init=False, default=0.0)

    def __post_init__(self) -> None:
        self._line = Line(self.clock)

    def __call__(self, phase: str, done: float) -> None:
        with self._lock:
            changed = phase != self._line.phase
            self._line.phase = phase
            if changed or self._due():
                self._put()

    def detail(self, now: Text, best: Text | None, left_ns: Nanoseconds | None) -> None:
        with self._lock:
            self._line.take(now, best, left_ns)

    def repeat(self) -> None:
        """The line once more, if it is time."""
        with self._lock:
            if self._line.phase and self._due():
                self._put()

    def _due(self) -> bool:
        return self.clock() - self._said_s >= EVERY_S

    def _put(self) -> None:
        self._said_s = self.clock()
        # In brackets, so that a script can tell these lines from the messages beside them.
        self.write(f"[{self.say(self._line.text())}]\n")


@contextmanager
def progress(language: str) -> Iterator[Detailed]:
    """What to call with a phase and the share of it that is done (see `core.progress.tell`)."""
    from cyclescope.report.words.translate import say_in

    say = say_in(language)
    with _bar(say) if sys.stderr.isatty() else _lines(say) as shown:
        yield shown


@contextmanager
def _lines(say: Say) -> Iterator[Detailed]:
    def write(text: str) -> None:
        sys.stderr.write(text)
        sys.stderr.flush()

    lines, over = PlainLines(write, say), Event()

    def beat() -> None:
        while not over.wait(EVERY_S / 6):  # a tracing that takes minutes calls nobody
            lines.repeat()

    thread = Thread(target=beat, name="cyclescope progress", daemon=True)
    thread.start()
    try:
        yield lines
    finally:
        over.set()
        thread.join()


@contextmanager
def _bar(say: Say) -> Iterator[Detailed]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn, TimeElapsedColumn

    line = Line(monotonic)

    class Told(ProgressColumn):
        def render(self, task: Task) -> str:
            best = m("best so far: {plan}", plan=line.best) if line.best else ""
            return say(Series((line.now, best, line.left()), " · "))

    class Bar:
        def __call__(self, phase: str, done: float) -> None:
            line.phase = phase
            bar.update(task, description=say(phase_name(phase)), completed=done)

        def detail(self, now: Text, best: Text | None, left_ns: Nanoseconds | None) -> None:
            line.take(now, best, left_ns)

    columns = (TextColumn("{task.description:<12}"), BarColumn(bar_width=30), TimeElapsedColumn(), Told())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(say(phase_name("load")), total=1.0)
        yield Bar()
