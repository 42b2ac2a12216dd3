"""The page in a terminal."""

from __future__ import annotations

import contextlib
import io
import os
import re
import unicodedata
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from syrupy.assertion import SnapshotAssertion

from cyclescope.core.message import Text as Words
from cyclescope.explaining.explanation import Explanation
from cyclescope.report.media.terminal import print_page, to_text
from cyclescope.report.page import Align, Bars, Cell, Column, Page, Paragraph, Strip, Table
from cyclescope.report.pages.cycle import cycle_page
from cyclescope.report.words.translate import say_in

_COLOUR = re.compile(r"\x1b\[[0-9;]*(?:3[0-8]|9[0-7])[0-9;]*m")


@pytest.mark.parametrize("width", [80, 120])
def test_snapshot(explanation: Explanation, width: int, snapshot: SnapshotAssertion) -> None:
    assert to_text(cycle_page(explanation), width) == snapshot


def test_snapshot_in_chinese(explanation: Explanation, snapshot: SnapshotAssertion) -> None:
    assert to_text(cycle_page(explanation), 80, language="zh") == snapshot


def test_snapshot_of_an_interrupted_measurement(wall_only: Explanation, snapshot: SnapshotAssertion) -> None:
    assert to_text(cycle_page(wall_only), 80) == snapshot


@pytest.mark.parametrize("width", [40, 60, 80, 120, 200])
@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
@pytest.mark.parametrize("which", ["explanation", "hostile", "unmeasured", "wall_only"])
def test_never_wider_than_the_terminal(
    which: str, encoding: str, language: str, width: int, request: pytest.FixtureRequest
) -> None:
    for line in to_text(cycle_page(request.getfixturevalue(which)), width, encoding, language).splitlines():
        assert cell_len(line) <= width, line


def numbers(page: Page) -> set[Words]:
    """The time in every row of every table and chart: the figures that may never be dropped."""
    found: set[Words | Cell] = set()
    for block in page.blocks:
        if isinstance(block, Bars):
            found |= {bar.cells[0] for bar in block.rows}
        if isinstance(block, Table):
            time = [k for k, column in enumerate(block.columns) if not column.html][1]
            found |= {row[time] for row in block.rows[: block.shown]}
    return {cell.text if isinstance(cell, Cell) else cell for cell in found}


@pytest.mark.parametrize("width", [60, 80, 200])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_no_number_is_cut(explanation: Explanation, language: str, width: int) -> None:
    page = cycle_page(explanation)
    lines = to_text(page, width, language=language).splitlines()
    for number in map(say_in(language), numbers(page)):
        assert any(re.search(rf"(?<![\d.]){re.escape(number)}(?!\w)", line) for line in lines), number


@pytest.mark.parametrize("width", range(40, 130, 7))
def test_a_number_stays_with_its_unit(explanation: Explanation, width: int) -> None:
    for line in to_text(cycle_page(explanation), width).splitlines():
        assert not re.match(r"(?:%|[nµm]?s|GB/s|GFLOP/s)(?:[\s,;.:]|$)", line.strip()), line


def test_wide_terminals_show_every_column_and_narrow_ones_drop_the_least_needed(explanation: Explanation) -> None:
    page = cycle_page(explanation)
    assert "bytes/s" in to_text(page, 120)
    assert "bytes/s" not in to_text(page, 80)
    narrow = to_text(page, 44)
    assert "share" in narrow
    assert not re.search(r"(?<![kMGT])FLOP/s", narrow)  # the heading of the column


