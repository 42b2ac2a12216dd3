"""Fused attention: softmax(Q Kᵀ · scale + mask) V in one call (Vaswani et al., 2017, eq. 1).

FLOPs are those of its two matrix products, 2·B·H·Sq·Skv·(D + Dv), whichever kernel runs; a causal mask is counted in
full, as `torch.utils.flop_counter` and the field's model FLOPs do, although a kernel may skip what is masked. Where
fewer heads of K and V serve groups of query heads (grouped-query attention) the products are as many; only bytes are
saved. Scale, mask and softmax of the B·H·Sq·Skv scores are elementwise operations.

Bytes are Q, K, V and the mask read once and the output written once. The score matrix never reaches memory: that is the
point of fusing (Dao et al., 2022, "FlashAttention", section 3). The log-sum-exp of a row that some kernels also return
is for training and left out, and so are the seeds of a dropout that does not happen.
"""

from __future__ import annotations

from math import prod

from cyclescope.core.graph.op import Cost, OpKind
from cyclescope.core.graph.tensor import TensorSpec
from cyclescope.cost.call import EngineCall, Formula, OpCost, moved
from cyclescope.cost.pointwise import ADD, COMPARE, GELU_ERF, LAYER_NORM, MULTIPLY, SOFTMAX


def _fused(call: EngineCall, rows: int, keys: int, *, masked: bool, inputs: int) -> OpCost:
    """`rows` = B·H·Sq query vectors against `keys` = Skv each; the first `inputs` of the reads reach memory."""
    depth, depth_out = call.reads[0].shape[-1], call.reads[2].shape[-1]
    scores = rows * keys
    elementwise = scores * (MULTIPLY + SOFTMAX + (ADD if masked else 0))
    read = sum(call.read_bytes(i) for i in range(inputs))
    written = call.result.bytes if call.result else 0
    return OpCost(OpKind.ATTENTION, Cost(2 * scores * (depth + depth_out), elementwise, read, written))


def attention(call: EngineCall) -> OpCost:
    """(query [..., H, Sq, D], key [..., Hkv, Skv, D], value [..., Hkv, Skv, Dv], mask or absent)."""
    query, key = call.reads[0].shape, call.reads[1].shape
    masked = len(call.reads) > 3 or bool(call.arguments.get("is_causal"))
    return _fused(call, prod(query[:-1]), key[-2], masked=masked, inputs=len(call.reads))


def attention_heads_inside(call: EngineCall) -> OpCost:
    """(query [B, Sq, H, D], key [B, Skv, Hkv, D], value [B, Skv, Hkv, Dv], ...), the layout of the kernels' own entries.

    Sequences of different lengths packed into one (query [sum of Sq, H, D], or a batch of 1 with offsets) are counted as
    if each was as long as the longest: `max_k` says how long that is, the lengths themselves are data.
    """
    query, key = call.reads[0].shape, call.reads[1].shape
    keys = call.integer("max_k", call.integer("max_seqlen_k", key[-3]))
    # Offsets are vectors; an additive bias has the four axes of the scores.
    biased = len(call.reads) > 3 and len(call.reads[3].shape) == 4
    masked = biased or bool(call.arguments.get("is_causal"))
    return _fused(call, prod(query[:-1]), keys, masked=masked, inputs=4 if biased else 3)


def multi_head(call: EngineCall) -> OpCost:
    """`_native_multi_head_attention` (query [B, S, E], key, value, wqkv [3E, E], bqkv, wo [E, E], bo, mask or absent)."""
    source = call.reads[0]
    flops, elementwise = _self_attention(call, source, call.reads[3], call.reads[5])
    # The same tensor comes as query, key and value.
    read = call.all_read_bytes - call.read_bytes(1) - call.read_bytes(2)
    written = call.result.bytes if call.result else 0
    return OpCost(OpKind.ATTENTION, Cost(flops, elementwise, read, written))


def encoder_layer(call: EngineCall) -> OpCost:
    """`_transformer_encoder_layer_fwd`, a whole `nn.TransformerEncoderLayer` in one call.

    (source [B, S, E], wqkv, bqkv, wo, bo, two norms of scale and shift, w1 [F, E], b1 [F], w2 [E, F], b2, mask or absent)
    """
    source, inner, outer = call.reads[0], call.reads[9], call.reads[11]
    flops, elementwise = _self_attention(call, source, call.reads[1], call.reads[3])
    tokens = prod(source.shape[:-1])
    flops += 2 * tokens * (inner.elements + outer.elements)
    activation = GELU_ERF if call.arguments.get("use_gelu") else COMPARE
    hidden = tokens * inner.shape[0]
    # Two norms and two residual sums; a bias on either product of the feed-forward part, and its activation.
    elementwise += 2 * (LAYER_NORM + ADD) * source.elements + (ADD + activation) * hidden + ADD * source.elements
    return OpCost(OpKind.ATTENTION, moved(call, flops=flops, elementwise=elementwise))


def _self_attention(call: EngineCall, source: TensorSpec, wqkv: TensorSpec, wo: TensorSpec) -> tuple[int, int]:
    """FLOPs and elementwise operations of projections and attention over `source` [B, S, E]."""
    tokens, keys, width = prod(source.shape[:-1]), source.shape[-2], source.shape[-1]
    scores = tokens * keys
    if call.lengths:  # the kernel pads them to the longest for the scores, and only for those
        scores = len(call.lengths) * max(call.lengths) ** 2
    heads = call.integer("num_heads", call.integer("num_head", 1))
    flops = 2 * tokens * (wqkv.elements + wo.elements) + 2 * scores * 2 * width
    biases = ADD * tokens * (wqkv.shape[0] + wo.shape[0])
    return flops, biases + scores * heads * (MULTIPLY + SOFTMAX)


FORMULAS: dict[str, Formula] = {
    "aten.scaled_dot_product_attention": attention,
    "aten._scaled_dot_product_attention_math": attention,
    "aten._scaled_dot_product_attention_math_for_mps": attention,
    "aten._scaled_dot_product_flash_attention": attention,
    "aten._scaled_dot_product_flash_attention_for_cpu": attention,
    "aten._scaled_dot_product_efficient_attention": attention,
    "aten._scaled_dot_product_cudnn_attention": attention,
    "aten._scaled_dot_product_fused_attention_overrideable": attention,
    "aten._flash_attention_forward": attention_heads_inside,
    "aten._efficient_attention_forward": attention_heads_inside,
    "aten._native_multi_head_attention": multi_head,
    "aten._transformer_encoder_layer_fwd": encoder_layer,
}
