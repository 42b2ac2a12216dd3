"""The report as one HTML file that needs nothing else: no network, no font, no second file."""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache
from importlib import resources
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from cyclescope.core.cycle import Cycle
from cyclescope.explaining.explain import explain
from cyclescope.explaining.explanation import Explanation
from cyclescope.report import format as fmt
from cyclescope.report.drawings.spans import Shown, breakable, name
from cyclescope.report.media.html.cycle_view import View
from cyclescope.report.media.html.data import MOST_BYTES, drawings, fitting
from cyclescope.report.names import printable
from cyclescope.report.words.text_engine import page_text_for, strings_for

# In the order in which they need each other.
_SCRIPTS = (
    "dom.js",
    "format.js",
    "spans.js",
    "timeline.js",
    "tables.js",
    "curve.js",
    "dataflow.js",
    "roofline.js",
    "whatif.js",
    "page.js",
)
_STYLES = ("page.css", "why.css")
_VENDORED = "vendor/dagre"
# Types are for the checker (tests/js); they would be a quarter of the page's scripts.
_DOC_COMMENT = re.compile(r"^[ \t]*/\*\*(?:(?!\*/).)*\*/[ \t]*\n", re.MULTILINE | re.DOTALL)
MOST_PAGE_BYTES = 980_000


def render(explanation: Explanation, *, lang: str = "en") -> str:
    """`explanation` as one self-contained HTML file. Raises `UsageError` for a language that there are no texts of."""
    room, fixed = (
        MOST_BYTES,
        drawings(explanation, strings_for(lang, explanation.cycle.graph), page_text_for(lang, explanation.cycle.graph)),
    )
    while True:
        page, data_bytes = _page(explanation, fixed, lang, room)
        excess = len(page.encode()) - MOST_PAGE_BYTES
        # Long names of modules stand in the tables too; then the drawings make room, as far as they can.
        if excess <= 0 or data_bytes > room:
            return page
        room = data_bytes - excess


def _page(explanation: Explanation, fixed: dict[str, Any], lang: str, room: int) -> tuple[str, int]:
    """The page with at most `room` bytes of data for its drawings if they can be made so small, and how many there are."""
    s, p = strings_for(lang, explanation.cycle.graph), page_text_for(lang, explanation.cycle.graph)
    view, data = fitting(explanation, fixed, s, p, room)
    style, foreign, script = "".join(map(asset, _STYLES)), vendored(), _script()
    page = (
        environment()
        .get_template("page.html.j2")
        .render(
            e=explanation,
            view=view,
            s=s,
            p=p,
            title=s.title.format(model=name(explanation.cycle.workload.model.reference)),
            policy=policy(style, [foreign, script]),
            style=Markup(style),
            vendored=Markup(foreign),
            script=Markup(script),
            data=Markup(data),
        )
    )
    return page.lstrip(), len(data.encode())


def notebook_html(told: Cycle | Explanation, *, lang: str = "en") -> str:
    """A cycle, explained or not, as a fragment for a notebook: the answer, the stages, the account. No script and no style
    sheet.
    """
    explanation = told if isinstance(told, Explanation) else explain(told)
    s, p = strings_for(lang, explanation.cycle.graph), page_text_for(lang, explanation.cycle.graph)
    view = View(explanation, Shown(()), s, p)
    return environment().get_template("notebook.html.j2").render(e=explanation, view=view, s=s, p=p).strip()


def policy(style: str, scripts: list[str]) -> str:
    """A Content-Security-Policy that allows exactly what is in this file, and no connection to anywhere."""
    allowed = " ".join(map(_hash, scripts)) or "'none'"
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src {allowed}",
            f"style-src {_hash(style)}",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def asset(name: str) -> str:
    """One of the files that pages are made of, as text."""
    return (resources.files("cyclescope.report.media.html") / "assets" / name).read_text("utf-8")


@cache
def _script() -> str:
    """Our own scripts as one, in a scope of their own."""
    code = "\n".join(_DOC_COMMENT.sub("", asset(name)) for name in _SCRIPTS)
    return f'(() => {{\n"use strict";\n{code}\n}})();\n'


@cache
def vendored() -> str:
    """The foreign script with its licence, less the line that would make a debugger look for its source map."""
    code = re.sub(r"^//# sourceMappingURL=.*$", "", asset(f"{_VENDORED}/dagre.min.js"), flags=re.MULTILINE)
    return f"/*! @dagrejs/dagre\n{asset(f'{_VENDORED}/LICENSE')}*/\n{code.strip()}\n"


@cache
def environment() -> Environment:
    """Templates that escape whatever they are given, with the filters that make numbers and names text."""
    made = Environment(
        loader=PackageLoader("cyclescope.report.media.html", "assets"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(
        name=name,
        breakable=breakable,
        words=printable,
        time=fmt.time,
        time_range=fmt.time_range,
        plus_minus=fmt.plus_minus,
        has_interval=fmt.has_interval,
        share=fmt.share,
        count=fmt.count,
        data=fmt.data,
        data_difference=fmt.data_difference,
        flops=fmt.flops,
        flops_or_none=lambda count: fmt.flops(count) if count else fmt.UNKNOWN,
        flop_rate=fmt.flop_rate,
        bandwidth=fmt.bandwidth,
    )
    return made
