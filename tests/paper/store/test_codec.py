"""The codec: what goes in comes out, whatever it is; and data of another kind is refused with `CodecError`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cyclescope.core.codec import CodecError, decode, encode
from cyclescope.core.units import FloatArray, IntArray


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


@dataclass(frozen=True, slots=True)
class Leaf:
    count: int
    share: float
    name: str
    flag: bool
    colour: Colour
    limit: int | None = None


@dataclass(frozen=True, eq=False)
class Tree:
    leaf: Leaf
    leaves: tuple[Leaf, ...]
    pair: tuple[str, int]
    words: tuple[str, ...]
    table: tuple[tuple[str, str], ...]
    whole: IntArray
    real: FloatArray
    perhaps: Leaf | None = None


whole_numbers = st.integers(-(2**63), 2**63 - 1)
leaves = st.builds(
    Leaf,
    whole_numbers,
    st.floats(allow_nan=False),
    st.text(),
    st.booleans(),
    st.sampled_from(Colour),
    st.none() | whole_numbers,
)
trees = st.builds(
    Tree,
    leaves,
    st.lists(leaves, max_size=4).map(tuple),
    st.tuples(st.text(), whole_numbers),
    st.lists(st.text(), max_size=3).map(tuple),
    st.lists(st.tuples(st.text(), st.text()), max_size=3).map(tuple),
    st.lists(whole_numbers, max_size=5).map(lambda row: np.asarray(row, dtype=np.int64)),
    st.lists(st.floats(allow_nan=False), max_size=5).map(lambda row: np.asarray(row, dtype=np.float64).reshape(-1, 1)),
    st.none() | leaves,
)


@given(tree=trees)
def test_what_goes_in_comes_out_through_json(tree: Tree) -> None:
    data, arrays = encode(tree)
    back = decode(Tree, json.loads(json.dumps(data)), arrays)
    for name in ("leaf", "leaves", "pair", "words", "table", "perhaps"):
        assert getattr(back, name) == getattr(tree, name)
    assert np.array_equal(back.whole, tree.whole)
    assert np.array_equal(back.real, tree.real)
    assert isinstance(back.leaf.colour, Colour)
    assert encode(back)[0] == data


@given(tree=trees)
def test_types_survive(tree: Tree) -> None:
    back = decode(Tree, json.loads(json.dumps(encode(tree)[0])), encode(tree)[1])
    assert type(back.leaf.share) is float
    assert type(back.leaf.flag) is bool
    assert all(type(leaf) is Leaf for leaf in back.leaves)


def test_many_rows_are_stored_by_column() -> None:
    rows = tuple(Leaf(i, 0.5, "leaf", True, Colour.RED) for i in range(3))
    assert encode(rows)[0] == {
        "$rows": {
            "count": [0, 1, 2],
            "share": [0.5, 0.5, 0.5],
            "name": ["leaf"] * 3,
            "flag": [True] * 3,
            "colour": ["red"] * 3,
            "limit": [None] * 3,
        }
    }


def test_unknown_fields_are_passed_over_and_missing_ones_take_their_default() -> None:
    data, _ = encode(Leaf(1, 1.0, "", False, Colour.BLUE, 5))
    del data["limit"]
    assert decode(Leaf, data | {"later": 1}, []) == Leaf(1, 1.0, "", False, Colour.BLUE)


def test_a_whole_number_is_taken_for_a_real_one() -> None:
    data, _ = encode(Leaf(1, 1.0, "", False, Colour.BLUE))
    assert decode(Leaf, data | {"share": 3}, []).share == 3.0


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("count", "1"),
        ("count", True),
        ("count", 1.5),
        ("count", None),
        ("share", "0.5"),
        ("name", 1),
        ("flag", 1),
        ("colour", "green"),
        ("colour", []),
        ("limit", "none"),
    ],
)
def test_a_value_of_another_kind_is_refused(field: str, value: object) -> None:
    data, _ = encode(Leaf(1, 1.0, "", False, Colour.BLUE))
    with pytest.raises(CodecError):
        decode(Leaf, data | {field: value}, [])


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["$array", "$rows", "count", "name", "leaf", "leaves", "whole"]), inner, max_size=3
        )
    ),
    max_leaves=8,
)


@given(field=st.sampled_from(["leaf", "leaves", "pair", "words", "table", "perhaps"]), value=json_values)
def test_any_json_decodes_or_is_refused(field: str, value: Any) -> None:
    nothing = np.zeros(0, dtype=np.int64)
    tree = Tree(Leaf(1, 1.0, "", False, Colour.RED), (), ("", 1), (), (), nothing, nothing.astype(np.float64))
    data, arrays = encode(tree)
    try:
        decode(Tree, data | {field: value}, arrays)
    except CodecError:
        return


@pytest.mark.parametrize("value", [{1, 2}, object(), b"bytes", {"a": 1}, [1]])
def test_what_cannot_be_stored_is_refused(value: object) -> None:
    with pytest.raises(CodecError):
        encode(value)


def test_an_array_that_is_not_there_is_refused() -> None:
    with pytest.raises(CodecError):
        decode(Leaf, {"$array": 0}, [])


@pytest.mark.parametrize("field", ["leaf", "perhaps"])
def test_an_array_in_the_place_of_another_value_is_refused(field: str) -> None:
    nothing = np.zeros(0, dtype=np.int64)
    tree = Tree(Leaf(1, 1.0, "", False, Colour.RED), (), ("", 1), (), (), nothing, nothing.astype(np.float64))
    data, arrays = encode(tree)
    with pytest.raises(CodecError):
        decode(Tree, data | {field: {"$array": 0}}, arrays)


def test_a_text_in_the_place_of_a_tuple_is_refused() -> None:
    nothing = np.zeros(0, dtype=np.int64)
    tree = Tree(Leaf(1, 1.0, "", False, Colour.RED), (), ("", 1), (), (), nothing, nothing.astype(np.float64))
    data, arrays = encode(tree)
    with pytest.raises(CodecError):
        decode(Tree, data | {"words": "abc"}, arrays)
