"""The progress line: what it says, when a pipe gets a line of its own, and that it runs down by itself."""

from __future__ import annotations

import io
import sys

import pytest

from cyclescope.cli.progress import PlainLines, progress
from cyclescope.core.message import m
from cyclescope.core.progress import silent, tell
from cyclescope.report.words.translate import say_in

S = 1_000_000_000


class Piped:
    """Lines into a list, on a clock that only the test moves."""

    def __init__(self, language: str = "en") -> None:
        self.now = 1000.0
        self.written: list[str] = []
        self.lines = PlainLines(self.written.append, say_in(language), lambda: self.now)

    def last(self) -> str:
        return self.written[-1]


def test_a_pipe_gets_one_line_for_each_phase_and_not_one_for_each_call() -> None:
    piped = Piped()
    for phase, done in (("load", 0.0), ("warm up", 0.1), ("warm up", 0.5), ("measure", 0.2), ("measure", 0.9)):
        piped.now += 1
        piped.lines(phase, done)
    assert piped.written == ["[load]\n", "[warm up]\n", "[measure]\n"]


def test_a_long_phase_says_a_line_every_thirty_seconds_whether_or_not_it_calls() -> None:
    piped = Piped()
    piped.lines("trace", 0.0)
    for _ in range(24):  # two minutes in which nobody calls
        piped.now += 5
        piped.lines.repeat()
    assert piped.written == ["[trace]\n"] * 5
    piped.now += 29
    piped.lines("trace", 0.5)
    assert len(piped.written) == 5
    piped.now += 1
    piped.lines("trace", 0.5)
    assert len(piped.written) == 6


def test_nothing_is_said_before_there_is_a_phase() -> None:
    piped = Piped()
    piped.now += 100
    piped.lines.repeat()
    assert not piped.written


def test_a_line_tells_what_is_run_the_best_so_far_and_the_time_left_which_runs_down() -> None:
    piped = Piped()
    tell(piped.lines, "search", 0.1, now="int8", best=m("{n} threads", n=1), left_ns=200 * S)
    assert piped.last() == "[search · int8 · best so far: 1 threads · 3 min 20 s left]\n"
    piped.now += 140
    tell(piped.lines, "proof", 0.2, now="bfloat16")
    assert piped.last() == "[proof · bfloat16 · best so far: 1 threads · 60 s left]\n"
    piped.now += 60
    tell(piped.lines, "parts", 0.2)
    assert piped.last() == "[parts · best so far: 1 threads]\n"
    tell(piped.lines, "done", 1.0, best="", left_ns=10 * S)
    assert piped.last() == "[done]\n"


def test_in_chinese_too() -> None:
    piped = Piped("zh")
    tell(piped.lines, "measure", 0.1, best="int8", left_ns=61 * S)
    assert piped.last() == "[测量 · 目前最好：int8 · 剩余 61 秒]\n"


def test_a_plain_function_is_given_the_phase_alone() -> None:
    seen: list[tuple[str, float]] = []
    tell(lambda phase, done: seen.append((phase, done)), "measure", 0.5, now="plain", best="x", left_ns=S)
    tell(silent, "measure", 1.0)
    assert seen == [("measure", 0.5)]


def test_standard_error_that_is_no_terminal_gets_lines_without_control_codes(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    with progress("en") as show:
        show("load", 0.0)
        tell(show, "measure", 0.5, left_ns=10 * S)
    assert stream.getvalue() == "[load]\n[measure · 10 s left]\n"


def test_a_terminal_gets_one_line_that_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "120")
    with progress("en") as show:
        tell(show, "search", 0.5, now="int8", best="one thread", left_ns=90 * S)
    shown = stream.getvalue()
    assert "search" in shown
    assert "int8 · best so far: one thread · 90 s left" in shown
    assert "\x1b[" in shown
