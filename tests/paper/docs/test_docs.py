"""The documentation is true: its links lead somewhere, and its tables match the code."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cyclescope.core import errors
from cyclescope.core.errors import CyclescopeError
from cyclescope.core.message import m
from cyclescope.explaining.explanation import WarningCode
from cyclescope.report.naming.stages import STAGES
from cyclescope.report.words.translate import say_in

ROOT = Path(__file__).parents[3]
DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])

_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
_FENCED = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)
_ROW = re.compile(r"^\| `(\w+)` \| (\d+) \|", re.MULTILINE)


def title(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def anchors(page: Path) -> set[str]:
    """Fragments that GitHub gives the headings of a page."""
    headings = re.findall(r"^#+ (.*)$", _FENCED.sub("", page.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=title)
def test_relative_links_lead_somewhere(page: Path) -> None:
    dead = []
    for link in _LINK.findall(_FENCED.sub("", page.read_text(encoding="utf-8"))):
        if "://" in link or link.startswith("mailto:"):
            continue
        path, _, fragment = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (fragment and target.suffix == ".md" and fragment not in anchors(target)):
            dead.append(link)

    assert dead == []


def test_every_page_can_be_reached_from_the_index() -> None:
    reached: set[Path] = set()
    waiting = [DOCS / "README.md"]
    while waiting:
        page = waiting.pop()
        if page in reached or page.suffix != ".md":
            continue
        reached.add(page)
        links = (link.partition("#")[0] for link in _LINK.findall(page.read_text(encoding="utf-8")))
        waiting.extend((page.parent / link).resolve() for link in links if link and "://" not in link)

    assert {title(p) for p in DOCS.rglob("*.md")} - {title(p) for p in reached} == set()


def test_exit_codes_are_those_of_the_error_classes() -> None:
    table = dict(_ROW.findall((DOCS / "exit-codes.md").read_text(encoding="utf-8")))
    classes = {
        name: str(value.exit_code)
        for name, value in vars(errors).items()
        if isinstance(value, type) and issubclass(value, CyclescopeError)
    }

    assert table == classes


def test_tree_in_the_docstring_of_the_errors_is_the_tree() -> None:
    drawn = dict(re.findall(r"^\W*(\w+) +(\d+)(?: |$)", errors.__doc__ or "", re.MULTILINE))
    classes = {
        name: str(value.exit_code)
        for name, value in vars(errors).items()
        if isinstance(value, type) and issubclass(value, CyclescopeError)
    }

    assert drawn == classes


def test_both_readmes_have_the_same_shape() -> None:
    """English and Chinese say the same things in the same order: as many headings, blocks and links."""

    def shape(name: str) -> tuple[list[int], int, list[str]]:
        text = (ROOT / name).read_text(encoding="utf-8")
        prose = _FENCED.sub("", text)
        links = [link.replace(".zh.", ".") for link in _LINK.findall(prose) if not link.startswith("README")]
        return [len(h) for h in re.findall(r"^(#+) ", prose, re.MULTILINE)], len(_FENCED.findall(text)), links

    assert shape("README.md") == shape("README.zh.md")


def test_every_doubt_is_explained() -> None:
    told = re.findall(r"^\| `([a-z-]+)` \|", (DOCS / "how-it-measures.md").read_text(encoding="utf-8"), re.MULTILINE)

    assert sorted(told) == sorted(code.value for code in WarningCode)


def test_glossary_has_the_words_of_the_reports() -> None:
    glossary = (DOCS / "glossary.md").read_text(encoding="utf-8").lower()
    say = say_in("zh")
    words = [
        m("wall time"), m("unexplained"), m("Python between operations"), m("Account"), m("95 % interval"), m("warm-up"),
        *STAGES.values(),
    ]  # fmt: skip
    missing = [text for word in words for text in (str(word), say(word)) if text.lower() not in glossary]

    assert missing == []
