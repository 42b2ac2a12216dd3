"""Names from models and users."""

from __future__ import annotations

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from cyclescope.report.names import printable, storable


def test_what_is_not_seen_is_spelt() -> None:
    assert printable("a\x1b[31m\n\u202e\ud800\U000e0001") == "a\\x1b[31m\\x0a\\u202e\\ud800\\U000e0001"
    assert printable("encoder.layer.0 编码 ×é") == "encoder.layer.0 编码 ×é"


@given(st.text(st.characters()))
def test_nothing_unseen_is_left(text: str) -> None:
    cleaned = printable(text)
    assert not [c for c in cleaned if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp")]
    assert printable(cleaned) == cleaned


@given(st.text(st.characters()))
def test_what_is_stored_can_be_encoded(text: str) -> None:
    storable(text).encode("utf-8")
    if not any(unicodedata.category(c) == "Cs" for c in text):
        assert storable(text) == text
