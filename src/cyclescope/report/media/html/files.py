"""The files that every page is made of, and the policy that allows nothing but them."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Sequence
from functools import cache
from importlib import resources

_STYLES = ("page.css", "why.css", "comparison.css")
# Scripts in the order in which they need each other: those of every page around those of the drawings it has.
_SCRIPTS: Sequence[tuple[str, frozenset[str]]] = (
    ("dom.js", frozenset()),
    ("format.js", frozenset()),
    ("spans.js", frozenset({"timeline"})),
    ("timeline.js", frozenset({"timeline"})),
    ("lanes.js", frozenset({"lanes"})),
    ("tables.js", frozenset()),
    ("curve.js", frozenset({"curve", "step-plot"})),
    ("dataflow.js", frozenset({"flow"})),
    ("roofline.js", frozenset({"roofline"})),
    ("whatif.js", frozenset({"what-if"})),
    ("page.js", frozenset()),
)
_VENDORED, _VENDORED_FOR = "vendor/dagre", "flow"
# Types are for the checker (tests/js); they would be a quarter of the page's scripts.
_DOC_COMMENT = re.compile(r"^[ \t]*/\*\*(?:(?!\*/).)*\*/[ \t]*\n", re.MULTILINE | re.DOTALL)


def file_text(name: str) -> str:
    """One of the files in `static`."""
    return (resources.files(__package__) / "static" / name).read_text("utf-8")


@cache
def style() -> str:
    """The style sheet of every page."""
    return "".join(map(file_text, _STYLES))


@cache
def script(drawings: frozenset[str]) -> str:
    """Our own scripts that a page with `drawings` needs, as one, in a scope of their own."""
    names = [name for name, needed_by in _SCRIPTS if not needed_by or needed_by & drawings]
    code = "\n".join(_DOC_COMMENT.sub("", file_text(name)) for name in names)
    return f'(() => {{\n"use strict";\n{code}\n}})();\n'


@cache
def vendored(drawings: frozenset[str]) -> str:
    """The foreign script that a page with `drawings` needs (or none), with its licence, less the line that would make a
    debugger look for its source map.
    """
    if _VENDORED_FOR not in drawings:
        return ""
    code = re.sub(r"^//# sourceMappingURL=.*$", "", file_text(f"{_VENDORED}/dagre.min.js"), flags=re.MULTILINE)
    return f"/*! @dagrejs/dagre\n{file_text(f'{_VENDORED}/LICENSE')}*/\n{code.strip()}\n"


def policy(style: str, scripts: Sequence[str]) -> str:
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
