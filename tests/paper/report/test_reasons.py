"""Why a strategy was not tried, in the reader's language."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import cyclescope
from cyclescope.report.words.text_reasons import ENDS_ZH, ZH, reason_words

_FOLDER = Path(cyclescope.__file__).parent / "optimizing"


def _said() -> Iterator[str]:
    """Every reason that is written out where strategies are offered or left out, with `…` where something is filled in."""
    for path in sorted(_FOLDER.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
                continue
            given = (
                [k.value for k in node.keywords if k.arg == "not_applicable_reason"] if node.func.id == "Offer" else []
            )
            if node.func.id == "NotTried":
                given += node.args[1:2]
            for reason in given:
                if isinstance(reason, ast.JoinedStr):
                    parts = [part.value if isinstance(part, ast.Constant) else "…" for part in reason.values]
                    yield "".join(map(str, parts))
                elif isinstance(reason, ast.Constant):
                    yield str(reason.value)


SAID = sorted(set(_said()))


@pytest.mark.parametrize("reason", SAID)
def test_every_reason_is_told_in_chinese(reason: str) -> None:
    filled = reason.replace("…", "out of budget", 1) if reason.startswith("…,") else reason
    assert reason_words(filled, "zh") != filled
    assert reason_words(filled, "en") == filled


@pytest.mark.parametrize("reason", list(ZH))
def test_every_translation_is_of_a_reason_that_is_written(reason: str) -> None:
    """Else the sentence was changed where it is made, and its translation is lost."""
    source = "".join(path.read_text(encoding="utf-8") for path in sorted(_FOLDER.rglob("*.py")))
    assert max(re.split(r"\{\w+\}|, after ", reason), key=len) in source


def test_what_an_engine_says_stays_as_it_is() -> None:
    assert reason_words("No kernel for {this}.", "zh") == "No kernel for {this}."


@pytest.mark.parametrize("end", list(ENDS_ZH))
def test_every_translation_of_an_end_is_of_sentences_that_are_written(end: str) -> None:
    source = "".join(path.read_text(encoding="utf-8") for path in sorted(_FOLDER.rglob("*.py")))
    fact, _, cause = end.partition(". ")
    for sentence in filter(None, (re.split(r"( by signal|with exit code)? \{", fact)[0], cause)):
        assert sentence.split(".{")[0] in source


@pytest.mark.parametrize(
    ("error", "chinese"),
    [
        ("The trial process did not answer within 12 s. It was ended.", "试验进程在 12 秒内没有应答，已被结束。"),
        (
            "The trial process was killed. Most likely the system ran out of memory.",
            "试验进程被终止，很可能是系统内存不足。",
        ),
        ("The engine ended its process by signal SIGABRT. free(): x", "引擎以信号 SIGABRT 结束了它的进程。 free(): x"),
        ("It needs more memory than there is. 3 GB", "所需内存超过可用内存。 3 GB"),
    ],
)
def test_how_a_trial_process_ended_is_told_in_chinese(error: str, chinese: str) -> None:
    assert reason_words(error, "zh") == chinese
    assert reason_words(error, "en") == error
