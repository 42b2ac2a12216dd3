"""What the vocabularies of stand-in tokenizers are made of: words, endings, letters and Chinese characters.

`data/english_words.txt` and `data/english_endings.txt` hold the first 14000 words and 2000 word pieces of BERT's
uncased English vocabulary (https://github.com/google-research/bert, Apache-2.0) in its own order, which is by frequency.
`data/chinese_characters.txt` and `data/chinese_words.txt` were written down for this project: everyday characters and
words, roughly by frequency.
"""

from __future__ import annotations

import string
from functools import cache
from importlib.resources import files

ASCII = string.ascii_letters + string.digits + string.punctuation
CHINESE_PUNCTUATION = "，。、；：？！“”‘’（）《》〈〉【】「」『』—…·～￥％＋－＝／　"
LATIN_LETTERS = "".join(c for c in map(chr, range(0xC0, 0x180)) if c.isalpha())
TYPOGRAPHY = "–—‘’“”•…°±²³·×÷€£¥§©®™"
NUMBERS = tuple(str(n) for n in (*range(10, 100), *range(1900, 2031)))

# First and last code point of the letters of other alphabets (Unicode blocks, https://www.unicode.org/charts/).
_ALPHABETS = {
    "greek": (0x0370, 0x03FF), "cyrillic": (0x0400, 0x045F), "hebrew": (0x05D0, 0x05EA), "arabic": (0x0621, 0x064A),
    "devanagari": (0x0900, 0x0963), "bengali": (0x0980, 0x09E3), "tamil": (0x0B80, 0x0BD7), "thai": (0x0E01, 0x0E5B),
    "georgian": (0x10D0, 0x10FA), "kana": (0x3041, 0x30FF), "hangul": (0xAC00, 0xD7A3),
}  # fmt: skip


@cache
def words() -> tuple[str, ...]:
    """English words in lower case, the most frequent first [14000]."""
    return _lines("english_words.txt")


@cache
def endings() -> tuple[str, ...]:
    """Pieces that continue an English word, the most frequent first [2000]."""
    return _lines("english_endings.txt")


@cache
def chinese_words() -> tuple[str, ...]:
    """Everyday Chinese words of two to four characters."""
    return _lines("chinese_words.txt")


def _lines(name: str) -> tuple[str, ...]:
    return tuple((files(__package__) / "data" / name).read_text(encoding="utf-8").split())


@cache
def alphabets(*, hangul: bool) -> str:
    """Letters of the alphabets besides Latin; the 11,172 syllables of Hangul only if asked for."""
    ranges = [span for name, span in _ALPHABETS.items() if hangul or name != "hangul"]
    return "".join(c for first, last in ranges for c in map(chr, range(first, last + 1)) if c.isprintable())


@cache
def han() -> str:
    """All CJK Unified Ideographs U+4E00 … U+9FFF, the common ones first [20992].

    First everyday ones by frequency, then by the national standards: GB 2312 level 1, level 2, then Big5 level 1, then
    the rest by code. Python's own codecs know the standards' tables.
    """
    everyday = "".join(_lines("chinese_characters.txt"))
    common = _table("gb2312", range(0xB0, 0xF8), range(0xA1, 0xFF))
    traditional = _table("big5", range(0xA4, 0xC7), (*range(0x40, 0x7F), *range(0xA1, 0xFF)))
    every = "".join(map(chr, range(0x4E00, 0xA000)))
    return "".join(c for c in dict.fromkeys(everyday + common + traditional + every) if "\u4e00" <= c <= "\u9fff")


def _table(codec: str, rows: range, columns: range | tuple[int, ...]) -> str:
    return b"".join(bytes((row, column)) for row in rows for column in columns).decode(codec, errors="ignore")
