"""Text in terminal cells: lines that break where they may, and padding that counts a Chinese character as two."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache

from rich.cells import cell_len

from cyclescope.report.page import Align

# A number stays with its unit or its per cent sign, and a multiplication sign with its factor.
_GLUED = re.compile(r"(?<=[0-9]) (?=(?:%|[nµum]?s\b|[kMGTPE]?(?:B|FLOP)\b|[kMGTPE]\b))|(?<=[×±]) ")
_NO_BREAK = "\u00a0"
# CJK closing marks (comma, full stop, colon, semicolon, brackets, enumeration comma) begin no line, opening ones end none.
_CLOSING, _OPENING = "\uff0c\u3002\uff1a\uff1b\uff09\u300d\u3001", "\uff08\u300c"
_WIDE = "\u2e80-\uffef"
# Letters and digits, with the point of a number and the `/s` of a rate; then what a line may break after.
_RATE = r"/(?=s(?![A-Za-z]))"
_RUN = rf"(?:[^{_WIDE}./_·]|[./_·](?=[0-9])|{_RATE})"
_PIECE = rf"[{_OPENING}]?{_RUN}*(?:(?:(?!{_RATE})[./_·])+(?![0-9])|(?![{_OPENING}])[{_WIDE}][{_CLOSING}%]*)|[{_OPENING}]?{_RUN}+|[{_OPENING}]"


def wrap(text: str, width: int) -> list[str]:
    """`text` in lines of at most `width` cells; a number is not torn from its unit.

    Lines break at spaces, else after a `.`, `/`, `_` or `·` of a long name, between Chinese characters, and within a
    word only where nothing else helps.
    """
    lines: list[str] = []
    line = ""
    for word in _GLUED.sub(_NO_BREAK, text).split(" "):
        joined = f"{line} {word}" if line else word
        if cell_len(joined) <= width:
            line = joined
        elif line and cell_len(word) <= width and not _is_wide(word):
            lines.append(line)
            line = word
        else:
            full, line = _fill(f"{line} " if line else "", word, width)
            lines += full
    lines.append(line)
    return [finished.rstrip(" ").replace(_NO_BREAK, " ") for finished in lines]


def _fill(line: str, word: str, width: int) -> tuple[list[str], str]:
    """Go on in `line` with the pieces of a `word` that does not fit: the lines that got full, and the open one."""
    full: list[str] = []
    for piece in _pieces()(word):
        if cell_len(line + piece) <= width:
            line += piece
            continue
        if line.strip(" "):
            full.append(line)
        while cell_len(piece) > width and len(piece) > 1:
            head = _head(piece, width)
            full.append(head)
            piece = piece[len(head) :]
        line = piece
    return full, line


@cache
def _pieces() -> Callable[[str], list[str]]:
    """What finds the pieces of a word. Compiling it takes a tenth of what help does, which seldom needs it."""
    return re.compile(_PIECE).findall


def _is_wide(text: str) -> bool:
    return cell_len(text) > len(text)


def _head(text: str, width: int) -> str:
    """The longest beginning of `text` that fits, one character at least."""
    end = 1
    while end < len(text) and cell_len(text[: end + 1]) <= width:
        end += 1
    return text[:end]


def pad(text: str, width: int, align: Align = Align.LEFT) -> str:
    """`text` in `width` cells; one that is longer stays whole."""
    space = " " * max(0, width - cell_len(text))
    return text + space if align is Align.LEFT else space + text
