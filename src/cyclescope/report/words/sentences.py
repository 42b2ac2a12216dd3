"""Sentences that are stored in English, told in Chinese where there is a translation."""

from __future__ import annotations

import re
from collections.abc import Mapping

_FIELD = re.compile(r"\\\{(\w+)\\\}")


class Sentences:
    """Translations by their English, with fields as `{name}` in both. A sentence that is not among them stays as it is."""

    def __init__(self, chinese: Mapping[str, str]) -> None:
        self._patterns = tuple(
            (re.compile(_FIELD.sub(r"(?P<\1>.*?)", re.escape(english)), re.DOTALL), text)
            for english, text in chinese.items()
        )

    def told(self, sentence: str, language: str) -> str:
        """`sentence` in `language`."""
        if language == "zh":
            for pattern, text in self._patterns:
                if found := pattern.fullmatch(sentence):
                    return text.format(**found.groupdict())
        return sentence
