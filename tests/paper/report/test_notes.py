"""Notes of a cycle in the reader's language."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import cyclescope
from cyclescope.report.words.strings import strings
from cyclescope.report.words.text_notes import ZH, told

_SOURCE = "".join(
    path.read_text(encoding="utf-8")
    for folder in ("backends", "measuring", "optimizing")
    for path in sorted((Path(cyclescope.__file__).parent / folder).rglob("*.py"))
)


@pytest.mark.parametrize("note", list(ZH))
def test_every_known_note_is_one_that_is_written(note: str) -> None:
    """Else the sentence was changed where it is made, and its translation is lost."""
    longest = max(re.split(r"\{\w+\}", note), key=len)
    assert longest.strip() in _SOURCE


@pytest.mark.parametrize("note", list(ZH))
def test_a_note_is_told_in_chinese_with_what_was_filled_in(note: str) -> None:
    fields = set(re.findall(r"\{(\w+)\}", note))
    filled = note.format(**{field: f"<{field} {{x}}>" for field in fields})
    chinese = told(filled, strings("zh"))
    assert chinese != filled
    assert all(f"<{field} {{x}}>" in chinese for field in fields)
    assert told(filled, strings("en")) == filled


def test_an_unknown_note_stays_as_it_is() -> None:
    assert told("Something {else}.", strings("zh")) == "Something {else}."
