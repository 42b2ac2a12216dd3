"""Fields that came after the first format of files."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from cyclescope.core.codec import decode, encode
from cyclescope.core.stored import ADDED_LATER


@dataclass(frozen=True, slots=True)
class _Value:
    first: int
    later: float | None = field(default=None, metadata=ADDED_LATER)


def test_a_later_field_is_stored_only_where_it_says_something() -> None:
    assert encode(_Value(1))[0] == {"first": 1}
    assert encode(_Value(1, 0.5))[0] == {"first": 1, "later": 0.5}


def test_what_is_stored_without_it_is_read_with_its_default() -> None:
    for value in (_Value(1), _Value(1, 0.5)):
        assert decode(_Value, *encode(value)) == value
    assert decode(_Value, {"first": 2, "later": None}, []) == replace(_Value(1), first=2)
