"""The screens in the documentation are such as today's program prints: its sentences, its sections in their order, its warnings."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from golden.subjects import subject

from cyclescope.core.message import Message, Text, m
from cyclescope.explaining.explain import explain
from cyclescope.report.naming.warnings import WARNINGS
from cyclescope.report.pages.cycle import cycle_page
from cyclescope.report.words.translate import say_in

ROOT = Path(__file__).parents[3]
PAGES = [ROOT / "README.md", ROOT / "README.zh.md", *sorted((ROOT / "docs").glob("*.md"))]
LANGUAGES = {"A cycle takes ": "en", "一个周期耗时 ": "zh"}
ANSWER = m("A cycle takes {wall}: {share} of the attributed time is {stage}, {work}, {between} {between_share}.")
# Together they have every section that a terminal shows.
SUBJECTS = (
    "cycle-doubtful",
    "cycle-encoder",
    "cycle-generation",
    "cycle-device-waiting",
    "cycle-roofline",
    "cycle-experts",
)
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


def sections(language: str) -> list[str]:
    """The headings of a cycle's screen, in their order."""
    say, order = say_in(language), list[Text]()
    for pages in (cycle_page(explain(subject(name))) for name in SUBJECTS):
        titles = [section.title for section in pages.sections if section.written]
        for k, title in enumerate(titles):
            if title not in order:
                before = next((order.index(other) for other in titles[k + 1 :] if other in order), len(order))
                order.insert(before, title)
    return [say(title) for title in order]


def templates(message: Message, language: str) -> list[str]:
    """What `message` is in `language`, its fields unfilled: one text, or one for each number."""
    say = say_in(language)
    forms = [replace(message, values=(), count=count) for count in (1, 2)]
    return list(map(say, forms))


def screens() -> Iterator[tuple[str, str, list[str]]]:
    """Name of the page, language and paragraphs of every screen that shows a cycle from its answer on."""
    for page in PAGES:
        for block in _BLOCK.findall(page.read_text(encoding="utf-8")):
            for begin, language in LANGUAGES.items():
                at = block.find(begin)
                if at == 0 or (at > 0 and block[at - 1] == "\n"):
                    yield page.name, language, block[at:].strip().split("\n\n")


SCREENS = list(screens())
BY_PAGE = pytest.mark.parametrize(
    ("page", "language", "paragraphs"), SCREENS, ids=[f"{page}-{k}" for k, (page, *_) in enumerate(SCREENS)]
)


def test_there_are_screens_in_both_languages() -> None:
    assert {language for _, language, _ in SCREENS} == {"en", "zh"}
    assert {"README.md", "tasks.md", "tutorial-1-one-cycle.md"} <= {page for page, *_ in SCREENS}


@BY_PAGE
def test_the_answer_is_one_that_the_program_gives(page: str, language: str, paragraphs: list[str]) -> None:
    assert pattern(*templates(ANSWER, language)).fullmatch(folded(paragraphs[0])), paragraphs[0]
    assert paragraphs[1].startswith(say_in(language)(m("wall time")))


@BY_PAGE
def test_the_sections_are_the_programs_in_its_order(page: str, language: str, paragraphs: list[str]) -> None:
    shown = [paragraph.splitlines()[0] for paragraph in paragraphs[2:] if paragraph != LEFT_OUT]
    known = sections(language)
    assert [title for title in shown if title not in known] == []
    assert shown == sorted(shown, key=known.index)


@BY_PAGE
def test_the_warnings_are_the_programs(page: str, language: str, paragraphs: list[str]) -> None:
    say = say_in(language)
    warnings = [paragraph for paragraph in paragraphs if paragraph.startswith(say(m("Warnings")) + "\n")]
    allowed = pattern(
        *(text + say(advice.remedy) for advice in WARNINGS.values() for text in templates(advice.text, language))
    )
    for warning in "".join(warnings).split("▲")[1:]:
        assert allowed.fullmatch(folded(warning)), warning
