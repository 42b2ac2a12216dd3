"""Fused attention: closed forms, and what it saves."""

from __future__ import annotations

import pytest
from cost_calls import priced, spec
from hypothesis import given
from hypothesis import strategies as st

from cyclescope.core.graph.op import Cost, OpKind
from cyclescope.cost.call import EngineCall
from cyclescope.cost.pointwise import ADD, MULTIPLY, SOFTMAX
from cyclescope.cost.registry import estimate_cost

FUSED = [
    "scaled_dot_product_attention",
    "_scaled_dot_product_flash_attention_for_cpu",
    "_scaled_dot_product_flash_attention",
    "_scaled_dot_product_efficient_attention",
    "_scaled_dot_product_cudnn_attention",
    "_scaled_dot_product_attention_math",
]
B, H, SQ, SKV, D, DV = 2, 12, 5, 9, 64, 32
SCORES = B * H * SQ * SKV
Q, K, V, OUT = spec(B, H, SQ, D), spec(B, H, SKV, D), spec(B, H, SKV, DV), spec(B, H, SQ, DV)
SIZES = st.integers(0, 20)


@pytest.mark.parametrize("name", FUSED)
def test_closed_form(name):
    got = priced(name, [Q, K, V], [OUT])
    assert got.kind is OpKind.ATTENTION
    assert got.cost == Cost(
        flops=2 * B * H * SQ * SKV * (D + DV),
        elementwise_flops=SCORES * (MULTIPLY + SOFTMAX),
        read_bytes=Q.bytes + K.bytes + V.bytes,
        written_bytes=OUT.bytes,
    )


def test_the_log_sum_exp_of_training_is_not_charged():
    assert priced(FUSED[1], [Q, K, V], [OUT, spec(B, H, SQ)]).cost == priced(FUSED[1], [Q, K, V], [OUT]).cost


def test_a_mask_is_read_and_added():
    plain, masked = (
        priced(FUSED[1], [Q, K, V], [OUT]).cost,
        priced(FUSED[1], [Q, K, V, spec(B, 1, SQ, SKV)], [OUT]).cost,
    )
    assert masked == plain + Cost(0, ADD * SCORES, B * SQ * SKV * 4, 0)


def test_a_causal_mask_is_counted_in_full():
    plain, causal = priced(FUSED[0], [Q, K, V], [OUT]).cost, priced(FUSED[0], [Q, K, V], [OUT], is_causal=True).cost
    assert causal == plain + Cost(elementwise_flops=ADD * SCORES)


def test_grouped_queries_save_bytes_and_no_flops():
    many = priced(FUSED[0], [Q, K, V], [OUT]).cost
    few = priced(FUSED[0], [Q, spec(B, 3, SKV, D), spec(B, 3, SKV, DV)], [OUT]).cost
    assert few.flops == many.flops
    assert few.read_bytes == Q.bytes + (K.bytes + V.bytes) // 4


def test_the_kernels_own_entries_have_the_heads_inside():
    inside = [spec(B, SQ, H, D), spec(B, SKV, H, D), spec(B, SKV, H, DV)]
    got = priced("_efficient_attention_forward", inside, [spec(B, SQ, H, DV)])
    assert got == priced(FUSED[0], [Q, K, V], [OUT])


def test_packed_sequences_count_as_the_longest():
    """Three sequences, 20 tokens in all, none longer than 8."""
    packed, offsets = spec(20, H, D), spec(4, dtype="int32")
    got = priced("_flash_attention_forward", [packed] * 3 + [offsets] * 2, [packed], max_q=8, max_k=8)
    assert got.cost.flops == 2 * 20 * H * 8 * 2 * D
    assert got.cost.read_bytes == 3 * packed.bytes


def test_fusing_saves_the_score_matrix():
    """Eager attention writes the scores, reads and writes them in the softmax, and reads them again."""
    q, k, out = spec(B * H, SQ, D), spec(B * H, D, SKV), spec(B * H, SQ, D)
    scores = spec(B * H, SQ, SKV)
    eager = (
        priced("bmm", [q, k], [scores]).cost
        + priced("_softmax", [scores], [scores]).cost
        + priced("bmm", [scores, k], [out]).cost
    )
    fused = priced(FUSED[0], [Q, K, K], [Q]).cost
    assert fused.flops == eager.flops
    assert eager.read_bytes + eager.written_bytes - fused.read_bytes - fused.written_bytes == 4 * scores.bytes


