"""Every page in HTML: whole, offline, escaped, in both languages, with only the scripts that it needs."""

from __future__ import annotations

import re

import pytest

from cyclescope.core.message import m, plural
from cyclescope.report.media.html.html import to_html
from cyclescope.report.page import (
    Align,
    Bar,
    Bars,
    Block,
    Cell,
    Claim,
    Claims,
    Code,
    Column,
    Details,
    Figures,
    Heading,
    Headline,
    KeyValues,
    Note,
    Page,
    Paragraph,
    Section,
    Severity,
    Strip,
    Table,
)

HOSTILE = '<script>alert("x")</script>\x1b[2J\u202e'
COLUMNS = (Column(HOSTILE), Column("t", Align.RIGHT, term="interval"))
BLOCKS: tuple[Block, ...] = (
    Heading(HOSTILE),
    Paragraph(HOSTILE, term="closure"),
    Note(Severity.WARNING, HOSTILE, HOSTILE),
    Table(COLUMNS, ((HOSTILE, Cell(HOSTILE, sort=1.5)), ("sum", "2")), total=True, caption=HOSTILE, sortable=True),
    Bars(("a", "b"), COLUMNS[1:], (Bar(HOSTILE, (1.0, 2.0), 2.5, 3.5, (HOSTILE,), HOSTILE),)),
    Strip(HOSTILE, (1.0, 2.0), HOSTILE),
    KeyValues(((HOSTILE, HOSTILE),)),
    Claims((Claim(HOSTILE, HOSTILE, HOSTILE, HOSTILE, span=3, weight=0.5, gain=0.25),)),
    Code((HOSTILE,), HOSTILE),
    Figures((Headline(HOSTILE, HOSTILE, HOSTILE, HOSTILE, "wall"),)),
    Details(HOSTILE, (Paragraph(HOSTILE),)),
)


def page(*blocks: Block) -> Page:
    return Page(HOSTILE, (Paragraph(HOSTILE, lead=True),), (Section("all", HOSTILE, blocks, HOSTILE),))


@pytest.mark.parametrize("language", ["en", "zh"])
def test_no_text_becomes_markup_or_control(language: str) -> None:
    html = to_html(page(*BLOCKS), language)
    assert "<script>alert" not in html
    assert "\x1b" not in html
    assert "\u202e" not in html
    assert html.count("&lt;script&gt;") > 20


def test_only_the_definitions_that_are_offered_are_there() -> None:
    html = to_html(page(*BLOCKS))
    opened = set(re.findall(r'popovertarget="(formula-[\w-]+)"', html))
    assert opened == {"formula-interval", "formula-closure", "formula-wall"}
    assert set(re.findall(r'popover id="(formula-[\w-]+)"', html)) == opened


def test_a_page_without_drawings_has_no_script_of_one() -> None:
    html = to_html(page(*BLOCKS))
    assert "class Timeline" not in html
    assert "dagre" not in html
    assert len(html) < 100_000


def test_the_policy_forbids_every_connection() -> None:
    html = to_html(page())
    assert "default-src &#39;none&#39;" in html
    assert not re.search(r'(?:src|href)="(?!#)', html)


def test_the_language_is_that_of_the_reader() -> None:
    said = Page(m("Error: {fact}", fact="x"), (), (Section("s", "s", (Paragraph(plural("{n} a", "{n} as", 2)),)),))
    assert '<html lang="en"' in to_html(said)
    assert "Error: x" in to_html(said)
    assert "2 as" in to_html(said)
    chinese = to_html(said, "zh")
    assert '<html lang="zh-CN"' in chinese
    assert "错误：x" in chinese
