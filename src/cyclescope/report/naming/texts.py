"""The names of languages that texts are in."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from cyclescope.core.message import Message, m

LANGUAGES: Mapping[str, Message] = MappingProxyType(
    {
        "en": m("English"),
        "zh": m("Chinese"),
        "de": m("German"),
        "es": m("Spanish"),
        "ar": m("Arabic"),
        "hi": m("Hindi"),
        "ja": m("Japanese"),
        "ru": m("Russian"),
    }
)
