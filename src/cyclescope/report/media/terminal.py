"""A page in a terminal: as wide as it and no wider, coloured where colour is wanted, plain where the output is piped."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain
from typing import IO

from rich.cells import cell_len
from rich.console import Console
from rich.style import Style
from rich.text import Text

from cyclescope.core.message import Text as Words
from cyclescope.core.message import sentences
from cyclescope.report.media.wrapping import pad, wrap
from cyclescope.report.names import printable
from cyclescope.report.page import (
    Align,
    Bar,
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
from cyclescope.report.words.translate import ENGLISH, say_in

_GAP = 2
_LEAST_TERMINAL = 20
_LEAST_HEAD, _MOST_HEAD = 6, 3  # cells that a title is not made narrower than, and its lines
_LEAST_TEXT = 16  # a wrapped column narrower than this reads worse than a dropped number
_LUXURY = 3  # columns of this priority and above go before any text is wrapped
_LEAST_BAR, _MOST_BAR = 8, 40
_LEAST_STRIP = 24
_MOST_PROSE = 100  # longer lines are hard to follow with the eye
_NOT_DRAWN = (Details, Drawing, Figures)
_PLAIN = Style.null()
_TITLE, _LEAD, _HEAD, _DIM = Style(bold=True), Style(bold=True), Style(dim=True), Style(dim=True)
_PARTS = (Style(color="cyan"), Style(color="yellow"), Style(color="magenta"))
_SEVERITY = {
    Severity.INFO: Style(dim=True),
    Severity.GOOD: Style(color="green"),
    Severity.WARNING: Style(color="yellow"),
}
# What a stream that takes no more than ASCII gets instead.
_IN_ASCII = {
    "µ": "u", "≈": "~", "×": "x", "±": "+/-", "–": "-", "—": "-", "·": "-", "∞": "inf", "…": "...", "’": "'", "✓": "+", "▲": "!",
    "•": "*", "√": "sqrt", "“": '"', "”": '"', "→": "->", "−": "-", "÷": "/",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Glyphs:
    """The characters that pictures are made of: `parts` fill a bar, `sliver` is the least of it, `steps` rise in a strip."""

    parts: tuple[str, str, str]
    sliver: str
    steps: str
    rule: str
    marks: dict[Severity, str]


_BLOCKS = _Glyphs(
    ("█", "░", "▒"), "▏", "▁▂▃▄▅▆▇█", "─", {Severity.INFO: "·", Severity.GOOD: "✓", Severity.WARNING: "▲"}
)
_ASCII = _Glyphs(("#", "-", "="), "#", "_.-=+*%#", "-", {Severity.INFO: "-", Severity.GOOD: "+", Severity.WARNING: "!"})


class _Console(Console):
    """A console that leaves it to the command line what a reader that went away means."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError


def print_page(page: Page, file: IO[str] | None = None, width: int | None = None, language: str = ENGLISH) -> None:
    """Print `page` to `file` (standard output). COLUMNS, NO_COLOR and the stream's encoding are honoured."""
    console = _Console(file=file, width=width, highlight=False, markup=False, emoji=False, soft_wrap=True)
    for line in render(page, console.width, console.encoding, language):
        console.print(line)


def to_text(page: Page, width: int = 80, encoding: str = "utf-8", language: str = ENGLISH) -> str:
    """`page` as plain text without any control code, at most `width` cells wide, in what `encoding` can take."""
    return "".join(f"{line.plain}\n" for line in render(page, width, encoding, language))


def render(page: Page, width: int, encoding: str = "utf-8", language: str = ENGLISH) -> Iterator[Text]:
    """The lines of `page` in `language`, none wider than `width` cells (20 at least), in what `encoding` can take.

    Raises `UsageError` for a language without a catalog.
    """
    blocks = _can_write(encoding, "".join(_BLOCKS.parts) + _BLOCKS.steps + _BLOCKS.rule)
    medium = _Terminal(max(width, _LEAST_TERMINAL), _BLOCKS if blocks else _ASCII, _writer(encoding, language))
    previous: Block | _Title | None = None
    for block in _in_order(page):
        if previous is not None and _apart(previous, block):
            yield Text()
        for line in medium.lines(block):
            line.rstrip()
            yield line
        previous = block


@dataclass(frozen=True, slots=True)
class _Title:
    """The title of the page (level 1) or of a section (level 2)."""

    text: Words
    level: int


def _in_order(page: Page) -> Iterator[Block | _Title]:
    """All that a terminal shows of `page`; a section that is nothing but a drawing is left out."""
    yield _Title(page.title, 1)
    yield from (block for block in page.opening if not isinstance(block, _NOT_DRAWN))
    for section in page.sections:
        if section.written:
            yield _Title(section.title, 2)
            yield from section.written


