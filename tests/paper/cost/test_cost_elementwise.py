"""Arithmetic of everything that is no matrix product: the stated conventions, and their consequences."""

from __future__ import annotations

import pytest
from cost_calls import priced, spec
from hypothesis import given
from hypothesis import strategies as st

from cyclescope.core.graph.op import Cost, OpKind

X = spec(2, 3, 8)
N = 48


@pytest.mark.parametrize(
    ("name", "kind", "weight"),
    [
        ("add", OpKind.ELEMENTWISE, 1),
        ("mul", OpKind.ELEMENTWISE, 1),
        ("where", OpKind.ELEMENTWISE, 1),
        ("masked_fill", OpKind.ELEMENTWISE, 1),
        ("le", OpKind.ELEMENTWISE, 1),
        ("div", OpKind.ELEMENTWISE, 4),
        ("sqrt", OpKind.ELEMENTWISE, 4),
        ("rsqrt", OpKind.ELEMENTWISE, 8),
        ("exp", OpKind.ELEMENTWISE, 8),
        ("relu", OpKind.ACTIVATION, 1),
        ("tanh", OpKind.ACTIVATION, 8),
        ("sigmoid", OpKind.ACTIVATION, 14),
        ("silu", OpKind.ACTIVATION, 15),
        ("gelu", OpKind.ACTIVATION, 12),
        ("_softmax", OpKind.SOFTMAX, 15),
        ("_log_softmax", OpKind.SOFTMAX, 12),
        ("sum", OpKind.REDUCTION, 1),
        ("argmax", OpKind.REDUCTION, 1),
        ("var", OpKind.REDUCTION, 4),
        ("cumsum", OpKind.SCAN, 1),
    ],
)
def test_conventions(name, kind, weight):
    got = priced(name, [X], [X])
    assert (got.kind, got.cost) == (kind, Cost(0, weight * N, N * 4, N * 4))


@pytest.mark.parametrize(
    ("name", "formula"),
    [
        ("sigmoid", "neg exp add reciprocal"),  # 1 / (1 + e^-x)
        ("silu", "sigmoid mul"),
        ("glu", "sigmoid mul"),
        ("softplus", "exp add log"),
        ("mish", "softplus tanh mul"),
        ("gelu", "mul erf add mul mul"),
        ("hardsigmoid", "add clamp mul"),
        ("hardswish", "hardsigmoid mul"),
        ("hardtanh", "maximum minimum"),
        ("clamp", "maximum minimum"),
        ("relu", "maximum"),
        ("relu6", "clamp"),
        ("leaky_relu", "mul where"),
        ("elu", "exp sub mul where"),
        ("selu", "elu mul"),
        ("celu", "div elu"),
        ("softshrink", "gt lt sub"),
        ("rsqrt", "sqrt reciprocal"),
        ("addcmul", "mul mul add"),
        ("addcdiv", "div mul add"),
        ("lerp", "sub mul add"),
        ("logit", "sub div log"),
        ("logaddexp", "maximum sub exp add log add"),  # of what is less by how much
        ("_softmax", "maximum sub exp add div"),
        ("_log_softmax", "logsumexp sub"),
        ("logsumexp", "maximum sub exp add"),
        ("logcumsumexp", "sub exp add"),
        ("aminmax", "maximum minimum"),
        ("native_layer_norm", "var mul"),
        ("_fused_rms_norm", "mul sum mul"),
        ("_weight_norm_interface", "mul sum mul"),
        ("upsample_linear1d", "mul mul add"),
        ("upsample_bilinear2d", "mul mul mul mul add add add"),
        ("upsample_trilinear3d", "upsample_bilinear2d upsample_bilinear2d add"),
        ("upsample_bicubic2d", "upsample_trilinear3d upsample_trilinear3d add"),
    ],
)
def test_a_named_function_costs_what_its_formula_costs(name, formula):
    """What one call saves is traffic, not arithmetic."""
    arithmetic = sum(priced(part, [X], [X]).cost.elementwise_flops for part in formula.split())
    assert priced(name, [X], [X]).cost.elementwise_flops == arithmetic


def test_the_approximate_gelu_is_another_formula():
    assert priced("gelu", [X], [X], approximate="tanh").cost.elementwise_flops == 16 * N


