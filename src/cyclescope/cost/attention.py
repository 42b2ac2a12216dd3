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

from cyclescope.core.op import Cost, OpKind
from cyclescope.cost.call import Call, Formula, Priced
from cyclescope.cost.pointwise import ADD, MULTIPLY, SOFTMAX


def _fused(call: Call, rows: int, keys: int, *, masked: bool, inputs: int) -> Priced:
    """`rows` = B·H·Sq query vectors against `keys` = Skv each; the first `inputs` of the reads reach memory."""
    depth, depth_out = call.reads[0].shape[-1], call.reads[2].shape[-1]
    scores = rows * keys
    elementwise = scores * (MULTIPLY + SOFTMAX + (ADD if masked else 0))
    read = sum(call.read_bytes(i) for i in range(inputs))
    written = call.result.bytes if call.result else 0
    return Priced(OpKind.ATTENTION, Cost(2 * scores * (depth + depth_out), elementwise, read, written))


def attention(call: Call) -> Priced:
    """(query [..., H, Sq, D], key [..., Hkv, Skv, D], value [..., Hkv, Skv, Dv], mask or absent)."""
    query, key = call.reads[0].shape, call.reads[1].shape
    masked = len(call.reads) > 3 or bool(call.arguments.get("is_causal"))
    return _fused(call, prod(query[:-1]), key[-2], masked=masked, inputs=len(call.reads))


def attention_heads_inside(call: Call) -> Priced:
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
}
