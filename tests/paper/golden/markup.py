"""HTML as lines: an element or a text each, without the contents of scripts and style sheets."""

from __future__ import annotations

import re
from html import escape
from html.parser import HTMLParser

_EMPTY = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
_HIDDEN = {"script", "style"}


class _Lines(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.lines: list[str] = []
        self.depth = self.hidden = 0

    def _add(self, line: str) -> None:
        self.lines.append(" " * self.depth + line)

    def _tag(self, tag: str, attrs: list[tuple[str, str | None]], end: str) -> None:
        told = "".join(f" {key}" if value is None else f' {key}="{escape(value)}"' for key, value in attrs)
        # What a policy allows changes with every line of a script.
        self._add(f"<{tag}{re.sub('sha256-[A-Za-z0-9+/=]+', 'sha256-…', told)}{end}>")

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._tag(tag, attrs, "")
        self.depth += tag not in _EMPTY
        self.hidden += tag in _HIDDEN

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._tag(tag, attrs, "/")

    def handle_endtag(self, tag: str) -> None:
        self.depth -= tag not in _EMPTY
        self.hidden -= tag in _HIDDEN

    def handle_data(self, data: str) -> None:
        text = " ".join(data.split())
        if text and not self.hidden:
            self._add(escape(text, quote=False))

    def handle_decl(self, decl: str) -> None:
        self._add(f"<!{decl}>")


def markup(html: str) -> str:
    """`html` a line for each element that begins and each text, indented by what they stand in."""
    parser = _Lines()
    parser.feed(html)
    parser.close()
    assert not parser.depth, "every element that begins ends"
    return "\n".join(parser.lines) + "\n"