@given(one=SIZES, other=SIZES, heads=SIZES, q=SIZES, kv=SIZES, d=SIZES)
def test_a_batch_costs_the_sum_of_its_parts(one, other, heads, q, kv, d):
    def batched(b):
        key = spec(b, heads, kv, d)
        return priced(FUSED[1], [spec(b, heads, q, d), key, key], [spec(b, heads, q, d)]).cost

    assert batched(one) + batched(other) == batched(one + other)


def test_an_additive_bias_of_the_kernels_own_entry_is_read():
    inside = [spec(B, SQ, H, D), spec(B, SKV, H, D), spec(B, SKV, H, DV), spec(B, 1, SQ, SKV)]
    got = priced("_efficient_attention_forward", inside, [spec(B, SQ, H, DV)])
    assert got == priced(FUSED[0], [Q, K, V, spec(B, 1, SQ, SKV)], [OUT])


@pytest.mark.parametrize(("use_gelu", "activation"), [(True, "gelu"), (False, "relu")])
def test_an_encoder_layer_in_one_call_costs_what_its_parts_cost(use_gelu, activation):
    """E = 4, F = 6, two heads, five tokens."""
    weights = [spec(12, 4), spec(12), spec(4, 4), spec(4)]
    norms = [spec(4)] * 4
    feed_forward = [spec(6, 4), spec(6), spec(4, 6), spec(4)]
    x, wide, head = spec(1, 5, 4), spec(1, 5, 6), spec(1, 2, 5, 2)
    got = priced(
        "_transformer_encoder_layer_fwd", [x, *weights, *norms, *feed_forward], [x], num_heads=2, use_gelu=use_gelu
    ).cost
    parts = [
        priced("linear", [x, spec(12, 4), spec(12)], [spec(1, 5, 12)]),
        priced("scaled_dot_product_attention", [head] * 3, [head]),
        priced("linear", [x, spec(4, 4), spec(4)], [x]),
        *[priced("add", [x, x], [x]), priced("native_layer_norm", [x, spec(4), spec(4)], [x])] * 2,
        priced("linear", [x, spec(6, 4), spec(6)], [wide]),
        priced(activation, [wide], [wide]),
        priced("linear", [wide, spec(4, 6), spec(4)], [x]),
    ]
    assert got.flops == sum(part.cost.flops for part in parts)
    assert got.elementwise_flops == sum(part.cost.elementwise_flops for part in parts)
    assert got.written_bytes == x.bytes


def test_a_multi_head_attention_reads_its_one_input_once():
    source = spec(1, 5, 4)
    weights = [spec(12, 4), spec(12), spec(4, 4), spec(4)]
    got = priced("_native_multi_head_attention", [source] * 3 + weights, [source], num_head=2).cost
    assert got.flops == 2 * 5 * (48 + 16) + 4 * 5 * 5 * 4
    assert got.elementwise_flops == 5 * (12 + 4) + 2 * 5 * 5 * (MULTIPLY + SOFTMAX)
    assert got.read_bytes == (20 + 48 + 12 + 16 + 4) * 4


PAST, GROUPS = 7, 3  # tokens in the cache, heads of keys
NEW_KEYS = spec(B, SQ, GROUPS * D)


def step(window: int = -1) -> Cost:
    """A step of ONNX Runtime's attention, which writes what is new into the cache that it reads."""
    query, cache = spec(B, SQ, H * D), spec(B, GROUPS, PAST, D)
    grown = spec(B, GROUPS, PAST + SQ, D)
    reads = (query, NEW_KEYS, NEW_KEYS, cache, cache, spec(B, dtype="int32"), spec(dtype="int32"))
    call = EngineCall(
        "onnx.GroupQueryAttention", reads, (query, grown, grown), {"num_heads": H, "local_window_size": window}
    )
    got = estimate_cost(call)
    assert got.kind is OpKind.ATTENTION
    return got.cost


def test_a_step_attends_to_the_cache_and_writes_what_is_new():
    query = spec(B, SQ, H * D).bytes
    scores = B * H * SQ * (PAST + SQ)
    assert step() == Cost(
        flops=4 * scores * D,
        elementwise_flops=scores * (MULTIPLY + ADD + SOFTMAX),
        read_bytes=query + 2 * NEW_KEYS.bytes + 2 * spec(B, GROUPS, PAST, D).bytes,
        written_bytes=query + 2 * NEW_KEYS.bytes,
    )


@given(st.integers(1, 2 * PAST))
def test_a_window_ends_what_a_step_reads(window):
    kept = min(PAST, window - 1)
    cut = step(window)
    assert cut.flops == 4 * B * H * SQ * (kept + SQ) * D
    assert step().read_bytes - cut.read_bytes == 2 * spec(B, GROUPS, PAST - kept, D).bytes
    assert cut.written_bytes == step().written_bytes
