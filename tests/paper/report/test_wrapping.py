"""Lines of text in terminal cells."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from rich.cells import cell_len

from cyclescope.report.media.wrapping import pad, wrap
from cyclescope.report.page import Align


@pytest.mark.parametrize(
    ("text", "width", "lines"),
    [
        ("", 10, [""]),
        ("one two three", 7, ["one two", "three"]),
        ("takes 12.3 ms in all", 9, ["takes", "12.3 ms", "in all"]),
        ("all of 46.3 % is", 10, ["all of", "46.3 % is"]),
        ("encode · attention.self.query (linear) × 12", 24, ["encode ·", "attention.self.query", "(linear) × 12"]),
        ("encoder.layer.11.attention", 12, ["encoder.", "layer.11.", "attention"]),
        ("aaaa × 12", 7, ["aaaa", "× 12"]),
        ("一个周期耗时", 6, ["一个周", "期耗时"]),
        ("比例是 1.004。", 11, ["比例是", "1.004。"]),
        ("未解释 -1.0 ns（-0.01 %）。", 16, ["未解释 -1.0 ns", "（-0.01 %）。"]),
        ("上限是 26.2 GB/s，很快。", 15, ["上限是", "26.2 GB/s，很", "快。"]),
        ("达到 2.62 GB/s，快", 12, ["达到", "2.62 GB/s，", "快"]),
        ("a/self/x", 6, ["a/", "self/x"]),
        ("abcdefghij", 4, ["abcd", "efgh", "ij"]),
    ],
)
def test_lines_break_where_they_may(text: str, width: int, lines: list[str]) -> None:
    assert wrap(text, width) == lines


@given(
    st.text(st.characters(exclude_categories=["Cc", "Cf", "Cs", "Zl", "Zp", "Mn", "Me"]), max_size=80),
    st.integers(4, 60),
)
@example("编码·" * 9, 5)
@example("a. 1.2 b", 4)
def test_nothing_is_lost_and_nothing_is_too_wide(text: str, width: int) -> None:
    lines = wrap(text, width)
    assert all(cell_len(line) <= width for line in lines)
    assert "".join("".join(lines).split()) == "".join(text.split())


def test_padding_counts_cells() -> None:
    assert pad("中文", 6) == "中文  "
    assert pad("12", 4, Align.RIGHT) == "  12"
    assert pad("too long", 3) == "too long"


@pytest.mark.parametrize("width", [1, 0, -5])
def test_no_room_at_all_is_no_reason_to_go_on_for_ever(width: int) -> None:
    assert "".join(wrap("ab cd", width)).replace(" ", "") == "abcd"
