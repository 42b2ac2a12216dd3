"""The screens in the documentation are such as today's program prints: its sentences, its sections in their order, its doubts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from cyclescope.core.message import m
from cyclescope.report.words.strings import EN, ZH, Strings
from cyclescope.report.words.translate import say_in

ROOT = Path(__file__).parents[3]
PAGES = [ROOT / "README.md", ROOT / "README.zh.md", *sorted((ROOT / "docs").glob("*.md"))]
LANGUAGES = {"A cycle takes ": EN, "一个周期耗时 ": ZH}
LEFT_OUT = "…"

_BLOCK = re.compile(r"^```(?:text|console)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def folded(text: str) -> str:
    """Without white space: where a line ends depends on the width of the screen."""
    return re.sub(r"\s+", "", text)


def pattern(*templates: str) -> re.Pattern[str]:
    """What one of `templates` can become, folded."""
    kinds = (
        "".join(".+?" if k % 2 else re.escape(part) for k, part in enumerate(re.split(r"(\{\w+\})", folded(t))))
        for t in templates
    )
    return re.compile("|".join(kinds))


def sections(s: Strings) -> list[str]:
    """The headings of a cycle's screen, in their order."""
    say = say_in(s.language)
    found, ceilings = say(m("Bottlenecks")), say(m("Distance to the ceilings"))
    first = [s.warnings, found, s.phases, s.stages, s.costliest, ceilings, s.layers]
    return [*first, say(m("Dependencies and critical path")), s.account, s.memory, s.set_up]


def screens() -> Iterator[tuple[str, Strings, list[str]]]:
    """Name of the page, language and paragraphs of every screen that shows a cycle from its answer on."""
    for page in PAGES:
        for block in _BLOCK.findall(page.read_text(encoding="utf-8")):
            for begin, s in LANGUAGES.items():
                at = block.find(begin)
                if at == 0 or (at > 0 and block[at - 1] == "\n"):
                    yield page.name, s, block[at:].strip().split("\n\n")


SCREENS = list(screens())
BY_PAGE = pytest.mark.parametrize(
    ("page", "s", "paragraphs"), SCREENS, ids=[f"{page}-{k}" for k, (page, *_) in enumerate(SCREENS)]
)


def test_there_are_screens_in_both_languages() -> None:
    assert {s.language for _, s, _ in SCREENS} == {"en", "zh"}
    assert {"README.md", "tasks.md", "tutorial-1-one-cycle.md"} <= {page for page, *_ in SCREENS}


@BY_PAGE
def test_the_answer_is_one_that_the_program_gives(page: str, s: Strings, paragraphs: list[str]) -> None:
    assert pattern(s.answer, s.answer_without_layers).fullmatch(folded(paragraphs[0])), paragraphs[0]
    assert paragraphs[1].startswith(s.wall)


@BY_PAGE
def test_the_sections_are_the_programs_in_its_order(page: str, s: Strings, paragraphs: list[str]) -> None:
    shown = [paragraph.splitlines()[0] for paragraph in paragraphs[2:] if paragraph != LEFT_OUT]
    known = sections(s)
    assert set(shown) <= set(known)
    assert shown == sorted(shown, key=known.index)


@BY_PAGE
def test_the_doubts_are_the_programs(page: str, s: Strings, paragraphs: list[str]) -> None:
    doubts = [paragraph for paragraph in paragraphs if paragraph.startswith(s.warnings + "\n")]
    allowed = pattern(*(advice.text + advice.remedy for advice in s.doubt_texts.values()))
    for doubt in "".join(doubts).split("▲")[1:]:
        assert allowed.fullmatch(folded(doubt)), doubt
