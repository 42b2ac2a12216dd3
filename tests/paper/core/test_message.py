"""Sentences as values: filled safely, compared by value, stored and read again, also as old files hold them."""

from __future__ import annotations

import pytest

from cyclescope.core.codec import CodecError, decode, encode
from cyclescope.core.message import Message, Text, braces, fill, in_context, listed, m, plural, sentences


def test_english_is_what_it_says() -> None:
    assert str(m("{n} of {all}", n=2, all=m("{k} layers", k=12))) == "2 of 12 layers"
    assert str(plural("{n} layer", "{n} layers", 1)) == "1 layer"
    assert str(plural("{n} layer", "{n} layers", 0)) == "0 layers"
    assert str(listed(["a", "", "b", "c"])) == "a, b, c"
    assert str(sentences("A.", "", m("B."))) == "A. B."
    assert sentences("", "") == ""


def test_a_template_reaches_nothing_but_its_values() -> None:
    assert fill("{x.__class__} {x[0]} {{x}} {y}", [("x", "a")]) == "{x.__class__} {x[0]} {x} {y}".replace("{x}", "{x}")
    assert fill("{x}", [("x", "{y}"), ("y", "no")]) == "{y}"
    assert braces("{b} {a} {{c}} {a}") == ["a", "a", "b"]


def test_messages_are_values() -> None:
    assert m("{n}", n=1) == m("{n}", n=1)
    assert len({m("a"), m("a"), in_context("c", "a")}) == 2


@pytest.mark.parametrize(
    "text",
    ["plain", m("a {b}", b=3), plural("{n} x", "{n} xs", 2), sentences("A.", m("{q}", q=m("r"))), in_context("c", "a")],
)
def test_what_is_stored_is_read_again(text: Text) -> None:
    data, arrays = encode((text, "old files hold plain texts"))
    assert decode(tuple[Text, ...], data, arrays) == (text, "old files hold plain texts")


@pytest.mark.parametrize("data", [3, None, {"message": 3}, {"message": "a", "values": [1]}, {"series": "ab"}, {}])
def test_what_is_no_text_is_refused(data: object) -> None:
    with pytest.raises(CodecError):
        decode(tuple[Text, ...], [data], [])


def test_rows_of_messages_are_no_table() -> None:
    data, arrays = encode((Message("a"), Message("b")))
    assert decode(tuple[Text, ...], data, arrays) == (Message("a"), Message("b"))
