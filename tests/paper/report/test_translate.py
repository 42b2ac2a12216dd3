"""The catalogs: every message translated, none fuzzy, none unused, the same braces, compiled."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from cyclescope.core.errors import UsageError
from cyclescope.core.message import m, plural, sentences
from cyclescope.report.words.translate import languages, preferred_language, say_in

ROOT = Path(__file__).parents[3]
CATALOGS = sorted(path.stem for path in (ROOT / "src/cyclescope/report/words").glob("*.po"))


@pytest.mark.parametrize("tag", CATALOGS)
def test_every_message_is_translated(tag: str) -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "tools" / "words.py", "check", "--lang", tag],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def test_a_language_is_a_catalog() -> None:
    assert languages() == ("en", *CATALOGS)


def test_chinese_has_its_own_order_and_punctuation() -> None:
    say = say_in("zh")
    assert say(sentences(m("Error: {fact}", fact="a"), "b")) == "错误：ab"
    assert say(m("no such message {x}", x=1)) == "no such message 1"
    assert say(plural("{n} no such", "{n} none such", 2)) == "2 none such"
    assert say(m("")) == ""


def test_an_unknown_language_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(UsageError, match=r"must be one of en, zh \(got xx\)"):
        say_in("xx")


@pytest.mark.parametrize(
    ("environment", "language"),
    [
        ({}, "en"),
        ({"LANG": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": "C.UTF-8"}, "en"),
        ({"LANG": "en_GB.UTF-8", "CYCLESCOPE_LANG": "zh"}, "zh"),
        ({"LANG": "fr_FR.UTF-8"}, "en"),
        ({"CYCLESCOPE_LANG": "", "LC_MESSAGES": "zh"}, "zh"),
    ],
)
def test_the_environment_chooses_the_language(environment: dict[str, str], language: str) -> None:
    assert preferred_language(environment) == language


def test_latin_words_stand_between_spaces_beside_ideographs() -> None:
    say = say_in("zh")
    between = m("Python between operations")
    assert say(between) == "算子之间的 Python"
    sentence = m(
        "If every operation ran at its ceiling, this cycle would take {floor}; it takes {total}, of which {between} between operations takes {python}.",
        floor="1 ms", total="2 ms", between=m("Python"), python="1 ms",
    )  # fmt: skip
    said = say(sentence)
    assert re.search("[\u4e00-\u9fff][A-Za-z]|[A-Za-z][\u4e00-\u9fff]", said) is None
    assert "Python" in said
