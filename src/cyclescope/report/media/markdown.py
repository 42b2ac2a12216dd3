"""A page as GitHub-flavoured Markdown (https://github.github.com/gfm/): for pull requests, issues and notebooks."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from cyclescope.core.message import Text, sentences
from cyclescope.report.names import printable
from cyclescope.report.page import (
    Align,
    Bars,
    Block,
    Cell,
    Claims,
    Code,
    Column,
    Details,
    Drawing,
    Figures,
    Heading,
    KeyValues,
    Listing,
    Note,
    Page,
    Paragraph,
    Severity,
    Strip,
    Table,
)
from cyclescope.report.words.translate import ENGLISH, Say, say_in

_BAR_CELLS = 20
_PARTS = "█░▒"
_STEPS = "▁▂▃▄▅▆▇█"
_ALERT = {Severity.INFO: "NOTE", Severity.GOOD: "TIP", Severity.WARNING: "WARNING"}
# Signs that mean something anywhere in a line. An underscore or a number sign within a word means nothing.
_SIGNS = re.compile(r"[\\`*\[\]<>|~&$]|(?<![^\W_])_|_(?![^\W_])|#(?=[0-9])")
# Signs that mean something at the beginning of a line: headings, lists, rules, tables, code.
_BEGINNING = re.compile(r"^(\s*)([#+=-]|[0-9]+(?=[.)](?:\s|$)))")


def to_markdown(page: Page, language: str = ENGLISH) -> str:
    """`page` in `language` as Markdown. A name is shown literally and never becomes markup.

    Raises `UsageError` for a language without a catalog.
    """
    return "\n\n".join("\n".join(lines) for lines in _Markdown(say_in(language)).pieces(page) if lines) + "\n"


def escape(text: str) -> str:
    """`text` on one line, as text in a paragraph or in a cell of a table."""
    escaped = _SIGNS.sub(lambda sign: f"\\{sign[0]}", printable(text))
    return _BEGINNING.sub(
        lambda found: f"{found[1]}{found[2]}\\" if found[2].isdigit() else f"{found[1]}\\{found[2]}", escaped
    )


@dataclass(frozen=True, slots=True)
class _Markdown:
    say: Say

    def pieces(self, page: Page) -> Iterator[list[str]]:
        """The lines of each piece of `page`; a section that is nothing but a drawing is left out."""
        yield [f"# {self.text(page.title)}"]
        yield from (list(self.lines(block)) for block in page.opening)
        for section in page.sections:
            if section.written:
                yield [f"## {self.text(section.title)}"]
                yield from (list(self.lines(block)) for block in section.written)

    def text(self, text: Text | Cell) -> str:
        return escape(self.say(text.text if isinstance(text, Cell) else text))

    def lines(self, block: Block) -> Iterable[str]:
        match block:
            case Heading():
                return [f"### {self.text(block.text)}"]
            case Paragraph():
                return [f"**{self.text(block.text)}**" if block.lead else self.text(block.text)]
            case Note():
                remedy = [f"> {self.text(block.remedy)}"] if block.remedy else []
                return [f"> [!{_ALERT[block.severity]}]", f"> {self.text(block.text)}", *remedy]
            case Table():
                return self._table(block)
            case Bars():
                return self._bars(block)
            case Strip():
                return [f"{self.text(block.label)} `{_strip(block.values)}`", "", self.text(block.text)]
            case KeyValues():
                return [f"- **{self.text(key)}**: {self.text(value)}" for key, value in block.rows]
            case Claims():
                return self._claims(block)
            case Listing():
                return [f"{number}. {self.text(item)}" for number, item in enumerate(block.items, start=1)]
            case Code():
                return _code(block)
            case Figures() | Details() | Drawing():
                return []

    def _claims(self, claims: Claims) -> Iterator[str]:
        for number, claim in enumerate(claims.items, start=1):
            mark, remedy = f"{number}. ", sentences(claim.remedy, claim.expected)
            yield f"{mark}**{self.text(claim.text)}**" + ("  " if claim.evidence or remedy else "")
            rest = [self.text(text) for text in (claim.evidence, remedy) if text]
            # Two blanks at the end of a line break it; the indentation keeps it in its item.
            yield from (f"{' ' * len(mark)}{text}" + ("  " if text is not rest[-1] else "") for text in rest)

    def _table(self, table: Table) -> Iterator[str]:
        there = [c for c, column in enumerate(table.columns) if not column.html]
        rows = [[self.text(row[c]) for c in there] for row in table.rows[: table.shown]]
        if table.total and rows:
            rows[-1] = [f"**{cell}**" for cell in rows[-1]]
        yield from self._rows([table.columns[c] for c in there], rows)
        if table.more:
            yield from ("", self.text(table.more))

    def _rows(self, columns: Sequence[Column], rows: Iterable[Sequence[str]]) -> Iterator[str]:
        yield f"| {' | '.join(self.text(column.title) for column in columns)} |"
        yield f"| {' | '.join('---:' if column.align is Align.RIGHT else ':---' for column in columns)} |"
        for row in rows:
            yield f"| {' | '.join(row)} |"

    def _bars(self, chart: Bars) -> Iterator[str]:
        longest = max((bar.length for bar in chart.rows), default=0.0)
        there = [c for c, column in enumerate(chart.columns) if not column.html]
        columns = (Column(chart.label), Column(""), *(chart.columns[c] for c in there))
        rows = [
            (self.text(bar.label), _bar(bar.parts, longest), *(self.text(bar.cells[c]) for c in there))
            for bar in chart.rows
        ]
        yield from self._rows(columns, rows)
        if len(chart.legend) > 1:
            yield ""
            yield ", ".join(f"`{_PARTS[i % 3]}` {self.text(name)}" for i, name in enumerate(chart.legend))
        if chart.more:
            yield from ("", self.text(chart.more))


def _bar(parts: Sequence[float], longest: float) -> str:
    drawn, reached = "", 0.0
    for i, part in enumerate(parts):
        reached += max(part, 0.0)
        cells = round(_BAR_CELLS * reached / longest) if longest > 0 else 0
        drawn += _PARTS[i % 3] * (cells - len(drawn))
    return f"`{drawn or '▏'}`" if reached else ""


def _strip(values: Sequence[float]) -> str:
    """From zero, so that equal values look equal."""
    top = max(values, default=0.0)
    return "".join(_STEPS[max(0, round((len(_STEPS) - 1) * value / top)) if top > 0 else 0] for value in values)


def _code(block: Code) -> Iterator[str]:
    """A fence longer than any run of backticks inside."""
    longest = max((len(run) for line in block.lines for run in re.findall("`+", line)), default=0)
    fence = "`" * max(3, longest + 1)
    yield f"{fence}{block.language}"
    yield from (printable(line) for line in block.lines)
    yield fence
