"""The page as a value: what is told, before any medium says how it looks.

Every text is plain and untrusted: a medium escapes it. Every number in it was made by `format`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias


class Severity(StrEnum):
    """How much a note asks of the reader."""

    INFO = "info"
    GOOD = "good"
    WARNING = "warning"


class Align(StrEnum):
    """Texts stand on the left, numbers on the right."""

    LEFT = "left"
    RIGHT = "right"


@dataclass(frozen=True, slots=True)
class Heading:
    """Level 1 is the page's title, level 2 a section."""

    text: str
    level: int = 2


@dataclass(frozen=True, slots=True)
class Paragraph:
    """`lead` marks the one sentence that the page exists for."""

    text: str
    lead: bool = False


@dataclass(frozen=True, slots=True)
class Note:
    """A fact that the reader must know, and what to do about it (may be empty)."""

    severity: Severity
    text: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """A column. A narrow medium drops columns with the highest `priority` first (0: never) and may wrap left-aligned
    ones; it never cuts a right-aligned cell, which is a number.
    """

    title: str
    align: Align = Align.LEFT
    priority: int = 0


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells, one for each column. `total` tells that the last row sums up the others."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    total: bool = False

    def __post_init__(self) -> None:
        if any(len(row) != len(self.columns) for row in self.rows):
            raise ValueError("a row with more or fewer cells than there are columns")


@dataclass(frozen=True, slots=True)
class Bar:
    """One row of a bar chart: `parts` add up to its length, in the unit shared by all rows.

    `low` and `high` are the ends of its interval; `cells` are the numbers beside it, one for each column of the chart.
    """

    label: str
    parts: tuple[float, ...]
    low: float
    high: float
    cells: tuple[str, ...]

    @property
    def length(self) -> float:
        return sum(self.parts)


@dataclass(frozen=True, slots=True)
class Bars:
    """Bars on one common scale. `legend` names the parts, `columns` the numbers beside the bars."""

    legend: tuple[str, ...]
    columns: tuple[Column, ...]
    rows: tuple[Bar, ...]

    def __post_init__(self) -> None:
        if any(len(bar.cells) != len(self.columns) or len(bar.parts) != len(self.legend) for bar in self.rows):
            raise ValueError("a bar with more or fewer cells or parts than the chart has")


@dataclass(frozen=True, slots=True)
class Strip:
    """Many values of one kind in their order, too many for a row each. `text` says what the picture shows."""

    label: str
    values: tuple[float, ...]
    text: str


@dataclass(frozen=True, slots=True)
class KeyValues:
    """Facts, one a row."""

    rows: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Claim:
    """What is said, what speaks for it, and what to do about it (either may be empty)."""

    text: str
    evidence: str = ""
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Claims:
    """Claims in the order of their weight, numbered."""

    items: tuple[Claim, ...]


@dataclass(frozen=True, slots=True)
class Code:
    """Lines to be copied as they stand."""

    lines: tuple[str, ...]
    language: str = ""


Block: TypeAlias = Heading | Paragraph | Note | Table | Bars | Strip | KeyValues | Claims | Code


@dataclass(frozen=True, slots=True)
class Page:
    """What is told, in order. `language` is a BCP 47 tag."""

    title: str
    blocks: tuple[Block, ...]
    language: str = "en"
