"""Matrix products and convolutions: closed forms."""

from __future__ import annotations

import pytest
from cost_calls import priced, spec
from hypothesis import given
from hypothesis import strategies as st

from cyclescope.core.graph.op import Cost, OpKind
from cyclescope.cost.registry import EngineCall, estimate_cost

SIZES = st.integers(0, 40)


def test_a_product_is_two_flops_a_multiply_add_and_moves_each_matrix_once():
    got = priced("mm", [spec(3, 5), spec(5, 7)], [spec(3, 7)])
    assert got.kind is OpKind.MATMUL
    assert got.cost == Cost(2 * 3 * 5 * 7, 0, (15 + 35) * 4, 21 * 4)


@pytest.mark.parametrize(
    ("name", "reads"),
    [("addmm", [spec(7), spec(3, 5), spec(5, 7)]), ("linear", [spec(3, 5), spec(7, 5), spec(7)])],
)
def test_a_bias_is_elementwise_work_and_no_flop(name, reads):
    assert priced(name, reads, [spec(3, 7)]).cost == Cost(210, 21, (15 + 35 + 7) * 4, 84)


def test_a_linear_layer_without_a_bias_adds_nothing():
    assert priced("linear", [spec(2, 3, 5), spec(7, 5)], [spec(2, 3, 7)]).cost.elementwise_flops == 0


@pytest.mark.parametrize(
    ("name", "reads", "result", "flops"),
    [
        ("bmm", [spec(4, 3, 5), spec(4, 5, 7)], spec(4, 3, 7), 4 * 210),
        ("baddbmm", [spec(4, 3, 7), spec(4, 3, 5), spec(4, 5, 7)], spec(4, 3, 7), 4 * 210),
        ("addbmm", [spec(3, 7), spec(4, 3, 5), spec(4, 5, 7)], spec(3, 7), 4 * 210),
        ("mv", [spec(3, 5), spec(5)], spec(3), 30),
        ("addmv", [spec(3), spec(3, 5), spec(5)], spec(3), 30),
        ("dot", [spec(5), spec(5)], spec(), 10),
        ("matmul", [spec(2, 1, 3, 5), spec(4, 5, 7)], spec(2, 4, 3, 7), 8 * 210),
        # Swapped axes do not matter; the inner one of the left side does.
        ("bilinear", [spec(6, 3), spec(6, 5), spec(2, 3, 5)], spec(6, 2), 6 * 2 * (2 * 15 + 2 * 5)),
    ],
)
def test_every_form_of_the_product(name, reads, result, flops):
    assert priced(name, reads, [result]).cost.flops == flops


def test_a_product_over_nothing_is_nothing_but_a_result():
    """An inner axis of length 0 gives a matrix of zeros, which is written all the same."""
    assert priced("mm", [spec(3, 0), spec(0, 7)], [spec(3, 7)]).cost == Cost(0, 0, 0, 84)


@given(m=SIZES, k=SIZES, n=SIZES)
def test_in_place_and_out_variants_cost_the_same(m, k, n):
    reads, writes = [spec(m, n), spec(m, k), spec(k, n)], [spec(m, n)]
    assert priced("addmm_", reads, writes) == priced("addmm_out", reads, writes) == priced("addmm", reads, writes)


@given(one=SIZES, other=SIZES, m=SIZES, k=SIZES, n=SIZES)
def test_a_batch_costs_the_sum_of_its_parts(one, other, m, k, n):
    def batched(b):
        return priced("bmm", [spec(b, m, k), spec(b, k, n)], [spec(b, m, n)]).cost

    assert batched(one) + batched(other) == batched(one + other)


def test_a_grouped_convolution_reads_only_its_own_channels():
    """12 × 15 results, each a sum over (8 / 4) channels × 3 taps."""
    got = priced("convolution", [spec(2, 8, 17), spec(12, 2, 3), spec(12)], [spec(2, 12, 15)], groups=4)
    assert got.kind is OpKind.CONVOLUTION
    assert got.cost.flops == 2 * (2 * 12 * 15) * (2 * 3)
    assert got.cost.elementwise_flops == 2 * 12 * 15


def test_a_depthwise_convolution_costs_its_taps():
    got = priced("convolution", [spec(1, 8, 16), spec(8, 1, 4)], [spec(1, 8, 16)], groups=8)
    assert got.cost.flops == 2 * 8 * 16 * 4
    assert got.cost.elementwise_flops == 0


def test_a_transposed_convolution_spreads_its_input():
    got = priced("convolution", [spec(2, 8, 5), spec(8, 12, 3)], [spec(2, 12, 7)], transposed=True)
    assert got.cost.flops == 2 * (2 * 8 * 5) * (12 * 3)


@pytest.mark.parametrize("name", ["convolution", "conv2d"])
def test_two_axes(name):
    assert priced(name, [spec(1, 3, 8, 8), spec(4, 3, 2, 2)], [spec(1, 4, 7, 7)]).cost.flops == 2 * 4 * 49 * 12


class TestGroupedProduct:
    """Experts of a mixture in one call."""

    def test_every_row_meets_one_expert(self):
        got = priced("_grouped_mm", [spec(64, 16), spec(8, 16, 32), spec(8, dtype="int32")], [spec(64, 32)])
        assert got.cost == Cost(2 * 64 * 16 * 32, 0, (64 * 16 + 8 * 16 * 32 + 8) * 4, 64 * 32 * 4)

    def test_fewer_rows_than_experts_read_no_more_experts_than_rows(self):
        got = priced("_grouped_mm", [spec(2, 16), spec(8, 16, 32), spec(8, dtype="int32")], [spec(2, 32)])
        assert got.cost.read_bytes == (2 * 16 + 2 * 16 * 32 + 8) * 4

    def test_an_inner_axis_in_groups_is_paid_once(self):
        got = priced("_grouped_mm", [spec(6, 40), spec(40, 9), spec(4, dtype="int32")], [spec(4, 6, 9)])
        assert got.cost.flops == 2 * 6 * 40 * 9

    def test_offsets_are_no_bias(self):
        reads = [spec(64, 16), spec(8, 16, 32), spec(8, dtype="int32")]
        assert priced("_grouped_mm", reads, [spec(64, 32)]).cost.elementwise_flops == 0
        biased = priced("_grouped_mm", [*reads, spec(8, 32)], [spec(64, 32)])
        assert biased.cost.elementwise_flops == 64 * 32


def test_a_packed_weight_is_read_although_no_tensor_shows_it():
    call = EngineCall("quantized.linear_dynamic", (spec(3, 768),), (spec(3, 3072),))
    assert estimate_cost(call).cost == Cost(2 * 3 * 768 * 3072, 3 * 3072, 3 * 768 * 4 + 768 * 3072, 3 * 3072 * 4)
