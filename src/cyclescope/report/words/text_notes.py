"""The notes of a cycle, which are stored as English sentences, in Chinese.

A note that is not among these (another tool's, a newer version's) stays as it is stored.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from cyclescope.core.message import Text
from cyclescope.report.words.sentences import Sentences
from cyclescope.report.words.strings import Strings
from cyclescope.report.words.translate import say_in

ZH: Mapping[str, str] = MappingProxyType(
    {
        "What is explained is a call of {some} of {texts} texts: all of them would take too long.": "所解释的是 {texts} 段文本中 {some} 段的一次调用：全部文本耗时太长。",
        "What is explained writes {some} of {tokens} tokens: one step is like the next.": "所解释的周期只写 {tokens} 个词元中的 {some} 个：每一步都与下一步相似。",
    }
)
_SENTENCES = Sentences(ZH)


def told(note: Text, s: Strings) -> str:
    """`note` in the language of `s`."""
    return _SENTENCES.told(note, s.language) if isinstance(note, str) else say_in(s.language)(note)
