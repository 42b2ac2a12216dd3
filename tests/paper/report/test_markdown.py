"""The page as GitHub Markdown."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from syrupy.assertion import SnapshotAssertion

from cyclescope.explaining.explanation import Explanation
from cyclescope.report.media.markdown import escape, to_markdown
from cyclescope.report.page import Bar, Bars, Code, Column, Page, Table
from cyclescope.report.pages.cycle import cycle_page


def test_snapshot(explanation: Explanation, snapshot: SnapshotAssertion) -> None:
    assert to_markdown(cycle_page(explanation)) == snapshot


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("a|b", r"a\|b"),
        ("*bold* _it_ `code`", r"\*bold\* \_it\_ \`code\`"),
        ("scaled_dot_product", "scaled_dot_product"),
        ("<script>", r"\<script\>"),
        ("[text](url)", r"\[text\](url)"),
        ("$x$ ~y~ &lt;", r"\$x\$ \~y\~ \&lt;"),
        ("see #12", r"see \#12"),
        ("1. item", r"1\. item"),
        ("89.9 % of", "89.9 % of"),
        ("- item", r"\- item"),
        ("# title", r"\# title"),
        ("a\nb", r"a\\x0ab"),
    ],
)
def test_signs_lose_their_meaning(text: str, escaped: str) -> None:
    assert escape(text) == escaped


@given(st.text(st.characters()))
def test_a_text_stays_in_its_line_and_its_cell(text: str) -> None:
    escaped = escape(text)
    assert not [c for c in escaped if unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp")]
    # An escaped sign is a pair that begins with a backslash; no other sign may be left.
    assert not set(re.sub(r"\\[!-/:-@\[-`{-~]", "", escaped)) & set("\\`*[]<>|~&$")


def test_every_row_has_the_cells_of_its_heading(hostile: Explanation) -> None:
    table: list[int] = []
    for line in [*to_markdown(cycle_page(hostile)).splitlines(), ""]:
        if line.startswith("|"):
            table.append(len(re.findall(r"(?<!\\)\|", line)))
        elif table:
            assert len(set(table)) == 1, table
            table = []


def test_hostile_names_become_no_markup(hostile: Explanation) -> None:
    text = to_markdown(cycle_page(hostile))
    assert "<script" not in re.sub(r"\\<", "", text)
    assert "](" not in re.sub(r"\\\]", "", text)


def test_a_fence_is_longer_than_what_it_holds() -> None:
    text = to_markdown(Page("t", (Code(("a ```` b", "c"), "python"),)))
    assert "\n`````python\na ```` b\nc\n`````\n" in text


def test_bars_and_the_sum_of_a_table() -> None:
    chart = Bars(("a", "b"), (Column("n"),), (Bar("x", (3.0, 1.0), 0, 0, ("4",)), Bar("y", (0.0, 0.0), 0, 0, ("0",))))
    total = Table((Column("k"), Column("v")), (("one", "1"), ("all", "1")), total=True)
    text = to_markdown(Page("t", (chart, total)))
    assert f"| x | `{'█' * 15}{'░' * 5}` | 4 |" in text
    assert "| y |  | 0 |" in text
    assert "| **all** | **1** |" in text
