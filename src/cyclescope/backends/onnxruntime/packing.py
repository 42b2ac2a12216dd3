"""Products with weights in fewer bits: packed in blocks that have a scale each, or by column for products of bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import onnx
from onnx import helper

from cyclescope.backends.onnxruntime.hidden_weights import HiddenWeights
from cyclescope.core.units import AnyArray

_BLOCK = 32  # weights that share a scale
# The level of accuracy at which what is multiplied has 8 bits too, with a scale for each block; in float32 products with 8 bits
# take ten times as long here.
_IN_BYTES = 4
_ROWS_BYTES = 1 << 24  # of the weights that are packed at a time


def packed(weight: AnyArray, bits: int) -> tuple[AnyArray, AnyArray]:
    """`weight` [N, K] as `MatMulNBits` takes it: bytes [N, blocks, bytes of a block] and scales [N · blocks].

    A number is (its `bits` − half of what fits into them) · scale, with the largest of a block at an end of that range.
    """
    rows, width = weight.shape
    blocks, half = -(-width // _BLOCK), 1 << (bits - 1)
    numbers = np.empty((rows, blocks, _BLOCK * bits // 8), np.uint8)
    scales = np.empty((rows, blocks), np.float32)
    step = max(1, _ROWS_BYTES // (4 * width))
    for begin in range(0, rows, step):
        some = np.zeros((min(step, rows - begin), blocks * _BLOCK), np.float32)
        some[:, :width] = weight[begin : begin + step]
        some = some.reshape(-1, blocks, _BLOCK)
        scale = _scale(some, half)
        whole = np.divide(some, scale[..., None], out=some, where=scale[..., None] != 0)
        np.rint(whole, out=whole)
        whole += half
        np.clip(whole, 0, 2 * half - 1, out=whole)
        byte = whole.astype(np.uint8)
        numbers[begin : begin + step] = byte if bits == 8 else byte[..., ::2] | byte[..., 1::2] << 4
        scales[begin : begin + step] = scale
    return numbers, scales.reshape(-1)


def _scale(blocks: AnyArray, half: int) -> AnyArray:
    """What one means in each of `blocks` [N, blocks, numbers]. The range has one number more below zero: with few bits that one
    goes to the largest number, whatever its sign.
    """
    high, low = blocks.max(axis=-1), blocks.min(axis=-1)
    if half > 8:
        return np.asarray(np.maximum(high, -low) / (half - 1))
    return np.asarray(np.where(high > -low, high, low) / -half)


def by_channel(weight: AnyArray, bits: int) -> tuple[AnyArray, AnyArray]:
    """`weight` [N, K] as `DynamicQuantizeMatMul` takes it: numbers of so many `bits` [K, N] and a scale for each column."""
    most = (1 << (bits - 1)) - 1
    rows, width = weight.shape
    numbers, scales = np.empty((rows, width), np.int8), np.empty(rows, np.float32)
    step = max(1, _ROWS_BYTES // (4 * width))
    for begin in range(0, rows, step):
        some = np.asarray(weight[begin : begin + step], np.float32)
        scale = np.maximum(some.max(axis=1), -some.min(axis=1)) / most
        numbers[begin : begin + step] = np.rint(some / np.where(scale, scale, 1)[:, None])
        scales[begin : begin + step] = scale
    return np.ascontiguousarray(numbers.T), scales


def pack_products(
    graph: onnx.GraphProto, weights: HiddenWeights, bits: int, which: Callable[[onnx.NodeProto], bool] = lambda _: True
) -> None:
    """Give those products of `graph` with a weight for which `which` says so weights of so many `bits`."""
    for node, weight in _products(graph, weights, which):
        _replace(graph, weights, node, "MatMulNBits", packed(weight, bits))
        facts = {"K": weight.shape[1], "N": weight.shape[0], "bits": bits, "block_size": _BLOCK}
        for key, value in (*facts.items(), ("accuracy_level", _IN_BYTES)):
            node.attribute.append(helper.make_attribute(key, value))


def quantize_products(graph: onnx.GraphProto, weights: HiddenWeights, *, vnni: bool) -> None:
    """Have all products of `graph` with a weight computed in 8 bits. `vnni`: the processor sums products of bytes without
    saturating on the way; elsewhere two of them exceed 16 bits, unless weights have 7.
    """
    for node, weight in _products(graph, weights, lambda _: True):
        _replace(graph, weights, node, "DynamicQuantizeMatMul", by_channel(weight, 8 if vnni else 7))


def _products(
    graph: onnx.GraphProto, weights: HiddenWeights, which: Callable[[onnx.NodeProto], bool]
) -> Iterator[tuple[onnx.NodeProto, AnyArray]]:
    """The products with a weight for which `which` says so, and their weights as [N, K]."""
    turned = {node.output[0]: node.input[0] for node in graph.node if node.op_type == "Transpose"}
    for node in graph.node:
        if node.op_type != "MatMul":
            continue
        name = turned.get(node.input[1], node.input[1])
        if name in weights and which(node):
            weight = weights.array(name)
            yield node, weight if node.input[1] in turned else weight.T


def _replace(
    graph: onnx.GraphProto,
    weights: HiddenWeights,
    node: onnx.NodeProto,
    operator: str,
    packed: tuple[AnyArray, AnyArray],
) -> None:
    """Make `node` one of `operator`, with the `packed` weight and its scales."""
    stem = f"{node.output[0]}.packed"
    node.input[1] = weights.add(graph, f"{stem}.weight", packed[0])
    node.input.append(weights.add(graph, f"{stem}.scales", packed[1]))
    node.op_type, node.domain = operator, "com.microsoft"
