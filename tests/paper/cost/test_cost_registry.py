"""The lookup: names, the unknown, groups of calls."""

from __future__ import annotations

from collections import Counter
from itertools import permutations

import pytest
from cost_calls import priced, spec
from hypothesis import given
from hypothesis import strategies as st

from cyclescope.core.graph.op import Cost, OpKind
from cyclescope.core.graph.tensor import TensorSpec
from cyclescope.cost import attention, matmul, movement, onnx, packed, pointwise, recurrent, rows, text
from cyclescope.cost.registry import FORMULAS, EngineCall, OpCost, estimate_cost, kind_of_group

X = spec(3, 8)


def test_no_operation_is_described_twice():
    described = Counter(
        n
        for module in (attention, matmul, movement, packed, pointwise, recurrent, rows, text, onnx)
        for n in module.FORMULAS
    )
    assert {name: n for name, n in described.items() if n > 1} == {}
    assert set(described) == set(FORMULAS)


def test_the_unknown_is_one_pass_and_says_so():
    assert priced("brand_new", [X, X], [X]) == OpCost(OpKind.OTHER, Cost(0, 24, 192, 96), known=False)


def test_the_unknown_on_whole_numbers_computes_nothing_that_counts():
    ids = spec(3, 8, dtype="int64")
    assert priced("brand_new", [ids], [ids]).known
    assert not priced("brand_new", [ids], [X]).known


@pytest.mark.parametrize("name", ["mm", "addmm", "convolution", "_scaled_dot_product_flash_attention_for_cpu"])
@pytest.mark.parametrize("reads", [[], [spec()], [spec(), spec(), spec()]])
def test_a_known_name_in_an_unknown_form_is_unknown(name, reads):
    assert priced(name, reads, [X]) == OpCost(OpKind.OTHER, Cost(0, 24, 4 * len(reads), 96), known=False)


@pytest.mark.parametrize("name", ["tokenize", "detokenize"])
def test_text_moves_its_bytes_and_its_ids(name):
    """Twelve characters of three bytes and four of one."""
    sentence, ids = spec(len("这是一个简单的BERT模型示例。".encode()), dtype="text"), spec(1, 16, dtype="int64")
    assert estimate_cost(EngineCall(name, (sentence,), (ids,))) == OpCost(OpKind.TEXT, Cost(0, 0, 40, 128))


SHAPES = st.lists(st.integers(0, 9), max_size=4).map(tuple)
TENSORS = st.builds(TensorSpec, SHAPES, st.sampled_from(["float32", "bfloat16", "int64", "bool", "int4"]), st.just(0))
ARGUMENTS = st.dictionaries(
    st.sampled_from(["dim", "groups", "is_causal", "transposed", "exponent", "approximate", "max_k", "num_heads"]),
    st.one_of(
        st.none(), st.booleans(), st.integers(0, 9), st.text(max_size=3), st.lists(st.integers(-4, 4), max_size=3)
    ),
)


@given(
    name=st.sampled_from(sorted(FORMULAS)) | st.text(max_size=12),
    suffix=st.sampled_from(["", "_", "_out"]),
    reads=st.lists(TENSORS, max_size=6).map(tuple),
    writes=st.lists(TENSORS, max_size=3).map(tuple),
    footprints=st.lists(st.integers(0, 10**6), max_size=6).map(tuple),
    arguments=ARGUMENTS,
)
def test_any_call_has_a_price_and_none_is_negative(name, suffix, reads, writes, footprints, arguments):
    cost = estimate_cost(EngineCall(name + suffix, reads, writes, arguments, footprints=footprints)).cost
    assert min(cost.flops, cost.elementwise_flops, cost.read_bytes, cost.written_bytes) >= 0
    assert all(isinstance(n, int) for n in (cost.flops, cost.elementwise_flops, cost.read_bytes, cost.written_bytes))


def group(*kinds):
    return kind_of_group([OpCost(kind, Cost()) for kind in kinds])


def test_a_group_is_what_its_most_telling_part_is():
    assert group(OpKind.VIEW, OpKind.MATMUL, OpKind.VIEW) is OpKind.MATMUL
    assert group(OpKind.COPY, OpKind.SOFTMAX) is OpKind.SOFTMAX
    assert group(OpKind.ELEMENTWISE, OpKind.REDUCTION, OpKind.NORM) is OpKind.NORM
    assert group(OpKind.COPY, OpKind.ELEMENTWISE) is OpKind.ELEMENTWISE
    assert group(OpKind.VIEW, OpKind.COPY) is OpKind.COPY


def test_product_and_softmax_in_one_operation_are_attention():
    assert group(OpKind.ELEMENTWISE, OpKind.MATMUL, OpKind.SOFTMAX, OpKind.MATMUL) is OpKind.ATTENTION


def test_a_group_is_a_view_only_if_all_of_it_is():
    assert group(OpKind.VIEW, OpKind.VIEW) is group() is OpKind.VIEW
    assert all(group(OpKind.VIEW, kind) is kind for kind in OpKind)


@pytest.mark.parametrize("kinds", list(permutations([OpKind.VIEW, OpKind.CONVOLUTION, OpKind.OTHER])))
def test_the_order_of_the_parts_does_not_matter(kinds):
    assert group(*kinds) is OpKind.CONVOLUTION
