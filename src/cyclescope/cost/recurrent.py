"""Recurrent layers in one call: LSTM, GRU and plain RNN (Hochreiter and Schmidhuber, 1997; Cho et al., 2014).

Each token meets the matrix of its input [gates·H, I] and that of the state before it [gates·H, H], and with a projection
that too: two FLOPs for each weight and token, layer by layer and direction by direction. Gates are elementwise.
"""

from __future__ import annotations

from math import prod

from cyclescope.core.graph.op import Cost, OpKind
from cyclescope.cost.call import EngineCall, Formula, OpCost, moved
from cyclescope.cost.pointwise import ADD, MULTIPLY, SIGMOID, TRANSCENDENTAL

_LSTM_CELL = (
    3 * SIGMOID + 2 * TRANSCENDENTAL + 3 * MULTIPLY + ADD
)  # three gates, candidate and output, and the new state
_GRU_CELL = 2 * SIGMOID + TRANSCENDENTAL + 3 * MULTIPLY + 2 * ADD
_GATES = {0: 1, 1: 1, 2: 4, 3: 3}  # by the mode of the kernels: ReLU, tanh, LSTM, GRU
_BIASES = 2 * ADD  # one for either matrix, for each gate


def one_layer(call: EngineCall) -> OpCost:
    """`mkldnn_rnn_layer` (input [T, B, I], of the input [gates·H, I], of the state [gates·H, H], …), one direction."""
    tokens = prod(call.reads[0].shape[:-1])
    weights = call.reads[1:3]
    flops = 2 * tokens * sum(weight.elements for weight in weights)
    hidden = weights[1].shape[-1]
    return OpCost(
        OpKind.MATMUL, moved(call, flops=flops, elementwise=tokens * _cell(weights[1].shape[0] // hidden, hidden))
    )


def all_layers(call: EngineCall) -> OpCost:
    """`_cudnn_rnn`, `miopen_rnn` (input [T, B, I] or packed [tokens, I], all weights, state [L, B, H], …)."""
    tokens = prod(call.reads[0].shape[:-1])
    matrices = [spec for spec in call.reads[1:] if len(spec.shape) == 2]
    gates, hidden = _GATES[call.integer("mode", 2)], call.integer("hidden_size", 0)
    recurrent = sum(1 for spec in matrices if spec.shape[0] == gates * hidden) // 2
    flops = 2 * tokens * sum(spec.elements for spec in matrices)
    return OpCost(OpKind.MATMUL, moved(call, flops=flops, elementwise=tokens * recurrent * _cell(gates, hidden)))


def packed_layers(call: EngineCall) -> OpCost:
    """`quantized_lstm`, `quantized_gru` (input [T, B, I], states [L·directions, B, H], …): the weights are packed away, one
    byte each.
    """
    tokens, inputs = prod(call.reads[0].shape[:-1]), call.reads[0].shape[-1]
    hidden = call.reads[1].shape[-1]
    gates = 3 if "gru" in call.name else 4
    directions = 2 if call.arguments.get("bidirectional") else 1
    layers = call.integer("num_layers", 1)
    weights = sum(
        directions * gates * hidden * ((inputs if layer == 0 else directions * hidden) + hidden)
        for layer in range(layers)
    )
    elementwise = tokens * layers * directions * _cell(gates, hidden)
    cost = moved(call, flops=2 * tokens * weights, elementwise=elementwise)
    return OpCost(OpKind.MATMUL, cost + Cost(read_bytes=weights))


def _cell(gates: int, hidden: int) -> int:
    """Elementwise operations of one token in one layer and direction."""
    return hidden * (gates * _BIASES + {4: _LSTM_CELL, 3: _GRU_CELL}.get(gates, TRANSCENDENTAL))


FORMULAS: dict[str, Formula] = {
    "aten.mkldnn_rnn_layer": one_layer,
    "aten._cudnn_rnn": all_layers,
    "aten.miopen_rnn": all_layers,
    "aten.quantized_lstm": packed_layers,
    "aten.quantized_gru": packed_layers,
}
