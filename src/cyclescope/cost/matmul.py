"""Matrix products and convolutions: two FLOPs for each multiply-add, as the field counts model FLOPs.

Adding a bias (or the first argument of `addmm`) is one elementwise operation an element of the result and no FLOP, as
in `torch.utils.flop_counter`, with which these counts agree exactly wherever it counts at all. It does not count a
matrix with a vector (`mv`, `addmv`), two vectors (`dot`) and a grouped product (`_grouped_mm`); those are counted here.
"""

from __future__ import annotations

from math import prod

from cyclescope.core.graph.op import Cost, OpKind
from cyclescope.cost.call import EngineCall, Formula, OpCost, moved


def _product(call: EngineCall, left: int, bias: int) -> OpCost:
    """2·(elements of the result)·K, where K is the last axis of read `left`: holds for every rank, batched or not.

    Where one side is sparse, each element that it keeps meets a row of the other.
    """
    if call.sparse(left) >= 0 or call.sparse(left + 1) >= 0:
        return _sparse_product(call, left, bias)
    inner = call.reads[left].shape[-1]
    added = call.result_elements if 0 <= bias < len(call.reads) else 0
    return OpCost(OpKind.MATMUL, moved(call, flops=2 * call.result_elements * inner, elementwise=added))


def _sparse_product(call: EngineCall, left: int, bias: int) -> OpCost:
    """2·nonzeros·N with N columns of the dense right side, or rows of the dense left one.

    Of two sparse sides only the data know which elements meet: unknown.
    """
    added = call.result_elements if 0 <= bias < len(call.reads) else 0
    by_left, by_right = call.sparse(left), call.sparse(left + 1)
    if by_left >= 0 and by_right >= 0:
        return OpCost(OpKind.MATMUL, moved(call, elementwise=added), known=False)
    dense = call.reads[left + 1 if by_left >= 0 else left].shape
    vectors = prod(dense[1:]) if by_left >= 0 else prod(dense[:-1])
    flops = 2 * max(by_left, by_right) * vectors
    return OpCost(OpKind.MATMUL, moved(call, flops=flops, elementwise=added))


def sampled_product(call: EngineCall) -> OpCost:
    """`sparse_sampled_addmm` (sparse added, left [M, K], right [K, N]): only where the sparse one keeps elements."""
    kept = call.sparse(0)
    known = kept >= 0
    flops = 2 * max(kept, 0) * call.reads[1].shape[-1]
    return OpCost(OpKind.MATMUL, moved(call, flops=flops, elementwise=max(kept, 0)), known)


def plain_product(call: EngineCall) -> OpCost:
    """`mm`, `bmm`, `mv`, `dot`, `matmul` (left, right)."""
    return _product(call, left=0, bias=-1)


def added_product(call: EngineCall) -> OpCost:
    """`addmm`, `baddbmm`, `addmv` (added, left, right)."""
    return _product(call, left=1, bias=0)


def linear(call: EngineCall) -> OpCost:
    """`linear` (input [..., K], weight [N, K], bias [N] or absent)."""
    return _product(call, left=0, bias=2)


def summed_batch_product(call: EngineCall) -> OpCost:
    """`addbmm` (added [M, N], left [B, M, K], right [B, K, N]): the products of the batch are summed."""
    batch, _, inner = call.reads[1].shape
    elements = call.result_elements
    return OpCost(OpKind.MATMUL, moved(call, flops=2 * elements * inner * batch, elementwise=elements))


def bilinear(call: EngineCall) -> OpCost:
    """`bilinear` (x [..., I], y [..., J], weight [O, I, J], bias [O] or absent), as x·W first, then with y."""
    _, left, right = call.reads[2].shape
    elements = call.result_elements
    flops = 2 * elements * left * right + 2 * elements * right
    return OpCost(OpKind.MATMUL, moved(call, flops=flops, elementwise=elements if len(call.reads) > 3 else 0))


def grouped_product(call: EngineCall) -> OpCost:
    """`_grouped_mm` (left, right, offsets or absent, bias or absent): the experts of a mixture in one call.

    left [M, K] with right [G, K, N]: every row meets the matrix of its own group. left [G, M, K] with right [G, K, N]:
    a batch. left [M, K] with right [K, N]: K is cut into groups, each with a result [M, N]. Of the G matrices at most
    one a row is read: which ones, only the data know, so this is the upper bound.
    """
    left, right = call.reads[0].shape, call.reads[1].shape
    inner = left[-1]
    elements = left[0] * right[-1] if len(left) == len(right) == 2 else call.result_elements
    biased = any(spec.dtype == call.reads[0].dtype for spec in call.reads[2:])  # the offsets are whole numbers
    cost = moved(call, flops=2 * elements * inner, elementwise=call.result_elements if biased else 0)
    if len(left) == 2 and len(right) == 3 and left[0] < right[0]:
        unread = call.read_bytes(1) - call.read_bytes(1) * left[0] // right[0]
        cost += Cost(read_bytes=-unread)
    return OpCost(OpKind.MATMUL, cost)


def convolution(call: EngineCall) -> OpCost:
    """`convolution` (input [B, Cin, *S], weight, bias or absent), any number of axes, groups and strides.

    Every element of the result is a sum over (Cin / groups) · prod(kernel) products. The weight is
    [Cout, Cin / groups, *kernel], so its elements over Cout say that; transposed it is [Cin, Cout / groups, *kernel],
    and every element of the *input* is spread over (Cout / groups) · prod(kernel).
    """
    source = call.reads[0]
    _, *products = call.reads[1].shape
    spread = source.elements if call.arguments.get("transposed") else call.result_elements
    added = call.result_elements if len(call.reads) > 2 else 0
    return OpCost(OpKind.CONVOLUTION, moved(call, flops=2 * spread * prod(products), elementwise=added))


FORMULAS: dict[str, Formula] = {
    "aten.mm": plain_product,
    "aten.bmm": plain_product,
    "aten.mv": plain_product,
    "aten.dot": plain_product,
    "aten.vdot": plain_product,
    "aten.inner": plain_product,
    "aten.matmul": plain_product,
    "aten._int_mm": plain_product,
    "aten._scaled_mm": plain_product,
    "aten._weight_int8pack_mm": plain_product,
    "aten._weight_int4pack_mm": plain_product,
    "aten._weight_int4pack_mm_for_cpu": plain_product,
    "aten.addmm": added_product,
    "aten._sparse_addmm": added_product,
    "aten.sparse_sampled_addmm": sampled_product,
    "aten._addmm_activation": added_product,
    "aten.baddbmm": added_product,
    "aten.addmv": added_product,
    "aten.addbmm": summed_batch_product,
    "aten.linear": linear,
    "aten.mkldnn_linear": linear,
    "aten.bilinear": bilinear,
    "aten._grouped_mm": grouped_product,
    "aten.convolution": convolution,
    "aten._convolution": convolution,
    "aten.conv1d": convolution,
    "aten.conv2d": convolution,
    "aten.conv3d": convolution,
    "aten.mkldnn_convolution": convolution,
    "aten.cudnn_convolution": convolution,
    "aten.convolution_overrideable": convolution,
    "aten._slow_conv2d_forward": convolution,
    "aten._conv_depthwise2d": convolution,
}
