"""The head of a decoder in 8 bits, with the likeliest tokens computed again in full: greedy decoding chooses the same token.

The head is the largest weight of a small decoder, and of all that it computes a greedy step reads one number: which token has
the highest score. Scores in 8 bits tell which tokens may be that; the rows of those alone are then read in float32. The token
that would have been chosen is lost only if 8 bits put so many others above it, which is far more than they move a score.
"""

from __future__ import annotations

import numpy as np
import onnx
from onnx import helper, numpy_helper

from cyclescope.backends.onnxruntime.hidden_weights import HiddenWeights

_CANDIDATES = 64
_KEEPS_ORDER = ("Cast", "CastLike", "Identity", "Tanh", "Mul", "Div", "Reshape")  # with a positive number, of two


def head_of(graph: onnx.GraphProto, weights: HiddenWeights) -> onnx.NodeProto | None:
    """The product that gives the logits of `graph`, if the highest of what it gives is the highest of the logits."""
    maker = {name: node for node in graph.node for name in node.output}
    constants = {tensor.name: tensor for tensor in graph.initializer}
    node = maker.get("logits")
    while node is not None and node.op_type in _KEEPS_ORDER:
        others = [constants.get(name) for name in node.input[1:]]
        if node.op_type in ("Mul", "Div") and not all(t is not None and _positive(t) for t in others):
            return None
        node = maker.get(node.input[0])
    if node is None or node.op_type != "MatMul":
        return None
    turned = maker.get(node.input[1])
    name = turned.input[0] if turned is not None and turned.op_type == "Transpose" else node.input[1]
    return node if name in weights else None


def _positive(tensor: onnx.TensorProto) -> bool:
    value = numpy_helper.to_array(tensor)
    return value.size == 1 and float(value.reshape(-1)[0]) > 0


def screen(graph: onnx.GraphProto, weights: HiddenWeights, head: onnx.NodeProto) -> None:
    """Compute the highest results of `head`, whose weight is about to be packed, again in float32."""
    maker = {name: node for node in graph.node for name in node.output}
    turned = maker.get(head.input[1])
    if turned is not None and turned.op_type == "Transpose":
        table = turned.input[0]
    else:
        rows = np.ascontiguousarray(weights.array(head.input[1]).T)
        table = weights.add(graph, f"{head.output[0]}.rows", rows)
    most = min(_CANDIDATES, weights.array(table).shape[0])
    stem = head.output[0]
    made = f"{stem}.screened"
    graph.initializer.extend(
        [
            numpy_helper.from_array(np.array([most], np.int64), f"{stem}.most"),
            numpy_helper.from_array(np.array([-1], np.int64), f"{stem}.last"),
        ]
    )
    steps = [
        ("TopK", [made, f"{stem}.most"], [f"{stem}.highest", f"{stem}.candidates"], {"sorted": 0}),
        ("Gather", [table, f"{stem}.candidates"], [f"{stem}.read"], {}),
        ("Unsqueeze", [head.input[0], f"{stem}.last"], [f"{stem}.column"], {}),
        ("MatMul", [f"{stem}.read", f"{stem}.column"], [f"{stem}.products"], {}),
        ("Squeeze", [f"{stem}.products", f"{stem}.last"], [f"{stem}.exact"], {}),
        ("ScatterElements", [made, f"{stem}.candidates", f"{stem}.exact"], [stem], {"axis": -1}),
    ]
    nodes = [helper.make_node(op, reads, writes, name=f"{head.name}.{op}", **more) for op, reads, writes, more in steps]
    head.output[0] = made
    behind = list(graph.node)
    place = next(k for k, node in enumerate(behind) if made in node.output) + 1
    del graph.node[:]
    graph.node.extend([*behind[:place], *nodes, *behind[place:]])
