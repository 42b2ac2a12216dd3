"""A page as GitHub-flavoured Markdown (https://github.github.com/gfm/): for pull requests, issues and notebooks."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from cyclescope.report.names import printable
from cyclescope.report.page import (
    Align,
    Bars,
    Block,
    Claims,
    Code,
    Column,
    Heading,
    KeyValues,
    Note,
    Page,
    Paragraph,
    Severity,
    Strip,
    Table,
)

_BAR_CELLS = 20
_PARTS = "█░"
_STEPS = "▁▂▃▄▅▆▇█"
_ALERT = {Severity.INFO: "NOTE", Severity.GOOD: "TIP", Severity.WARNING: "WARNING"}
# Signs that mean something anywhere in a line. An underscore or a number sign within a word means nothing.
_SIGNS = re.compile(r"[\\`*\[\]<>|~&$]|(?<![^\W_])_|_(?![^\W_])|#(?=[0-9])")
# Signs that mean something at the beginning of a line: headings, lists, rules, tables, code.
_BEGINNING = re.compile(r"^(\s*)([#+=-]|[0-9]+(?=[.)](?:\s|$)))")


def to_markdown(page: Page) -> str:
    """`page` as Markdown. Whatever a name holds is shown as it is, and never becomes markup."""
    blocks = ("\n".join(_lines(block)) for block in (Heading(page.title, 1), *page.blocks))
    return "\n\n".join(blocks) + "\n"


def escape(text: str) -> str:
    """`text` on one line, as text in a paragraph or in a cell of a table."""
    escaped = _SIGNS.sub(lambda sign: f"\\{sign[0]}", printable(text))
    return _BEGINNING.sub(lambda m: f"{m[1]}{m[2]}\\" if m[2].isdigit() else f"{m[1]}\\{m[2]}", escaped)


def _lines(block: Block) -> Iterable[str]:
    match block:
        case Heading():
            return [f"{'#' * block.level} {escape(block.text)}"]
        case Paragraph():
            return [f"**{escape(block.text)}**" if block.lead else escape(block.text)]
        case Note():
            remedy = [f"> {escape(block.remedy)}"] if block.remedy else []
            return [f"> [!{_ALERT[block.severity]}]", f"> {escape(block.text)}", *remedy]
        case Table():
            rows = [[escape(cell) for cell in row] for row in block.rows]
            if block.total and rows:
                rows[-1] = [f"**{cell}**" for cell in rows[-1]]
            return _table(block.columns, rows)
        case Bars():
            return _bars(block)
        case Strip():
            return [f"{escape(block.label)} `{_strip(block.values)}`", "", escape(block.text)]
        case KeyValues():
            return [f"- **{escape(key)}**: {escape(value)}" for key, value in block.rows]
        case Claims():
            return _claims(block)
        case Code():
            return _code(block)


def _claims(claims: Claims) -> Iterator[str]:
    for number, claim in enumerate(claims.items, start=1):
        mark = f"{number}. "
        yield f"{mark}**{escape(claim.text)}**" + ("  " if claim.evidence or claim.remedy else "")
        rest = [escape(text) for text in (claim.evidence, claim.remedy) if text]
        # Two blanks at the end of a line break it; the indentation keeps it in its item.
        yield from (f"{' ' * len(mark)}{text}" + ("  " if text is not rest[-1] else "") for text in rest)


def _table(columns: Sequence[Column], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(escape(column.title) for column in columns)} |"
    yield f"| {' | '.join('---:' if column.align is Align.RIGHT else ':---' for column in columns)} |"
    for row in rows:
        yield f"| {' | '.join(row)} |"


def _bars(chart: Bars) -> Iterator[str]:
    longest = max((bar.length for bar in chart.rows), default=0.0)
    columns = (Column(""), Column(""), *chart.columns)
    rows = [(escape(bar.label), _bar(bar.parts, longest), *(escape(cell) for cell in bar.cells)) for bar in chart.rows]
    yield from _table(columns, rows)
    if len(chart.legend) > 1:
        yield ""
        yield ", ".join(f"`{_PARTS[i % 2]}` {escape(name)}" for i, name in enumerate(chart.legend))


def _bar(parts: Sequence[float], longest: float) -> str:
    drawn, reached = "", 0.0
    for i, part in enumerate(parts):
        reached += max(part, 0.0)
        cells = round(_BAR_CELLS * reached / longest) if longest > 0 else 0
        drawn += _PARTS[i % 2] * (cells - len(drawn))
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
