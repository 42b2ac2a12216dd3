"""The smallest dimension of products as models make them."""

from __future__ import annotations

import pytest

from cyclescope.core.graph.op import OpKind
from cyclescope.core.graph.tensor import TensorSpec
from cyclescope.explaining.product_shape import product_rows, product_type

Shape = tuple[int, ...]


def spec(*shape: int, dtype: str = "float32") -> TensorSpec:
    return TensorSpec(shape, dtype, storage=0)


def rows(kind: OpKind, reads: list[Shape], result: Shape, flops: int) -> int:
    return product_rows(kind, [spec(*shape) for shape in reads], spec(*result), flops)


@pytest.mark.parametrize(
    ("reads", "result", "inner", "expected"),
    [
        ([(1, 128, 768), (3072, 768), (3072,)], (1, 128, 3072), 768, 128),  # linear: leading axes are one
        ([(8, 16, 768), (768, 768)], (8, 16, 768), 768, 128),
        ([(1, 1, 768), (768, 768)], (1, 1, 768), 768, 1),  # a decode step
        ([(768,), (10, 768), (768, 768)], (10, 768), 768, 10),  # addmm, the bias first
        ([(12, 128, 64), (12, 64, 128)], (12, 128, 128), 64, 64),  # bmm: each matrix by itself
        ([(12, 1, 64), (12, 64, 128)], (12, 1, 128), 64, 1),
        ([(100, 50), (50,)], (100,), 50, 1),  # a matrix with a vector
        ([(64, 32), (8, 32, 16), (8,)], (64, 16), 32, 8),  # eight experts with eight rows each
        ([(4,), (4,)], (), 4, 1),  # a dot product
    ],
)
def test_the_smallest_dimension_of_a_product(reads: list[Shape], result: Shape, inner: int, expected: int) -> None:
    elements = 1
    for size in result:
        elements *= size
    assert rows(OpKind.MATMUL, reads, result, 2 * elements * inner) == expected


def test_the_smallest_dimension_of_attention() -> None:
    def attention(queries: int, keys: int) -> int:
        heads = [(1, 12, queries, 64), (1, 12, keys, 64), (1, 12, keys, 64)]
        return rows(OpKind.ATTENTION, heads, (1, 12, queries, 64), 4 * 12 * queries * keys * 64)

    assert [attention(128, 128), attention(16, 16), attention(1, 200)] == [64, 16, 1]


def test_the_smallest_dimension_of_a_convolution() -> None:
    def convolution(channels: int, groups: int) -> int:
        weight = (channels, 32 // groups, 3)
        flops = 2 * channels * 100 * (32 // groups) * 3
        return rows(OpKind.CONVOLUTION, [(1, 32, 102), weight], (1, channels, 100), flops)

    # 100 positions, 96 products an element, and the channels out; depthwise, every channel is for itself.
    assert [convolution(64, 1), convolution(256, 1), convolution(32, 32)] == [64, 96, 1]


def test_no_operands_no_result_and_nothing_in_it_are_one_row() -> None:
    assert product_rows(OpKind.MATMUL, [], spec(2, 2), 8) == 1
    assert product_rows(OpKind.MATMUL, [spec(2, 2)], None, 8) == 1
    assert product_rows(OpKind.MATMUL, [spec(0, 4)], spec(0, 0), 8) == 1
    assert product_rows(OpKind.CONVOLUTION, [spec(0, 4)], spec(2, 2), 8) == 1


def test_the_type_of_a_product_is_that_of_its_operands_and_not_of_its_offsets() -> None:
    offsets, half, small = spec(4, dtype="int64"), spec(4, 4, dtype="bfloat16"), spec(4, 4, dtype="int8")

    assert product_type([offsets, half]) == "bfloat16"
    assert product_type([small]) == "int8"
    assert product_type([]) == ""
