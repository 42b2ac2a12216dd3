"""Why a strategy was not tried, in the reader's language."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import cyclescope
from cyclescope.report.text_reasons import ZH, reason_words

_FOLDER = Path(cyclescope.__file__).parent / "optimizing"


def _said() -> Iterator[str]:
    """Every reason that is written out where strategies are offered or left out, with `…` where something is filled in."""
    for path in sorted(_FOLDER.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
                continue
            given = [k.value for k in node.keywords if k.arg == "why_not"] if node.func.id == "Offer" else []
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
