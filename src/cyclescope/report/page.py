"""The page as a value: what is said, before any medium says how it looks or in which language.

Every plain text in it is untrusted: a medium escapes it. Every number in it was made by `format`. A medium leaves out
what it cannot draw: `Details`, `Figures` and `Drawing` show in HTML only, so what they say stands in a text or table too.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

from cyclescope.core.message import Text, m


class Severity(StrEnum):
    """How much a note asks of the reader."""

    INFO = "info"
    GOOD = "good"
    WARNING = "warning"


class Align(StrEnum):
    """Texts stand on the left, numbers on the right."""

    LEFT = "left"
    RIGHT = "right"


class Emphasis(StrEnum):
    """How a column stands out beside the others, where a medium can show it."""

    NORMAL = ""
    STRONG = "strong"
    SOFT = "soft"
    PATH = "path"  # a name that may be long, such as a module's


_TIME_DRAWN = m("time, drawn")


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading inside a section."""

    text: Text


@dataclass(frozen=True, slots=True)
class Paragraph:
    """`lead` marks the one sentence that the page exists for, `soft` what can be skipped. `term` names its definition."""

    text: Text
    lead: bool = False
    soft: bool = False
    term: str = ""


@dataclass(frozen=True, slots=True)
class Note:
    """A fact that the reader must know, and what to do about it (may be empty)."""

    severity: Severity
    text: Text
    remedy: Text = ""
    term: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """A column. A narrow medium drops columns with the highest `priority` first (0: never) and may wrap left-aligned
    ones; it never cuts a right-aligned cell, which is a number. `term` names the definition that HTML offers with it.

    `html` marks a column that only HTML has room for.
    """

    title: Text
    align: Align = Align.LEFT
    priority: int = 0
    term: str = ""
    emphasis: Emphasis = Emphasis.NORMAL
    html: bool = False


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell with more than its text: `span` is its place in the timeline, `swatch` the class of its colour (`hatched` like
    time between operations), `sort` the number that it is sorted by, `term` the definition that HTML offers with it,
    `drawing` what HTML draws in it.
    """

    text: Text
    span: int | None = None
    swatch: str = ""
    hatched: bool = False
    sort: float | None = None
    term: str = ""
    drawing: Drawing | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells, one for each column. `total` says that the last row sums up the others.

    Media without much room show the first `shown` rows (None: all) and then `more`. `sortable` tables can be sorted.
    """

    columns: tuple[Column, ...]
    rows: tuple[tuple[Text | Cell, ...], ...]
    total: bool = False
    caption: Text = ""
    shown: int | None = None
    more: Text = ""
    sortable: bool = False

    def __post_init__(self) -> None:
        if any(len(row) != len(self.columns) for row in self.rows):
            raise ValueError("a row with more or fewer cells than there are columns")


@dataclass(frozen=True, slots=True)
class Bar:
    """One row of a bar chart: `parts` add up to its length, in the unit shared by all rows.

    `low` and `high` are the ends of its interval (equal: none); `cells` are the numbers beside it, one for each column
    of the chart; `spoken` is the whole row as a sentence, for those who hear the page.
    """

    label: Text
    parts: tuple[float, ...]
    low: float
    high: float
    cells: tuple[Text | Cell, ...]
    spoken: Text = ""

    @property
    def length(self) -> float:
        return sum(self.parts)


@dataclass(frozen=True, slots=True)
class Bars:
    """Bars on one common scale. `label` titles the rows, `legend` names the parts, `columns` the numbers beside the bars, and
    `drawn` what their lengths show. `drawing`, where there is one, is the picture that a medium with more than characters shows instead;
    `more` is what the bars leave out.
    """

    legend: tuple[Text, ...]
    columns: tuple[Column, ...]
    rows: tuple[Bar, ...]
    label: Text = ""
    caption: Text = ""
    drawn: Text = _TIME_DRAWN
    drawing: Drawing | None = None
    more: Text = ""

    def __post_init__(self) -> None:
        if any(len(bar.cells) != len(self.columns) or len(bar.parts) != len(self.legend) for bar in self.rows):
            raise ValueError("a bar with more or fewer cells or parts than the chart has")