def test_piped_output_has_no_control_codes(explanation: Explanation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    stream = io.StringIO()
    print_page(cycle_page(explanation), stream)
    assert not [c for c in stream.getvalue() if unicodedata.category(c) == "Cc" and c != "\n"]


def test_columns_is_honoured(explanation: Explanation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "63")
    stream = io.StringIO()
    print_page(cycle_page(explanation), stream)
    assert max(map(cell_len, stream.getvalue().splitlines())) == 63


@pytest.fixture
def on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> Callable[[Page], str]:
    """Prints a page to a pseudo-terminal of 70 columns and returns what arrives there."""
    pty = pytest.importorskip("pty")
    for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")

    def run(page: Page) -> str:
        master, slave = pty.openpty()
        with os.fdopen(slave, "w", encoding="utf-8") as stream:
            # Small pages only: nobody reads from the other end meanwhile.
            print_page(page, stream, width=70)
        arrived = b""
        with contextlib.suppress(OSError):  # Linux reports the end of a closed terminal as an error
            while chunk := os.read(master, 65_536):
                arrived += chunk
        os.close(master)
        return arrived.decode()

    return run


_SMALL = Page("title", (Strip("encode", (1.0, 2.0), "two layers"), Paragraph("lead", lead=True)))


def test_a_terminal_gets_colour(on_a_terminal: Callable[[Page], str]) -> None:
    assert _COLOUR.search(on_a_terminal(_SMALL))


def test_no_color_is_honoured(on_a_terminal: Callable[[Page], str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert not _COLOUR.search(on_a_terminal(_SMALL))


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "gbk", "utf-8"])
@pytest.mark.parametrize("which", ["explanation", "hostile"])
def test_any_encoding_can_take_it(which: str, encoding: str, request: pytest.FixtureRequest) -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding=encoding)
    print_page(cycle_page(request.getfixturevalue(which)), stream, width=80)
    stream.flush()
    text = raw.getvalue().decode(encoding)
    assert all(cell_len(line) <= 80 for line in text.splitlines())
    if encoding == "ascii" and which == "explanation":
        assert "63.6 ms +/-0.30 %" in text
        assert "165 us" in text
        assert "####" in text


def test_names_print_literally_and_harmlessly(hostile: Explanation) -> None:
    text = to_text(cycle_page(hostile), 200)
    assert "[red]not red[/red]" in text
    assert "\\x1b[31mred\\x1b[0m" in text
    assert "left\\u202eright" in text
    assert not [c for c in text if unicodedata.category(c) in ("Cc", "Cf", "Cs") and c != "\n"]


def test_chinese_columns_line_up() -> None:
    table = Table(
        (Column("算子"), Column("时间", Align.RIGHT)),
        (("编码 · attention", "1.00 ms"), ("abc", "12.3 µs"), ("中文模块名", "999 ns")),
    )
    lines = [line for line in to_text(Page("t", (table,)), 40).splitlines()[3:] if line]
    assert len({cell_len(line) for line in lines}) == 1


def test_a_bar_is_as_long_as_its_share_and_never_nothing(explanation: Explanation) -> None:
    lines = to_text(cycle_page(explanation), 120).splitlines()
    drawn = {line.split()[0]: len(re.findall("[█░▏]", line)) for line in lines if re.match(r"\w+ +[█▏]", line)}
    assert drawn == {"tokenize": 1, "embed": 1, "encode": 40, "head": 1}


@settings(max_examples=50)
@given(
    st.lists(st.tuples(st.text(max_size=60), st.text("0123456789.", min_size=1, max_size=9)), min_size=1, max_size=5),
    st.integers(20, 100),
)
def test_any_table_fits_with_its_numbers_whole(rows: list[tuple[str, str]], width: int) -> None:
    table = Table((Column("name"), Column("n", Align.RIGHT)), tuple(rows))
    text = to_text(Page("t", (table,)), width)
    assert all(cell_len(line) <= width for line in text.splitlines())
    for _, number in rows:
        assert re.search(rf"(?:^|\s){re.escape(number)}$", text, re.MULTILINE)


@pytest.mark.parametrize("width", [20, 40, 80])
@pytest.mark.parametrize("many", [0, 1, 12, 500])
def test_a_strip_stays_one_line_and_shows_its_highest_value(width: int, many: int) -> None:
    values = tuple(9.0 if k == many // 3 else 1.0 for k in range(many))
    strip = Strip("a label that is longer than a narrow terminal", values, "text below")
    lines = to_text(Page("title", (strip,)), width).splitlines()[3:]
    drawn = [line for line in lines if set(line) & set("▁▂▃▄▅▆▇█")]
    assert len(drawn) == (1 if many else 0)
    assert all(cell_len(line) <= width for line in lines)
    if many:
        assert drawn[0].count("█") == 1
