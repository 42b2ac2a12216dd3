"""Why a strategy was not tried and how a trial ended, in Chinese: each is a message with a translation."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import cyclescope
from cyclescope.core.errors import CyclescopeError, EngineError
from cyclescope.core.message import Message, Text, m
from cyclescope.report.words.translate import say_in

_FOLDER = Path(cyclescope.__file__).parent / "optimizing"


def _calls() -> Iterator[ast.Call]:
    for path in sorted(_FOLDER.rglob("*.py")):
        yield from (
            node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)
        )


def _name(node: ast.expr) -> str:
    return node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else ""


def _reasons() -> Iterator[ast.expr]:
    """Every reason that a strategy gives."""
    for call in _calls():
        if _name(call) == "Offer":
            yield from (keyword.value for keyword in call.keywords if keyword.arg == "not_applicable_reason")


REASONS = list(_reasons())


def test_every_strategy_gives_its_reasons_as_messages() -> None:
    assert len(REASONS) > 50
    assert {_name(reason) for reason in REASONS} == {"m"}


def _texts() -> list[str]:
    return sorted({str(ast.literal_eval(reason.args[0])) for reason in REASONS if isinstance(reason, ast.Call)})


@pytest.mark.parametrize("text", _texts())
def test_every_reason_has_a_translation(text: str) -> None:
    assert say_in("zh")(Message(text)) != text
    assert say_in("en")(Message(text)) == text


def test_every_error_of_an_optimization_is_a_message() -> None:
    """A plain text in an error would be English in every language; a name, a number or foreign words are its values."""
    errors = {kind.__name__ for kind in _kinds(CyclescopeError)}
    plain = [
        ast.unparse(call)
        for call in _calls()
        if _name(call) in errors
        for text in call.args
        if (isinstance(text, ast.Constant) and text.value) or (isinstance(text, ast.JoinedStr) and not _foreign(text))
    ]
    assert not plain


def _kinds(kind: type[CyclescopeError]) -> Iterator[type[CyclescopeError]]:
    yield kind
    for below in kind.__subclasses__():
        yield from _kinds(below)


def _foreign(text: ast.JoinedStr) -> bool:
    """Whether nothing in it is ours but a full stop, as in `f"{error.strerror}."`."""
    return all(isinstance(part, ast.FormattedValue) or str(part.value).strip() == "." for part in text.values)  # type: ignore[attr-defined]


def test_what_an_engine_says_stays_as_it_is() -> None:
    error = EngineError(m("The engine failed."), "No kernel for {this}.")
    assert say_in("zh")(error.summary).endswith("No kernel for {this}.")


@pytest.mark.parametrize(
    ("fact", "cause", "chinese"),
    [
        (
            m("The trial process did not answer within {seconds} s.", seconds="12"),
            m("It was stopped."),
            "试验进程在 12 秒内没有应答。它已被结束。",
        ),
        (
            m("The trial process was killed."),
            m("Most likely the system ran out of memory."),
            "试验进程被终止。很可能是系统内存不足。",
        ),
        (
            m("The engine ended its process by signal {signal}.", signal="SIGABRT"),
            "free(): x",
            "引擎以信号 SIGABRT 结束了它的进程。free(): x",
        ),
        (m("It needs more memory than there is."), "3 GB", "所需内存超过可用内存。3 GB"),
    ],
)
def test_how_a_trial_process_ended_is_told_in_chinese(fact: Text, cause: Text, chinese: str) -> None:
    assert say_in("zh")(EngineError(fact, cause).summary) == chinese