@dataclass(frozen=True, slots=True)
class Strip:
    """Many values of one kind in their order, too many for a row each. `text` says what the picture shows.

    `drawing`, where there is one, is the picture that a medium with more than characters shows instead.
    """

    label: Text
    values: tuple[float, ...]
    text: Text
    drawing: Drawing | None = None


@dataclass(frozen=True, slots=True)
class KeyValues:
    """Facts, one a row. The first `repeated` say what `Figures` beside them draws: a medium that draws leaves them out."""

    rows: tuple[tuple[Text, Text], ...]
    repeated: int = 0


@dataclass(frozen=True, slots=True)
class Claim:
    """What is said, what speaks for it, and what to do about it (either may be empty).

    `span` is where it shows in the timeline, `section` the id of the section that shows it; `weight` and `gain` are the
    shares of the cycle that it concerns and that its remedy is expected to save (None: unknown).
    """

    text: Text
    evidence: Text = ""
    remedy: Text = ""
    expected: Text = ""
    span: int | None = None
    section: str = ""
    weight: float | None = None
    gain: float | None = None


@dataclass(frozen=True, slots=True)
class Claims:
    """Claims in the order of their weight, numbered."""

    items: tuple[Claim, ...]


@dataclass(frozen=True, slots=True)
class Listing:
    """Points in their order, numbered."""

    items: tuple[Text, ...]


@dataclass(frozen=True, slots=True)
class Code:
    """Lines to be copied as they stand."""

    lines: tuple[str, ...]
    language: str = ""


@dataclass(frozen=True, slots=True)
class Headline:
    """A headline number: its name, its value, what stands beside it and below it."""

    label: Text
    value: Text
    beside: Text = ""
    below: Text = ""
    term: str = ""


@dataclass(frozen=True, slots=True)
class Figures:
    """Headline numbers. HTML only: the same numbers stand in facts or a table for the other media."""

    items: tuple[Headline, ...]


@dataclass(frozen=True, slots=True)
class Details:
    """Blocks that HTML shows on demand; other media leave them out. `printed` opens them on paper."""

    summary: Text
    blocks: tuple[Block, ...]
    printed: bool = False


@dataclass(frozen=True, slots=True)
class Drawing:
    """A picture: `name` is that of its template and script, `value` its geometry from `drawings`.

    `text` says what it shows. A medium that cannot draw leaves it out.
    """

    name: str
    value: object
    text: Text = ""


Block: TypeAlias = (
    Heading
    | Paragraph
    | Note
    | Table
    | Bars
    | Strip
    | KeyValues
    | Claims
    | Listing
    | Code
    | Figures
    | Details
    | Drawing
)
_DRAWN: tuple[type, ...] = (Figures, Details, Drawing)


@dataclass(frozen=True, slots=True)
class Section:
    """One subject. `id` is its anchor, the same in every language; `note` explains it where there is room for that.

    `term` names the definition that HTML offers beside the title.
    """

    id: str
    title: Text
    blocks: tuple[Block, ...]
    note: Text = ""
    wide: bool = False
    term: str = ""

    @property
    def written(self) -> tuple[Block, ...]:
        """The blocks that a medium of characters shows."""
        return tuple(block for block in self.blocks if not isinstance(block, _DRAWN))


@dataclass(frozen=True, slots=True)
class Page:
    """A title, what every reader sees first, and the sections in their order.

    `kind` names the sort of page ("cycle", "comparison", …). `smaller`, of a page with large drawings, makes the same
    page with about so many bytes less in them, or gives None where it cannot.
    """

    title: Text
    opening: tuple[Block, ...]
    sections: tuple[Section, ...] = ()
    kind: str = ""
    footer: Text = ""
    smaller: Callable[[int], Page | None] | None = field(default=None, compare=False, repr=False)

    @property
    def blocks(self) -> tuple[Block, ...]:
        """The blocks of the opening and of all sections."""
        return self.opening + tuple(block for section in self.sections for block in section.blocks)
