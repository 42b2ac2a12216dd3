"""Names and texts that come from models, traces and users: made harmless before any medium sees them."""

from __future__ import annotations

import unicodedata

# Cc: control characters, ESC among them. Cs: lone halves of surrogate pairs, which no encoding can write.
# Cf: invisible marks, which reorder what stands beside them (U+202E) or hide in it. Zl, Zp: line separators.
_UNPRINTABLE = frozenset({"Cc", "Cs", "Cf", "Zl", "Zp"})


def printable(text: str) -> str:
    r"""`text` on one line, with every character that is not seen written as `\x1b` or `\u202e`."""
    if text.isprintable():  # stricter than the categories above, and far faster
        return text
    return "".join(_escaped(c) if unicodedata.category(c) in _UNPRINTABLE else c for c in text)


def storable(text: str) -> str:
    """`text` as it is, with lone surrogates, which strict JSON parsers reject, replaced by `?`."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _escaped(character: str) -> str:
    code = ord(character)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
