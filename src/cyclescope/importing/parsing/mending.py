"""Text of one object that is not JSON, as the JSON that was meant: quotes and control characters in names, NaN, lone backslashes.

Profilers write names of ranges, files and kernels without escaping them (https://github.com/pytorch/pytorch/issues/146900).
"""

from __future__ import annotations

import re

_NUMBERS = re.compile(rb"([:\[,]\s*)-?(?:NaN|nan|Infinity|inf)(?=\s*[,}\]])")
_LONE_BACKSLASH = re.compile(rb'\\(?!["\\/bfnrt]|u[0-9a-fA-F]{4})')
_CONTROL = re.compile(rb"[\x00-\x1f]")
# A text ends where what follows can follow a text: the end of its object or list, or the next key or value.
_END_OF_VALUE = re.compile(rb'"(?=\s*(?:\}|\]|,\s*"[^"\\\x00-\x1f]{1,100}"\s*:|,\s*\{|$))')
_END_IN_LIST = re.compile(rb'"(?=\s*(?:\]|,\s*(?:"|\[|\{|-?\d|null|true|false)|$))')
_END_OF_KEY = re.compile(rb'"(?=\s*:)')
_TOKEN = re.compile(rb'["{}\[\],:]')


def mended(text: bytes) -> bytes:
    """`text` with what is between quotes escaped; it may still be no JSON."""
    text = text.decode("utf-8", errors="replace").encode()
    parts, at, stack, key = [], 0, bytearray(), False
    while found := _TOKEN.search(text, at):
        token = found[0]
        if token != b'"':
            parts.append(text[at : found.end()])
            key = _follow(token, stack, key)
            at = found.end()
            continue
        parts.append(text[at : found.end()])
        in_list = stack.endswith(b"[")
        ends = _END_OF_KEY if key else _END_IN_LIST if in_list else _END_OF_VALUE
        end = ends.search(text, found.end())
        if end is None:
            at = found.end()
            break
        parts += [_escaped(text[found.end() : end.start()]), b'"']
        at = end.end()
    parts.append(text[at:])
    return b"".join(parts)


def _follow(token: bytes, stack: bytearray, key: bool) -> bool:
    """The brackets that are open after `token`, and whether a key comes next."""
    if token in b"{[":
        stack += token
    elif token in b"}]" and stack:
        stack.pop()
    elif token == b":":
        return False
    elif token != b",":
        return key
    return token in b"{," and stack.endswith(b"{")


def _escaped(text: bytes) -> bytes:
    """What stands between two quotes, with what must be escaped there; what is escaped already stays."""
    text = _LONE_BACKSLASH.sub(rb"\\\\", text)
    text = re.sub(rb'(?<!\\)((?:\\\\)*)"', rb'\1\\"', text)
    if re.search(rb"(?<!\\)(?:\\\\)*\\$", text):
        text += b"\\"
    return _CONTROL.sub(lambda c: b"\\u%04x" % c[0][0], text)


def mended_numbers(text: bytes) -> bytes:
    """`text` with null for what is no number in JSON; texts must be whole."""
    return _NUMBERS.sub(rb"\1null", text)