def _apart(above: Block | _Title, below: Block | _Title) -> bool:
    """Whether a blank line stands between two blocks."""
    if isinstance(above, _Title):
        return above.level == 1
    if isinstance(above, Heading):
        return False
    return isinstance(below, _Title | Heading) or any(isinstance(b, Paragraph) and b.lead for b in (above, below))


def _writer(encoding: str, language: str) -> Callable[[Words | Cell], str]:
    """From a text of a page to what is written: in `language`, printable, and spelt in what `encoding` can take.

    Spelt before it is laid out, since `\u00b1` takes one cell and `+/-` three.
    """
    say = say_in(language)

    @cache
    def written(text: Words | Cell) -> str:
        return _spelt(printable(say(text.text if isinstance(text, Cell) else text)), encoding)

    return written


def _spelt(text: str, encoding: str) -> str:
    """A sign that cannot be written by its ASCII spelling, another script by its code."""
    if _can_write(encoding, text):
        return text
    return "".join(
        c if _can_write(encoding, c) else _IN_ASCII.get(c, c.encode("ascii", "backslashreplace").decode()) for c in text
    )


def _can_write(encoding: str, text: str) -> bool:
    try:
        text.encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return False
    return True


@dataclass(frozen=True, slots=True)
class _Terminal:
    width: int
    glyphs: _Glyphs
    say: Callable[[Words | Cell], str]

    def lines(self, block: Block | _Title) -> Iterable[Text]:
        match block:
            case _Title():
                return self._title(block)
            case Heading():
                return (Text(line, _TITLE) for line in wrap(self.say(block.text), self.width))
            case Paragraph():
                style = _LEAD if block.lead else _PLAIN
                return (Text(line, style) for line in wrap(self.say(block.text), min(self.width, _MOST_PROSE)))
            case Note():
                return self._note(block)
            case Table():
                return self._table(block)
            case Bars():
                return self._bars(block)
            case Strip():
                return self._strip(block)
            case KeyValues():
                return self._key_values(block)
            case Claims():
                return self._claims(block)
            case Listing():
                indent = cell_len(f"{len(block.items)}. ")
                points = enumerate(block.items, start=1)
                return chain.from_iterable(
                    self._hanging(f"{number}.", self.say(item), _PLAIN, indent) for number, item in points
                )
            case Code():
                return (Text(piece) for line in block.lines for piece in wrap(self.say(line), self.width))
            case Figures() | Details() | Drawing():
                return ()

    def _title(self, title: _Title) -> Iterator[Text]:
        for line in wrap(self.say(title.text), self.width):
            yield Text(line, _TITLE)
        if title.level == 1:
            yield Text(self.glyphs.rule * min(self.width, _MOST_PROSE), _DIM)

    def _hanging(self, mark: str, text: str, style: Style, indent: int = 2) -> Iterator[Text]:
        """`text` wrapped beside `mark`, its further lines below its first."""
        for i, line in enumerate(wrap(text, min(self.width, _MOST_PROSE) - indent)):
            yield Text.assemble((pad(mark if i == 0 else "", indent), style), (line, style))

    def _note(self, note: Note) -> Iterator[Text]:
        yield from self._hanging(self.glyphs.marks[note.severity], self.say(note.text), _SEVERITY[note.severity])
        if note.remedy:
            yield from self._hanging("", self.say(note.remedy), _PLAIN)

    def _claims(self, claims: Claims) -> Iterator[Text]:
        indent = cell_len(f"{len(claims.items)}. ")
        for number, claim in enumerate(claims.items, start=1):
            yield from self._hanging(f"{number}.", self.say(claim.text), _LEAD, indent=indent)
            for text, style in ((claim.evidence, _DIM), (sentences(claim.remedy, claim.expected), _PLAIN)):
                if text:
                    yield from self._hanging("", self.say(text), style, indent=indent)

    def _key_values(self, block: KeyValues) -> Iterator[Text]:
        rows = [(self.say(key), self.say(value)) for key, value in block.rows]
        indent = max((cell_len(key) for key, _ in rows), default=0) + _GAP
        if self.width - indent < _LEAST_TEXT:  # each value below its key
            for key, value in rows:
                yield from (Text(line, _DIM) for line in wrap(key, self.width))
                yield from self._hanging("", value, _PLAIN)
            return
        for key, value in rows:
            for i, line in enumerate(wrap(value, min(self.width, _MOST_PROSE) - indent)):
                yield Text.assemble((pad(key if i == 0 else "", indent), _DIM), line)

    def _strip(self, strip: Strip) -> Iterator[Text]:
        steps = self.glyphs.steps
        label = self.say(strip.label) + " " * _GAP
        # From zero, so that equal layers look equal; a scale from the least to the most would show noise as mountains.
        top = max(strip.values, default=0.0)
        room = self.width - cell_len(label)
        if room < min(_LEAST_STRIP, len(strip.values)):  # below its label there is more room than beside it
            yield from (Text(line) for line in wrap(self.say(strip.label), self.width))
            label, room = "", self.width
        # A picture that goes on in a second line is read as two; neighbours share a column instead, the highest shows.
        columns, many = min(room, len(strip.values)), len(strip.values)
        values = [max(strip.values[c * many // columns : (c + 1) * many // columns]) for c in range(columns)]
        heights = [round((len(steps) - 1) * value / top) if top > 0 else 0 for value in values]
        picture = "".join(steps[min(max(height, 0), len(steps) - 1)] for height in heights)
        yield Text.assemble(label, (picture, _PARTS[0]))
        for line in wrap(self.say(strip.text), min(self.width, _MOST_PROSE)):
            yield Text(line)

    def _table(self, table: Table) -> Iterator[Text]:
        there = [c for c, column in enumerate(table.columns) if not column.html]
        every = [_Narrow(self.say(column.title), column) for column in (table.columns[c] for c in there)]
        texts = [[self.say(row[c]) for c in there] for row in table.rows[: table.shown]]
        kept = _fitting(every, texts, self.width)
        columns = [every[c] for c in kept]
        rows = [[row[c] for c in kept] for row in texts]
        widths = _widths(columns, rows, self.width)
        yield from _row(columns, [column.title for column in columns], widths, _HEAD)
        for number, cells in enumerate(rows):
            last = table.total and number == len(rows) - 1
            if last:
                yield Text(self.glyphs.rule * (sum(widths) + _GAP * (len(widths) - 1)), _DIM)
            yield from _row(columns, cells, widths, _LEAD if last else _PLAIN)
        if table.more:
            yield from (Text(line) for line in wrap(self.say(table.more), min(self.width, _MOST_PROSE)))

    def _bars(self, chart: Bars) -> Iterator[Text]:
        """Label, bar, numbers; where the terminal is too narrow the bar goes first and then the least needed numbers."""
        there = [c for c, column in enumerate(chart.columns) if not column.html]
        columns = [
            _Narrow(self.say(chart.label), Column(""), True),
            *(_Narrow(self.say(c.title), c) for c in (chart.columns[k] for k in there)),
        ]
        rows = [[self.say(bar.label), *(self.say(bar.cells[k]) for k in there)] for bar in chart.rows]
        with_bar = self.width - _LEAST_BAR - _GAP
        kept = _fitting(columns, rows, with_bar)
        shown = [columns[c] for c in kept]
        cells = [[row[c] for c in kept] for row in rows]
        widths = _widths(shown, cells, with_bar)
        used = sum(widths) + _GAP * len(widths)
        room = min(self.width - used, _MOST_BAR)
        longest = max((bar.length for bar in chart.rows), default=0.0)
        titles = [column.title for column in shown]
        yield from self._barred(shown, titles, widths, Text(" " * room), _HEAD)
        for bar, row in zip(chart.rows, cells, strict=True):
            yield from self._barred(shown, row, widths, self._bar(bar, longest, room), _PLAIN)
        if len(chart.legend) > 1:
            yield from self._legend([self.say(name) for name in chart.legend])
        if chart.more:
            yield from (Text(line) for line in wrap(self.say(chart.more), min(self.width, _MOST_PROSE)))

    def _barred(
        self, columns: Sequence[_Narrow], cells: Sequence[str], widths: Sequence[int], bar: Text, style: Style
    ) -> Iterator[Text]:
        """A row with its bar between label and numbers, on the first of its lines."""
        labels = list(_row(columns[:1], cells[:1], widths[:1], style))
        numbers = list(_row(columns[1:], cells[1:], widths[1:], style))
        gap, blank, no_label = " " * _GAP, Text(" " * bar.cell_len), Text(" " * widths[0])
        for i in range(max(len(labels), len(numbers))):
            label = labels[i] if i < len(labels) else no_label
            beside = numbers[i] if i < len(numbers) else Text()
            yield Text.assemble(label, gap, blank if i else bar, gap, beside)

    def _bar(self, bar: Bar, longest: float, room: int) -> Text:
        """A bar in `room` cells, each part ending on the cell nearest to its end."""
        text = Text()
        scale = room / longest if longest > 0 else 0.0
        drawn = 0
        reached = 0.0
        for number, part in enumerate(bar.parts):
            reached += max(part, 0.0) * scale
            cells = round(reached) - drawn
            text.append(self.glyphs.parts[number % 3] * cells, _PARTS[number % 3])
            drawn += cells
        if not drawn and bar.length > 0:
            # Something that took time is never drawn as nothing.
            text.append(self.glyphs.sliver, _PARTS[0])
            drawn = 1
        text.append(" " * (room - drawn))
        return text

    def _legend(self, names: Sequence[str]) -> Iterator[Text]:
        """What the parts of a bar are, on one line if there is room."""
        entries = [
            Text.assemble((self.glyphs.parts[number % 3] * 2, _PARTS[number % 3]), (f" {name}", _DIM))
            for number, name in enumerate(names)
        ]
        line = Text("   ").join(entries)
        yield from [line] if line.cell_len <= self.width else entries


@dataclass(frozen=True, slots=True)
class _Narrow:
    """A column with its title as text; a `squeezed` title never makes its column wider than it need be."""

    title: str
    column: Column
    squeezed: bool = False

    @property
    def align(self) -> Align:
        return self.column.align

    @property
    def priority(self) -> int:
        return self.column.priority

    @property
    def wraps(self) -> bool:
        """Whether the title stands on several lines where that saves room: numbers do not."""
        return self.squeezed or self.align is Align.RIGHT

    def least(self) -> int:
        """The narrowest that the title can stand in without a word broken, on a few lines."""
        whole = cell_len(self.title)
        for width in range(max(_LEAST_HEAD, -(-whole // _MOST_HEAD)), whole):
            lines = wrap(self.title, width)
            if len(lines) <= _MOST_HEAD and _whole_words(self.title, lines):
                return width
        return whole


def _whole_words(title: str, lines: Sequence[str]) -> bool:
    """Whether `lines` of `title` break no word of Latin letters."""
    words = {word for line in lines for word in line.split()}
    return all(word in words for word in title.split() if word.isascii())


def _fitting(columns: Sequence[_Narrow], rows: Sequence[Sequence[str]], width: int) -> list[int]:
    """Columns that fit into `width` with every number whole: luxuries go before a text or the title of numbers is wrapped, the
    others after.
    """
    kept = list(range(len(columns)))
    narrow = [_least(column, [row[c] for row in rows]) for c, column in enumerate(columns)]
    whole = [
        natural if column.squeezed else max(natural, cell_len(column.title))
        for column, natural in zip(columns, narrow, strict=True)
    ]
    least = [
        natural if column.align is Align.RIGHT else min(natural, _LEAST_TEXT)
        for column, natural in zip(columns, narrow, strict=True)
    ]
    for widths, from_priority in ((whole, _LUXURY), (least, 1)):
        while sum(widths[c] for c in kept) + _GAP * (len(kept) - 1) > width:
            droppable = [c for c in kept if columns[c].priority >= from_priority]
            if not droppable:
                break
            kept.remove(max(droppable, key=lambda c: columns[c].priority))
    return kept


def _least(column: _Narrow, cells: Sequence[str]) -> int:
    """What a column needs with its cells whole, and its title too unless that wraps."""
    title = column.least() if column.wraps else cell_len(column.title)
    return max([title, *map(cell_len, cells)])


def _widths(columns: Sequence[_Narrow], rows: Sequence[Sequence[str]], width: int) -> list[int]:
    """Numbers get what they need, and their titles as far as there is room; texts share what is left, each at most what it needs."""
    least = [_least(column, [row[c] for row in rows]) for c, column in enumerate(columns)]
    widths = [
        narrow if column.squeezed else max(narrow, cell_len(column.title))
        for column, narrow in zip(columns, least, strict=True)
    ]
    texts = [c for c, column in enumerate(columns) if column.align is Align.LEFT]
    over = sum(widths) + _GAP * (len(widths) - 1) - width
    while over > 0 and (wide := [c for c in range(len(widths)) if widths[c] > least[c]]):
        widths[max(wide, key=lambda c: widths[c] - least[c])] -= 1
        over -= 1
    while over > 0 and texts:
        widest = max(texts, key=lambda c: widths[c])
        if widths[widest] <= 4:
            break
        widths[widest] -= 1
        over -= 1
    return widths


def _row(columns: Sequence[_Narrow], cells: Sequence[str], widths: Sequence[int], style: Style) -> Iterator[Text]:
    """One row; a text that needs several lines takes them, numbers stand on its first."""
    wrapped = [wrap(cell, width) for cell, width in zip(cells, widths, strict=True)]
    for i in range(max((len(lines) for lines in wrapped), default=0)):
        parts = [
            pad(lines[i] if i < len(lines) else "", width, column.align)
            for lines, width, column in zip(wrapped, widths, columns, strict=True)
        ]
        yield Text((" " * _GAP).join(parts), style)
