"""Products with weights that are packed away, of the packages and kernels that keep fewer bits of them."""

from __future__ import annotations

from collections.abc import Sequence

from cyclescope.core.graph.op import Cost, OpKind
from cyclescope.cost.call import EngineCall, Formula, OpCost, moved


def packed_linear(call: EngineCall) -> OpCost:
    """`quantized.linear_dynamic`, `quantized.linear` (input [..., K]): the weight [N, K] is packed away, a byte an element."""
    inner, result = call.reads[0].shape[-1], call.result
    width = result.shape[-1] if result and result.shape else 1
    cost = moved(call, flops=2 * call.result_elements * inner, elementwise=call.result_elements)
    return OpCost(OpKind.MATMUL, cost + Cost(read_bytes=inner * width))


def product_by_result(call: EngineCall) -> OpCost:
    """(input [..., K], weight in any packing, scales …) -> [..., N]: 2·(elements of the result)·K."""
    inner = call.reads[0].shape[-1]
    return OpCost(OpKind.MATMUL, moved(call, flops=2 * call.result_elements * inner))


def unpacked(call: EngineCall) -> OpCost:
    """`dequantize_4bit` and its kin: every element of the result is looked up and scaled."""
    return OpCost(OpKind.COPY, moved(call, elementwise=call.result_elements))


def scaled_to_bits(call: EngineCall) -> OpCost:
    """`int8_vectorwise_quant` and its kin: every element is compared for the scale, scaled and rounded."""
    elements = call.reads[0].elements if call.reads else 0
    return OpCost(OpKind.ELEMENTWISE, moved(call, elementwise=3 * elements))


def packed_convolution(call: EngineCall) -> OpCost:
    """`quantized.conv2d` (input [B, C, …]): the kernel is packed away, and with it how many products an element takes."""
    return OpCost(OpKind.CONVOLUTION, moved(call), known=False)


def _named(namespace: str, names: Sequence[str], formula: Formula) -> dict[str, Formula]:
    return {f"{namespace}.{name}": formula for name in names}


FORMULAS: dict[str, Formula] = {
    **_named("quantized", ("linear_dynamic", "linear_relu_dynamic", "linear", "linear_relu"), packed_linear),
    **_named("quantized", ("linear_dynamic_fp16", "linear_relu_dynamic_fp16"), packed_linear),
    **_named("quantized", ("conv1d", "conv2d", "conv3d", "conv1d_relu", "conv2d_relu"), packed_convolution),
    **_named("bitsandbytes", ("gemv_4bit", "gemm_4bit", "int8_linear_matmul", "int8_scaled_mm"), product_by_result),
    **_named("bitsandbytes", ("int8_mixed_scaled_mm",), product_by_result),
    **_named(
        "bitsandbytes",
        ("dequantize_4bit", "dequantize_blockwise", "int8_vectorwise_dequant", "int8_mm_dequant"),
        unpacked,
    ),
    **_named(
        "bitsandbytes",
        ("quantize_4bit", "quantize_blockwise", "int8_vectorwise_quant", "int8_double_quant"),
        scaled_to_bits,
    ),
    **_named("torchao", ("rowwise_scaled_linear_cutlass_s8s4", "int_scaled_matmul"), product_by_result),
}
