"""Operations of ONNX (`onnx.MatMul`) and those that ONNX Runtime adds to it (`microsoft.Attention`).

Most are ATen calls by another name and are priced as those. The fused ones are the sum of what they join, with the bytes
of one pass: sources are the operator documents of ONNX (docs/Operators.md) and ONNX Runtime (docs/ContribOperators.md).
"""

from __future__ import annotations

from math import prod

from cyclescope.core.graph.op import Cost, OpKind
from cyclescope.cost import matmul, movement, pointwise, rows
from cyclescope.cost.call import EngineCall, Formula, OpCost, moved
from cyclescope.cost.pointwise import (
    ADD,
    COMPARE,
    DIVIDE,
    GELU_ERF,
    GELU_TANH,
    LAYER_NORM,
    MULTIPLY,
    SOFTMAX,
    STANDARDIZE,
)

# Greatest and least of all elements, then divided, rounded and cut to the range of the integers.
_QUANTIZE = 2 * COMPARE + DIVIDE + ADD + 2 * COMPARE
_DEQUANTIZE = ADD + MULTIPLY

_AS_ATEN: dict[str, Formula] = {
    **dict.fromkeys(("MatMul", "FusedMatMul", "MatMulInteger", "QLinearMatMul"), matmul.plain_product),
    **dict.fromkeys(("Gemm", "FusedGemm"), matmul.linear),
    **dict.fromkeys(("Conv", "FusedConv"), matmul.convolution),
    **dict.fromkeys(("Reshape", "Squeeze", "Unsqueeze", "Flatten", "Identity", "Shape", "Size"), movement.view),
    **dict.fromkeys(("Transpose", "Concat", "Slice", "Split", "Expand", "Cast", "Tile", "Pad", "Trilu", "NonZero", "OneHot"), movement.copy),
    **dict.fromkeys(("ConstantOfShape", "Range"), movement.fill),
    **dict.fromkeys(("GatherElements", "GatherND"), movement.lookup),
    "ScatterElements": movement.FORMULAS["aten.scatter"],
    "LayerNormalization": rows.FORMULAS["aten.layer_norm"],
    **dict.fromkeys(("RMSNormalization", "SimplifiedLayerNormalization"), rows.FORMULAS["aten.rms_norm"]),
    "Softmax": rows.FORMULAS["aten._softmax"],
    "LogSoftmax": rows.FORMULAS["aten._log_softmax"],
    **{
        onnx: rows.FORMULAS[f"aten.{aten}"]
        for onnx, aten in {
            "ReduceMean": "mean", "ReduceSum": "sum", "ReduceMax": "amax", "ReduceMin": "amin", "ReduceProd": "prod",
            "ArgMax": "argmax", "ArgMin": "argmin", "CumSum": "cumsum", "TopK": "topk", "ReduceL2": "norm",
        }.items()
    },
    **{
        onnx: pointwise.FORMULAS[f"aten.{aten}"]
        for onnx, aten in {
            "Add": "add", "Sub": "sub", "Mul": "mul", "Div": "div", "Neg": "neg", "Abs": "abs", "Sqrt": "sqrt", "Erf": "erf",
            "Exp": "exp", "Log": "log", "Sin": "sin", "Cos": "cos", "Tanh": "tanh", "Sigmoid": "sigmoid", "Relu": "relu",
            "Pow": "pow", "Where": "where", "Equal": "eq", "Less": "lt", "LessOrEqual": "le", "Greater": "gt",
            "GreaterOrEqual": "ge", "And": "logical_and", "Or": "logical_or", "Not": "logical_not", "Min": "minimum",
            "Max": "maximum", "IsNaN": "isnan", "Reciprocal": "reciprocal", "Floor": "floor", "Sign": "sign",
            "Clip": "clamp", "Elu": "elu", "LeakyRelu": "leaky_relu", "HardSigmoid": "hardsigmoid", "Mod": "remainder",
            "Mish": "mish", "Softplus": "softplus", "Ceil": "ceil", "Round": "round",
        }.items()
    },
}  # fmt: skip


def gather(call: EngineCall) -> OpCost:
    """`Gather` (table, indices): an embedding where the table has rows of numbers, else a lookup of a few values."""
    table = call.reads[0]
    return movement.embedding(call) if len(table.shape) == 2 and table.dtype != "int64" else movement.lookup(call)


def gelu(call: EngineCall) -> OpCost:
    """`Gelu`, `FastGelu`, `BiasGelu`, `QuickGelu` (input, bias or absent)."""
    tanh = "Fast" in call.name or call.arguments.get("approximate") == "tanh"
    weight = (GELU_TANH if tanh else GELU_ERF) + (ADD if len(call.reads) > 1 else 0)
    return OpCost(OpKind.ACTIVATION, moved(call, elementwise=weight * call.result_elements))


def skip_norm(call: EngineCall) -> OpCost:
    """`SkipLayerNormalization` (input, skip, scale, shift or absent, bias or absent): the sum first, then the norm."""
    weight = STANDARDIZE + MULTIPLY + sum(ADD for _ in call.reads[3:]) + ADD
    return OpCost(OpKind.NORM, moved(call, elementwise=weight * call.reads[0].elements))


def embedding_norm(call: EngineCall) -> OpCost:
    """`EmbedLayerNormalization` (ids, segment ids, word table, position table, segment table, scale, shift, mask)."""
    out = call.result_elements
    read = sum(spec.bytes for k, spec in enumerate(call.reads) if k not in (2, 3, 4)) + 3 * call.all_written_bytes
    return OpCost(OpKind.EMBEDDING, Cost(0, (2 * ADD + LAYER_NORM) * out, read, call.all_written_bytes))


