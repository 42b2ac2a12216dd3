"""A page as one HTML file that needs nothing else: no network, no font, no second file."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from functools import cache
from itertools import chain
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from cyclescope.core.message import Message, Series, Text, in_context, m
from cyclescope.core.version import __version__
from cyclescope.report import format as fmt
from cyclescope.report.drawings.spans import breakable
from cyclescope.report.media.html.data import embed
from cyclescope.report.media.html.html import asset, policy, vendored
from cyclescope.report.names import printable
from cyclescope.report.page import Bar, Bars, Block, Cell, Details, Drawing, Page, Paragraph, Strip
from cyclescope.report.terms import TERMS
from cyclescope.report.words.translate import ENGLISH, Say, say_in

THEMES: Mapping[str, Text] = {
    "auto": in_context("theme", "system"),
    "light": in_context("theme", "light"),
    "dark": in_context("theme", "dark"),
}
_STYLES = ("page.css", "why.css", "comparison.css")
# Scripts in the order in which they need each other: those of every page around those of the drawings it has.
_SCRIPTS: Sequence[tuple[str, frozenset[str]]] = (
    ("dom.js", frozenset()),
    ("format.js", frozenset()),
    ("spans.js", frozenset({"timeline"})),
    ("timeline.js", frozenset({"timeline"})),
    ("tables.js", frozenset()),
    ("curve.js", frozenset({"curve", "step-plot"})),
    ("dataflow.js", frozenset({"flow"})),
    ("roofline.js", frozenset({"roofline"})),
    ("whatif.js", frozenset({"what-if"})),
    ("page.js", frozenset()),
)
_VENDORED_FOR = "flow"
MOST_PAGE_BYTES = 980_000
_METRIC = "metric-"
# A number and its unit stay on one line of the headline.
_UNIT = re.compile(r"(?<=\d) (?=%|[nµm]?s\b|层)|(?<=±) ")


def to_html(page: Page, language: str = ENGLISH) -> str:
    """`page` in `language` as one self-contained HTML file. Raises `UsageError` for a language without a catalog.

    Where the file would be too large, its drawings make room as far as they can.
    """
    while True:
        html = _rendered(page, language)
        excess = len(html.encode()) - MOST_PAGE_BYTES
        smaller = page.smaller(excess) if excess > 0 and page.smaller is not None else None
        if smaller is None:
            return html
        page = smaller


def _rendered(page: Page, language: str) -> str:
    say, drawings = say_in(language), tuple(_drawings(page.opening, *(section.blocks for section in page.sections)))
    names = {drawing.name for drawing in drawings}
    style, script = "".join(map(asset, _STYLES)), _script(frozenset(names))
    foreign = vendored() if _VENDORED_FOR in names else ""
    lead = next((block for block in page.opening if isinstance(block, Paragraph) and block.lead), None)
    terms = _terms(page)
    rendered = (
        _environment(language)
        .get_template("page.html.j2")
        .render(
            page=page,
            lead=lead,
            opening=[block for block in page.opening if block is not lead],
            tag=say(in_context("language tag after BCP 47", "en")),
            version=__version__,
            policy=policy(style, list(filter(None, (foreign, script)))),
            themes=THEMES,
            style=Markup(style),
            vendored=Markup(foreign),
            script=Markup(script),
            data=Markup(embed(_translated(_data(drawings), say))),
            terms={name: TERMS[name] for name in TERMS if name in terms},
            metrics=_metric_cards(terms, language),
        )
    )
    return rendered.lstrip()


def _drawings(*blocks: Sequence[Block]) -> Iterator[Drawing]:
    """Every drawing among `blocks`, in their order."""
    for block in chain.from_iterable(blocks):
        if isinstance(block, Drawing):
            yield block
        elif isinstance(block, Details):
            yield from _drawings(block.blocks)
        elif isinstance(block, Strip) and block.drawing is not None:
            yield block.drawing


def _data(drawings: Sequence[Drawing]) -> dict[str, Any]:
    """What the scripts read: for each drawing that has any, `value.data` under its name."""
    found = {drawing.name: getattr(drawing.value, "data", None) for drawing in drawings}
    return {"texts": {"themes": dict(THEMES)}, **{name: data for name, data in found.items() if data is not None}}


def _translated(data: Any, say: Say) -> Any:
    """`data` with every text in the language of `say`."""
    if isinstance(data, Message | Series):
        return say(data)
    if isinstance(data, Mapping):
        return {key: _translated(value, say) for key, value in data.items()}
    if isinstance(data, tuple | list):
        return [_translated(value, say) for value in data]
    return data


def _terms(value: object) -> set[str]:
    """The names of all definitions that `value`, a page or a part of one, offers."""
    if isinstance(value, tuple):
        return set().union(*map(_terms, value))
    if not is_dataclass(value) or isinstance(value, type | Message | Series):
        return set()
    own = {getattr(value, "term", ""), *getattr(value, "terms", ())}
    return own.union(*(_terms(getattr(value, field.name)) for field in fields(value))) - {""}


def _metric_cards(terms: set[str], language: str) -> list[Any]:
    """The definitions of metrics among `terms`, as `cyclescope define` prints them, in the order of all metrics."""
    from cyclescope.explaining.metrics.definition import DEFINITIONS
    from cyclescope.report.media.html.metrics_view import metric_card
    from cyclescope.report.words.strings import strings

    wanted = [definition for definition in DEFINITIONS if f"{_METRIC}{definition.name.value}" in terms]
    return [metric_card(definition, strings(language)) for definition in wanted]


@dataclass(frozen=True, slots=True)
class _BarShape:
    """A bar as percentages of its width: where each part begins and how long it is, and the ends of its interval."""

    parts: tuple[tuple[str, str], ...]
    low: str
    high: str
    whisker: bool


def _bar_shape(bar: Bar, longest: float) -> _BarShape:
    reached, parts = 0.0, []
    for part in bar.parts:
        parts.append((_percent(reached / longest), _percent(part / longest)))
        reached += part
    return _BarShape(tuple(parts), _percent(bar.low / longest), _percent(bar.high / longest), bar.high > bar.low)


def _longest(chart: Bars) -> float:
    return max((max(bar.length, bar.high) for bar in chart.rows), default=0.0) or 1.0


def _percent(part: float) -> str:
    return f"{100 * part:.3f}%"


@cache
def _script(drawings: frozenset[str]) -> str:
    """Our own scripts that a page with `drawings` needs, as one, in a scope of their own."""
    names = [name for name, needed_by in _SCRIPTS if not needed_by or needed_by & drawings]
    return '(() => {\n"use strict";\n' + "\n".join(asset(name) for name in names) + "\n})();\n"


@cache
def _environment(language: str) -> Environment:
    """Templates that translate and escape whatever they print, with the filters that make numbers and names text."""
    say = say_in(language)

    def printed(value: object) -> object:
        if isinstance(value, Markup) or not isinstance(value, str | Message | Series):
            return value
        return printable(say(value))

    def term_label(name: str) -> str:
        title = TERMS[name].title if name in TERMS else _metric_title(name, language)
        return say(m("Definition: {name}", name=title))

    made = Environment(
        loader=PackageLoader("cyclescope.report.media.html", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=printed,
        extensions=["jinja2.ext.i18n"],
    )
    made.install_gettext_callables(  # type: ignore[attr-defined]
        lambda text: say(m(text)), lambda one, many, n: say(Message(one, (), many, n)), newstyle=False
    )
    made.filters.update(
        kind=lambda block: type(block).__name__,
        cell=lambda cell: cell if isinstance(cell, Cell) else Cell(cell),
        breakable=lambda text: breakable(say(text)),
        units=lambda text: _UNIT.sub("\u00a0", printable(say(text))),
        percent=_percent,
        bar_shape=_bar_shape,
        longest=_longest,
        term_label=term_label,
        time=fmt.time,
        time_range=fmt.time_range,
        plus_minus=fmt.plus_minus,
        has_interval=fmt.has_interval,
        share=fmt.share,
        count=fmt.count,
        data=fmt.data,
        flops=fmt.flops,
        flops_or_none=lambda count: fmt.flops(count) if count else fmt.UNKNOWN,
        flop_rate=fmt.flop_rate,
        bandwidth=fmt.bandwidth,
        significant=fmt.significant,
        times=fmt.times,
    )
    return made


def _metric_title(term: str, language: str) -> str:
    card = next(iter(_metric_cards({term}, language)), None)
    return str(card.title) if card is not None else term.removeprefix(_METRIC)
