"""The mathematics of attention: the mission's worked example, the mistake it invites, and properties of the formula."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cyclescope.core.errors import UsageError
from cyclescope.explaining.attention_reference import attention, multi_head, softmax

Q = np.array([[1], [2], [3], [4], [5]])
K = np.ones((5, 1))
V = np.array([[1], [0], [1], [0], [1]])


def test_worked_example() -> None:
    result = attention(Q, K, V, scale=1 / math.sqrt(10))

    # Every key is the same, so every row of the scores is constant, whatever the query.
    assert np.allclose(result.scores, Q / math.sqrt(10) @ np.ones((1, 5)), rtol=1e-15)
    assert np.allclose(result.weights, 0.2, rtol=1e-15)
    assert np.allclose(result.output, 0.6, rtol=1e-15)
    assert result.output.shape == (5, 1)


def test_known_mistake_multiplies_element_by_element() -> None:
    """0.2, 0, 0.2, 0, 0.2 is what an element-wise product of one row of weights with V gives.

    It cannot be attention: an output is a mean of the rows of V, weighted by one row of weights, so a token whose own
    value is 0 still takes from the others, and here, where the weights are equal, every token must get the mean of V.
    """
    result = attention(Q, K, V, scale=1 / math.sqrt(10))
    mistake = result.weights[0] * V[:, 0]

    assert np.allclose(mistake, [0.2, 0, 0.2, 0, 0.2])
    assert not np.allclose(result.output[:, 0], mistake)
    assert np.allclose(result.output, V.mean())
    # The mistake is not a matter of rounding: what was left out is the sum over the keys.
    assert math.isclose(mistake.sum(), result.output[0, 0])


def test_scale_defaults_to_one_over_root_d_k() -> None:
    rng = np.random.default_rng(1)
    q, k, v = rng.normal(size=(3, 4)), rng.normal(size=(5, 4)), rng.normal(size=(5, 2))

    assert np.array_equal(attention(q, k, v).output, attention(q, k, v, scale=0.5).output)
    assert not np.allclose(attention(q, k, v).output, attention(q, k, v, scale=1.0).output)


def test_flops_of_each_step() -> None:
    steps = {s.name: s for s in attention(np.ones((3, 4)), np.ones((5, 4)), np.ones((5, 2))).steps}

    assert list(steps) == ["scores", "scale", "softmax", "output"]
    assert steps["scores"].flops == 2 * 3 * 5 * 4
    assert steps["scale"].elementwise_flops == 15
    assert steps["softmax"].elementwise_flops == 3 * (4 + 5 + 5 + 4 + 5)
    assert steps["output"].flops == 2 * 3 * 5 * 2
    assert steps["scores"].elementwise_flops == steps["softmax"].flops == 0


@given(st.lists(st.floats(-700, 700), min_size=1, max_size=20), st.floats(-1e6, 1e6))
def test_softmax_is_a_distribution_and_ignores_a_shift(row: list[float], shift: float) -> None:
    weights = softmax(row)

    assert np.all(weights >= 0)
    assert math.isclose(float(weights.sum()), 1.0, rel_tol=1e-12)
    # The shift itself rounds at 1e6, so its weights agree to about that rounding and no better.
    assert np.allclose(softmax(np.array(row) + shift), weights, atol=1e-8)


def test_softmax_survives_scores_whose_exponential_overflows() -> None:
    assert np.array_equal(softmax([[1000.0, 1000.0], [-1000.0, 1000.0]]), [[0.5, 0.5], [0.0, 1.0]])


@given(st.integers(1, 6), st.integers(1, 6), st.integers(0, 2**32 - 1))
def test_output_stays_within_the_values(n: int, m: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    v = rng.normal(size=(m, 3))
    output = attention(rng.normal(size=(n, 2)), rng.normal(size=(m, 2)), v).output

    assert np.all(output <= v.max(axis=0) + 1e-12)
    assert np.all(output >= v.min(axis=0) - 1e-12)


def test_one_head_with_identity_projections_is_attention() -> None:
    rng = np.random.default_rng(2)
    q, k, v = rng.normal(size=(3, 4)), rng.normal(size=(5, 4)), rng.normal(size=(5, 4))
    identity = np.eye(4)

    assert np.allclose(
        multi_head(q, k, v, identity[None], identity[None], identity[None], identity).output, attention(q, k, v).output
    )


def test_heads_are_concatenated_in_order_before_the_last_projection() -> None:
    rng = np.random.default_rng(3)
    x, (h, d_model, d_k, d_v) = rng.normal(size=(3, 6)), (2, 6, 4, 5)
    w_q, w_k = rng.normal(size=(h, d_model, d_k)), rng.normal(size=(h, d_model, d_k))
    w_v, w_o = rng.normal(size=(h, d_model, d_v)), rng.normal(size=(h * d_v, d_model))
    result = multi_head(x, x, x, w_q, w_k, w_v, w_o)
    by_hand = sum(attention(x @ w_q[i], x @ w_k[i], x @ w_v[i]).output @ w_o[i * d_v : (i + 1) * d_v] for i in range(h))

    assert np.allclose(result.output, by_hand)


def test_multi_head_flops_are_those_of_a_bert_base_attention_block() -> None:
    """The figures that the first tutorial counts by hand: 16 tokens, 12 heads of 64."""
    t, h, d = 16, 12, 64
    x, w = np.zeros((t, h * d)), np.zeros((h, h * d, d))
    steps = {s.name: s.flops for s in multi_head(x, x, x, w, w, w, np.zeros((h * d, h * d))).steps}

    assert steps["project Q"] == steps["project K"] == steps["project V"] == steps["project output"] == 18_874_368
    assert steps["scores"] == steps["output"] == 393_216


@pytest.mark.parametrize(
    ("q", "k", "v"),
    [
        ([1, 2, 3], [[1]], [[1]]),
        (np.ones((2, 3)), np.ones((4, 2)), np.ones((4, 1))),
        (np.ones((2, 3)), np.ones((4, 3)), np.ones((5, 1))),
        (np.ones((2, 3)), np.ones((0, 3)), np.ones((0, 1))),
    ],
)
def test_shapes_that_do_not_fit_are_refused(q: object, k: object, v: object) -> None:
    with pytest.raises(UsageError, match=r"matrix|fit together"):
        attention(q, k, v)  # type: ignore[arg-type]


def test_weights_of_heads_that_do_not_fit_are_refused() -> None:
    x, w = np.ones((2, 4)), np.ones((2, 4, 3))

    with pytest.raises(UsageError, match="fit together"):
        multi_head(x, x, x, w, w, w, np.ones((5, 4)))
    with pytest.raises(UsageError, match="one matrix for each head"):
        multi_head(x, x, x, np.ones((4, 3)), w, w, np.ones((6, 4)))