def attention(call: EngineCall) -> OpCost:
    """`Attention`, `QAttention` (input [B, S, K], weight [K, 3·N], bias …): projections and attention in one."""
    source, weight = call.reads[0], call.reads[1]
    batch, tokens = source.shape[0], source.shape[1]
    width = weight.shape[-1] // 3
    flops = 2 * batch * tokens * weight.elements + 4 * batch * tokens * tokens * width
    return OpCost(OpKind.ATTENTION, moved(call, flops=flops, elementwise=_scores(call, batch, tokens, tokens)))


def multi_head(call: EngineCall) -> OpCost:
    """`MultiHeadAttention` (query [B, S, H·D], key [B, T, H·D] or [B, H, T, D], value …, bias, mask …)."""
    query, key, value = call.reads[:3]
    batch, tokens, width = query.shape
    keys = key.shape[-2]
    inner = width + value.elements // max(1, value.shape[0] * keys)
    flops = 2 * batch * tokens * keys * inner
    return OpCost(OpKind.ATTENTION, moved(call, flops=flops, elementwise=_scores(call, batch, tokens, keys)))


def grouped_query(call: EngineCall) -> OpCost:
    """`GroupQueryAttention` (query [B, S, H·D], key [B, S, G·D], value, past keys [B, G, P, D], past values …) with P tokens
    in the cache, in whose place the new ones are written; a window of `local_window_size` tokens may end what is read of it.

    Rows of other lengths are counted as if each was as long as the longest.
    """
    query, key, value, past_keys, past_values = call.reads[:5]
    batch, tokens, width = query.shape
    window = call.integer("local_window_size", -1)
    past = past_keys.shape[-2] if window <= 0 else min(past_keys.shape[-2], window - 1)
    keys = past + tokens
    read = query.bytes + key.bytes + value.bytes
    read += sum(cache.bytes * past // max(1, cache.shape[-2]) for cache in (past_keys, past_values))
    written = key.bytes + value.bytes + (call.result.bytes if call.result else 0)
    elementwise = _scores(call, batch, tokens, keys)
    return OpCost(OpKind.ATTENTION, Cost(4 * batch * tokens * keys * width, elementwise, read, written))


def rotation(call: EngineCall) -> OpCost:
    """`RotaryEmbedding` (input, positions, cos, sin): each number by a cosine, its partner by a sine, and their sum."""
    return OpCost(OpKind.ELEMENTWISE, moved(call, elementwise=(2 * MULTIPLY + ADD) * call.result_elements))


def _scores(call: EngineCall, batch: int, tokens: int, keys: int) -> int:
    heads = call.integer("num_heads", 1)
    return batch * heads * tokens * keys * (MULTIPLY + ADD + SOFTMAX)


def dynamic_product(call: EngineCall) -> OpCost:
    """`DynamicQuantizeMatMul` (input [..., K] in float, weight [K, N] in 8 bits, …): quantized first, then multiplied."""
    source = call.reads[0]
    cost = moved(call, flops=2 * call.result_elements * source.shape[-1], elementwise=_QUANTIZE * source.elements)
    return OpCost(OpKind.MATMUL, cost)


def integer_product(call: EngineCall) -> OpCost:
    """`MatMulIntegerToFloat` (input [..., K], weight [K, N], scales …)."""
    flops = 2 * call.result_elements * call.reads[0].shape[-1]
    return OpCost(OpKind.MATMUL, moved(call, flops=flops, elementwise=_DEQUANTIZE * call.result_elements))


def packed_product(call: EngineCall) -> OpCost:
    """`MatMulNBits` (input [..., K], weight packed to bytes [N, blocks, bytes], scales …)."""
    weights = prod((*call.reads[0].shape[-1:], *(call.result.shape[-1:] if call.result else ())))
    flops = 2 * call.result_elements * call.reads[0].shape[-1]
    return OpCost(OpKind.MATMUL, moved(call, flops=flops, elementwise=_DEQUANTIZE * weights))


def quantize(call: EngineCall) -> OpCost:
    """`DynamicQuantizeLinear`, `QuantizeLinear` (input …)."""
    return OpCost(OpKind.ELEMENTWISE, moved(call, elementwise=_QUANTIZE * call.reads[0].elements))


def dequantize(call: EngineCall) -> OpCost:
    """`DequantizeLinear` (integers, scale, zero)."""
    return OpCost(OpKind.ELEMENTWISE, moved(call, elementwise=_DEQUANTIZE * call.result_elements))


_FUSED: dict[str, Formula] = {
    "Gather": gather,
    **dict.fromkeys(("Gelu", "FastGelu", "BiasGelu", "QuickGelu"), gelu),
    **dict.fromkeys(("SkipLayerNormalization", "SkipSimplifiedLayerNormalization"), skip_norm),
    "EmbedLayerNormalization": embedding_norm,
    "Attention": attention,
    "QAttention": attention,
    "MultiHeadAttention": multi_head,
    "GroupQueryAttention": grouped_query,
    "RotaryEmbedding": rotation,
    "DynamicQuantizeMatMul": dynamic_product,
    "MatMulIntegerToFloat": integer_product,
    "MatMulNBits": packed_product,
    "DynamicQuantizeLinear": quantize,
    "QuantizeLinear": quantize,
    "DequantizeLinear": dequantize,
}

FORMULAS: dict[str, Formula] = {f"onnx.{name}": formula for name, formula in {**_AS_ATEN, **_FUSED}.items()}
