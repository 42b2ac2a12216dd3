"""Views, copies, fills, lookups and stores: bytes, exactly."""

from __future__ import annotations

import pytest
from cost_calls import priced, spec
from hypothesis import given
from hypothesis import strategies as st

from cyclescope.core.graph.op import Cost, OpKind
from cyclescope.cost.registry import EngineCall, estimate_cost

X = spec(3, 8)
IDS = spec(2, 16, dtype="int64")


@pytest.mark.parametrize(
    "name", ["view", "transpose", "expand", "_unsafe_view", "unsafe_split", "lift_fresh", "detach"]
)
def test_views_are_free(name):
    got = priced(name, [X], [X])
    assert (got.kind, got.cost) == (OpKind.VIEW, Cost())


def test_whatever_only_aliases_is_free():
    got = estimate_cost(EngineCall("aten.something_new", (X,), (X,), is_view=True))
    assert (got.kind, got.cost) == (OpKind.VIEW, Cost())


@pytest.mark.parametrize("name", ["clone", "_to_copy", "constant_pad_nd", "repeat"])
def test_a_copy_reads_and_writes(name):
    got = priced(name, [X], [spec(3, 8, dtype="float16")])
    assert (got.kind, got.cost) == (OpKind.COPY, Cost(0, 0, 96, 48))


def test_joining_reads_every_part():
    assert priced("cat", [X, X, spec(1, 8)], [spec(7, 8)]).cost == Cost(0, 0, 7 * 8 * 4, 7 * 8 * 4)


def test_overwriting_does_not_read_the_target():
    assert priced("copy_", [X, spec(3, 8, dtype="float16")], [X]).cost == Cost(0, 0, 48, 96)
    assert priced("fill_", [X], [X]).cost == priced("zeros", [], [X]).cost == Cost(0, 0, 0, 96)
    assert priced("full_like", [X], [X]).cost == Cost(0, 0, 0, 96)


def test_memory_set_aside_is_not_touched():
    assert priced("empty", [], [X]).cost == Cost()


def test_an_embedding_reads_rows_and_not_the_table():
    """bert-base-chinese: 21128 × 768, of which 32 rows."""
    got = priced("embedding", [spec(21128, 768), IDS], [spec(2, 16, 768)])
    assert (got.kind, got.cost) == (OpKind.EMBEDDING, Cost(0, 0, 32 * 768 * 4 + 32 * 8, 32 * 768 * 4))


def test_no_lookup_reads_more_than_there_is():
    """Two segments, 32 tokens: either row is read once, from memory."""
    assert priced("embedding", [spec(2, 768), IDS], [spec(2, 16, 768)]).cost.read_bytes == 2 * 768 * 4 + 32 * 8
    got = priced("gather", [spec(3, 2), spec(3, 9, dtype="int64")], [spec(3, 9)])
    assert (got.kind, got.cost.read_bytes) == (OpKind.COPY, 6 * 4 + 27 * 8)


def test_a_sum_of_rows_reads_every_row():
    got = priced("_embedding_bag", [spec(100, 8), spec(12, dtype="int64"), spec(3, dtype="int64")], [spec(3, 8)])
    assert (got.kind, got.cost) == (OpKind.EMBEDDING, Cost(0, 96, 96 * 4 + 15 * 8, 24 * 4))


def test_a_store_writes_its_values_only():
    """One step of a key-value cache of 1024 positions."""
    cache, step = spec(1, 8, 1024, 64), spec(1, 8, 1, 64)
    got = priced("index_copy_", [cache, spec(1, dtype="int64"), step], [cache])
    assert (got.kind, got.cost) == (OpKind.COPY, Cost(0, 0, step.bytes + 8, step.bytes))


def test_a_store_out_of_place_copies_everything():
    got = priced("index_put", [X, spec(2, dtype="int64"), spec(2, 8)], [X])
    assert got.cost == Cost(0, 0, 96 + 16 + 64, 96)


def test_one_value_into_many_places_may_fill_the_target():
    assert priced("index_put_", [X, spec(3, 8, dtype="bool"), spec()], [X]).cost.written_bytes == 96


def test_scattering_writes_one_element_for_each_of_the_index():
    index = spec(3, 2, dtype="int64")
    assert priced("scatter_", [X, index], [X]).cost == Cost(0, 0, 48, 24)
    assert priced("scatter_add_", [X, index, spec(3, 2)], [X]).cost == Cost(0, 6, 48 + 24 + 24, 24)
    assert priced("index_add_", [X, spec(2, dtype="int64"), spec(2, 8)], [X]).cost == Cost(0, 16, 16 + 64 + 64, 64)


class TestFootprints:
    """What lies behind a read, where someone knows."""

    def test_an_expanded_tensor_is_read_as_often_as_it_is_there(self):
        call = EngineCall("aten.add", (X, X), (X,), footprints=(96, 32))
        assert estimate_cost(call).cost.read_bytes == 128

    def test_the_same_tensor_twice_is_read_once(self):
        assert estimate_cost(EngineCall("aten.mul", (X, X), (X,), footprints=(96, 0))).cost == Cost(0, 24, 96, 96)

    def test_a_slice_of_a_large_memory_is_read_as_its_shape_says(self):
        assert estimate_cost(EngineCall("aten.neg", (X,), (X,), footprints=(10**9,))).cost.read_bytes == 96

    def test_attention_over_repeated_heads(self):
        q, k = spec(1, 8, 5, 16), spec(1, 8, 9, 16)
        call = EngineCall(
            "aten.scaled_dot_product_attention", (q, k, k), (q,), footprints=(q.bytes, k.bytes // 4, k.bytes // 4)
        )
        assert estimate_cost(call).cost.read_bytes == q.bytes + k.bytes // 2


@given(rows=st.integers(0, 50), width=st.integers(0, 50), taken=st.integers(0, 100))
def test_a_lookup_reads_at_most_the_table_and_at_most_what_it_takes(rows, width, taken):
    ids = spec(taken, dtype="int64")
    cost = priced("embedding", [spec(rows, width), ids], [spec(taken, width)]).cost
    assert cost.read_bytes - ids.bytes == min(rows, taken) * width * 4