@pytest.mark.parametrize(
    ("exponent", "weight"),
    [(2, 1), (2.0, 1), (3, 2), (4, 2), (1, 0), (0, 0), (0.5, 4), (-1, 4), (-0.5, 8), (2.5, 8), (None, 8), ("2", 8)],
)
def test_small_whole_powers_are_multiplications(exponent, weight):
    assert priced("pow", [X], [X], exponent=exponent).cost.elementwise_flops == weight * N


def test_broadcasting_counts_elements_of_the_result():
    assert priced("add", [spec(2, 1), spec(1, 3)], [spec(2, 3)]).cost == Cost(0, 6, 5 * 4, 6 * 4)


def test_writing_in_place_reads_the_target_too():
    assert priced("add_", [X, X], [X]) == priced("add", [X, X], [X])


@pytest.mark.parametrize(
    ("name", "parameters", "weight"),
    [
        ("native_layer_norm", 0, 5),
        ("native_layer_norm", 1, 6),
        ("native_layer_norm", 2, 7),
        ("_fused_rms_norm", 0, 3),
        ("_fused_rms_norm", 1, 4),
        ("_native_batch_norm_legit_no_training", 2, 2),
        ("_native_batch_norm_legit_no_training", 4, 4),
    ],
)
def test_norms_with_and_without_scale_and_shift(name, parameters, weight):
    got = priced(name, [X, *[spec(8)] * parameters], [X])
    assert (got.kind, got.cost.elementwise_flops) == (OpKind.NORM, weight * N)


def test_a_reduction_works_on_what_it_reads():
    assert priced("mean", [X], [spec(2, 3, 1)]).cost == Cost(0, N, N * 4, 6 * 4)


def test_ordering_takes_n_log_n_comparisons_a_row():
    assert priced("sort", [spec(3, 8)], [spec(3, 8), spec(3, 8, dtype="int64")]).cost.elementwise_flops == 24 * 3
    assert priced("topk", [spec(16, 3)], [spec(2, 3)], dim=0).cost.elementwise_flops == 48 * 4
    assert priced("sort", [spec()], [spec()]).cost.elementwise_flops == 0


def test_a_triangular_solve_is_no_model_flop():
    got = priced("linalg_solve_triangular", [spec(4, 6, 6), spec(4, 6, 3)], [spec(4, 6, 3)])
    assert (got.kind, got.cost.flops, got.cost.elementwise_flops) == (OpKind.SCAN, 0, 4 * 6 * 3 * 6)


class TestFourier:
    """5·N·log2(N), the convention of FFT benchmarks."""

    def test_complex(self):
        points = spec(4, 16, dtype="complex64")
        got = priced("_fft_c2c", [points], [points], dim=[1])
        assert (got.kind, got.cost.elementwise_flops) == (OpKind.FFT, 5 * 64 * 4)

    def test_two_axes(self):
        points = spec(4, 16, dtype="complex64")
        assert priced("_fft_c2c", [points], [points], dim=[0, 1]).cost.elementwise_flops == 5 * 64 * 6

    def test_a_real_side_halves_the_work(self):
        real, half = spec(4, 16), spec(4, 9, dtype="complex64")
        forward, back = priced("_fft_r2c", [real], [half], dim=[1]), priced("_fft_c2r", [half], [real], dim=[1])
        assert forward.cost.elementwise_flops == back.cost.elementwise_flops == 5 * 64 * 4 // 2

    def test_a_single_point_is_its_own_transform(self):
        point = spec(7, 1, dtype="complex64")
        assert priced("_fft_c2c", [point], [point], dim=[1]).cost.elementwise_flops == 0


@given(
    name=st.sampled_from(["add", "gelu", "_softmax", "native_layer_norm", "sum", "cumsum", "topk"]),
    one=st.integers(0, 30),
    other=st.integers(0, 30),
    width=st.integers(1, 64).map(lambda n: 2 ** (n % 7)),
)
def test_a_batch_costs_the_sum_of_its_parts(name, one, other, width):
    def batched(b):
        return priced(name, [spec(b, width)], [spec(b, width)]).cost

    assert batched(one) + batched(other) == batched(one + other)
