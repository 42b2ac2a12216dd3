"""The templates of HTML, in one language: they translate and escape whatever they print."""

from __future__ import annotations

import re
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from cyclescope.core.message import Message, Series, m
from cyclescope.report import format as fmt
from cyclescope.report.drawings.bars import bar_shape
from cyclescope.report.drawings.spans import breakable, name
from cyclescope.report.media.html.definitions import title_of
from cyclescope.report.names import printable
from cyclescope.report.page import Bars, Cell
from cyclescope.report.words.translate import say_in

# A number and its unit stay on one line of the headline.
_UNIT = re.compile(r"(?<=\d) (?=%|[nµm]?s\b|层)|(?<=±) ")


def _longest(chart: Bars) -> float:
    return max((max(bar.length, bar.high) for bar in chart.rows), default=0.0) or 1.0


def _percent(part: float) -> str:
    return f"{100 * part:.3f}%"


@cache
def environment(language: str) -> Environment:
    """Templates that print texts in `language`, with the filters that make numbers and names text."""
    say = say_in(language)

    def printed(value: object) -> object:
        if isinstance(value, Markup) or not isinstance(value, str | Message | Series):
            return value
        return printable(say(value))

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
        name=lambda text: name(say(text)),
        words=lambda text: printable(say(text)),
        units=lambda text: _UNIT.sub("\u00a0", printable(say(text))),
        percent=_percent,
        bar_shape=bar_shape,
        longest=_longest,
        term_label=lambda name: say(m("Definition: {name}", name=title_of(name))),
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
        quantity=fmt.quantity,
    )
    return made
